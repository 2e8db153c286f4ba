"""Whether a connection still is what its profile says, and what is wrong if not."""

import re

from shared.errors import NeedsHuman
from shared.model.connection import Value
from shared.model.credential import ReadFacts, TokenFacts
from shared.model.directory import Application, Principal, WantedApplication
from shared.planning.consent import Judged, Verdict
from shared.planning.registration import differences
from shared.planning.sign_in import ALLOWED_BY, WITHOUT_ROLES

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

DRIFT = {
    "audience": "AUDIENCE_TOO_WIDE",
    "public client flows": "PUBLIC_FLOW_OFF",
    "web redirect URIs": "REDIRECT_MISMATCH",
    "native redirect URIs": "REDIRECT_MISMATCH",
    "single-page redirect URIs": "REDIRECT_MISMATCH",
    "configured permissions": "CONSENT_DRIFT",
}
"""The condition's reason for each part of a registration that differs."""

AGAIN = "Correct it in Entra ID, then verify the connection again."


class Tried(Value, frozen=True):
    """A token that was asked for with the secret: None when the token endpoint knows it not."""

    api: str  # application id
    expected: frozenset[str]  # names of the application permissions that it must carry
    token: TokenFacts | None


class Read(Value, frozen=True):
    """A read that was made with a token: for a permission, or as a check of the profile."""

    what: str
    facts: ReadFacts


class Evidence(Value, frozen=True):
    """Everything that one verification has read."""

    wanted: WantedApplication
    application: Application | None
    principal: Principal | None
    judged: tuple[Judged, ...]
    roles_wanted: tuple[str, ...]
    roles_missing: tuple[str, ...]
    tokens: tuple[Tried, ...]
    secret_looks_like_id: bool
    reads: tuple[Read, ...]


def looks_like_id(value: str, key_id: str) -> bool:
    """Whether a secret's id was stored in place of its value, as people do (AADSTS7000215)."""
    return value == key_id or GUID.fullmatch(value) is not None


def find_trouble(evidence: Evidence) -> NeedsHuman | None:
    """The gravest problem with all of its kind named; None when everything is as it should be."""
    return _registration(evidence) or _access(evidence) or _sign_in(evidence)


def _registration(evidence: Evidence) -> NeedsHuman | None:
    if evidence.application is None:
        return NeedsHuman(
            "APP_DELETED",
            "The application is gone.",
            "Restore it within 30 days instead of making a new one, then verify again.",
        )
    if evidence.principal is None or not evidence.principal.enabled:
        return NeedsHuman(
            "SP_DISABLED",
            "The service principal is disabled or gone: the product cannot sign in.",
            "Enable it under Enterprise applications if this was not on purpose.",
        )
    wrong = [name for name in differences(evidence.wanted, evidence.application) if name in DRIFT]
    if wrong:
        return NeedsHuman(
            DRIFT[wrong[0]], f"Not as the profile wants it: {', '.join(wrong)}.", AGAIN
        )
    return None


def _access(evidence: Evidence) -> NeedsHuman | None:
    missing = [j.name for j in evidence.judged if j.verdict == Verdict.MISSING]
    if missing:
        return NeedsHuman("CONSENT_MISSING", f"Not granted: {', '.join(missing)}.", AGAIN)
    if evidence.roles_missing:
        return NeedsHuman(
            "ROLE_MISSING", f"Roles not assigned: {', '.join(evidence.roles_missing)}.", AGAIN
        )
    extra = [j.name for j in evidence.judged if j.verdict in {Verdict.EXTRA, Verdict.FOREIGN}]
    if extra:
        return NeedsHuman(
            "EXTRA_PERMISSION",
            f"Granted but not in the profile: {', '.join(extra)}.",
            "Remove it if nobody needs it; Keyturn never removes what it did not grant.",
        )
    return None


def _sign_in(evidence: Evidence) -> NeedsHuman | None:
    if evidence.secret_looks_like_id:
        return NeedsHuman(
            "SECRET_ID_NOT_VALUE",
            "The vault holds the secret's id, not its value, which is shown only once.",
            "Rotate the connection: a new secret is made, verified and published.",
        )
    if any(tried.token is None for tried in evidence.tokens):
        return NeedsHuman(
            "SECRET_REFUSED",
            "The published secret is refused by the token endpoint.",
            "Rotate the connection; if that fails too, look at the application in Entra ID.",
        )
    if wrong := sorted(name for tried in evidence.tokens for name in _difference(tried)):
        return NeedsHuman(
            "TOKEN_OLDER_THAN_CONSENT",
            f"A new token does not carry what was granted; the difference: {', '.join(wrong)}.",
            "Wait an hour and verify again; if it stays, compare the grants in Entra ID.",
        )
    return next((denied(read) for read in evidence.reads if not read.facts.allowed), None)


def lacking(tried: Tried) -> tuple[str, ...]:
    """What a token should carry and does not, in any letter case."""
    held = {role.lower() for role in tried.token.roles} if tried.token else set()
    return tuple(sorted(name for name in tried.expected if name.lower() not in held))


def _difference(tried: Tried) -> set[str]:
    roles = tried.token.roles if tried.token else frozenset()
    if tried.api in WITHOUT_ROLES:
        return set()
    known = {name.lower() for name in tried.expected}
    return {*lacking(tried), *(role for role in roles if role.lower() not in known)}


def denied(read: Read) -> NeedsHuman:
    """A refusal of Graph in full: some of them say nothing at all."""
    held = ", ".join(sorted(read.facts.roles)) or "none"
    needed = ALLOWED_BY.get(read.what)
    needs = f"one of {', '.join(sorted(needed))}" if needed else read.what
    return NeedsHuman(
        "EMPTY_403",
        f"Denied ({read.facts.said}). The token holds {held}; the call needs {needs}.",
        "The permission is granted and in the token, so something else denies it: look for a "
        "Conditional Access policy for workload identities, or a licence that the API needs; "
        "then verify again.",
    )
