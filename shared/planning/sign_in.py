"""Which APIs a connection gets tokens for, what they must carry, and what is read with them."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from shared.errors import NeedsHuman
from shared.model.connection import Spec, Value
from shared.model.credential import ReadFacts, TokenFacts
from shared.model.directory import GRAPH_APP_ID
from shared.model.profile import RESOURCES, Profile, fill
from shared.planning.templates import input_values

WITHOUT_ROLES = frozenset({RESOURCES["azure-devops"]})
"""APIs that pay no heed to application permissions: what is allowed is decided in them.

Source: Azure DevOps, "Use service principals and managed identities".
"""

_DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})

ALLOWED_BY: Mapping[str, frozenset[str]] = {
    "list_users": _DIRECTORY | {"User.Read.All", "User.ReadBasic.All", "User.ReadWrite.All"},
    "list_groups": _DIRECTORY | {"Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All"},
    "list_role_assignments": _DIRECTORY
    | {"RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"},
}
"""Checks that are one read of Graph, and the permissions of which one allows it."""


def expected_roles(
    profile: Profile, spec: Spec, permissions: Iterable[tuple[str, str]]
) -> dict[str, frozenset[str]]:
    """What a token must carry, for each API (application id) that one is asked for.

    A token carries the roles of one API only. *permissions* are the wanted application
    permissions as API and name. Where there is none, a token is asked for all the same: for
    the API that the profile's token broker names, or for Graph.
    """
    found: dict[str, set[str]] = {}
    for api, name in permissions:
        found.setdefault(api, set()).add(name)
    if not found:
        found[_brokered(profile, spec) or GRAPH_APP_ID] = set()
    return {
        api: frozenset() if api in WITHOUT_ROLES else frozenset(names)
        for api, names in found.items()
    }


def _brokered(profile: Profile, spec: Spec) -> str:
    """The API that the token broker asks for; empty when there is no broker."""
    if profile.token_broker is None:
        return ""
    scope = fill(profile.token_broker.scope, input_values(spec))
    return RESOURCES.get(scope.removesuffix("/.default"), "")


def reads(checks: Sequence[str], roles: frozenset[str]) -> tuple[str, ...]:
    """What is read to prove Graph's *roles*: the profile's checks, then what they leave open.

    A check that none of the roles allows is left out: a feature that is off needs no reading.
    """
    asked = [check for check in checks if roles & ALLOWED_BY.get(check, frozenset())]
    covered = frozenset[str]().union(*(ALLOWED_BY[check] for check in asked))
    return (*asked, *sorted(roles - covered))


GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

YOUNG = timedelta(minutes=10)
"""A secret that was published so recently may be unknown to some nodes."""

NOT_YET_ACTIVE = "SECRET_NOT_YET_ACTIVE"

MADE_ANEW = (
    "Nothing: a new secret is made, verified and published with the next sweep of rotations "
    "(POST /api/connections/{name}/rotation does it now). Enter it into the product where it has "
    "a form for it."
)


class Tried(Value, frozen=True):
    """A token that was asked for with the secret: None when the token endpoint knows it not."""

    api: str  # application id
    expected: frozenset[str]  # names of the application permissions that it must carry
    token: TokenFacts | None


class Read(Value, frozen=True):
    """A read that was made with a token: for a permission, or as a check of the profile."""

    what: str
    facts: ReadFacts


class SignIn(Value, frozen=True):
    """What became of signing in with the published secret."""

    served: bool  # the vault serves one
    lost: str = ""  # where it serves none: what became of the one that was published
    by_hand: bool = False  # the version that it serves has not our tags
    held: bool = True  # and the directory lists it
    hint: str = ""
    published: datetime | None = None
    expires: datetime | None = None
    word: str = "secret"  # or "certificate"
    looks_like_id: bool = False
    refused: NeedsHuman | None = None  # a refusal of the token endpoint that is final
    tokens: tuple[Tried, ...] = ()
    reads: tuple[Read, ...] = ()


def looks_like_id(value: str, key_id: str) -> bool:
    """Whether a secret's id was stored in place of its value, as people do (AADSTS7000215)."""
    return value == key_id or GUID.fullmatch(value) is not None


def sign_in_trouble(
    found: SignIn, extra: Collection[str], *, since: datetime | None, now: datetime
) -> NeedsHuman | None:
    """Why the product cannot sign in or read; *extra* are grants that nobody wants."""
    unusable = _unusable(found, since, now)
    if unusable is not None:
        return unusable
    if wrong := sorted({name for tried in found.tokens for name in _difference(tried, extra)}):
        return NeedsHuman(
            "TOKEN_OLDER_THAN_CONSENT",
            f"A new token does not carry what was granted; the difference: {', '.join(wrong)}.",
            "Wait an hour and verify again, and restart the product: a token keeps the roles of "
            "its first moment; if it stays, compare the grants in Entra ID.",
        )
    return next((denied(read) for read in found.reads if not read.facts.allowed), None)


def _unusable(found: SignIn, since: datetime | None, now: datetime) -> NeedsHuman | None:
    """What is wrong with the secret itself."""
    if not found.served:
        lost = f": {found.lost}" if found.lost else ""
        return NeedsHuman("SECRET_MISSING", f"The vault serves no secret{lost}.", MADE_ANEW)
    if found.looks_like_id:
        return NeedsHuman(
            "SECRET_ID_NOT_VALUE",
            "The stored value is the secret's ID, not its value, which is shown once only.",
            MADE_ANEW,
        )
    if found.by_hand:
        return NeedsHuman(
            "SECRET_MISSING",
            "The vault serves a version that was put there by hand, or whose tags were taken "
            "away: it is not known to belong to a secret of the application.",
            MADE_ANEW,
        )
    if found.expires is not None and found.expires <= now:
        good = f" Last good check {since:%Y-%m-%d}." if since else ""
        return NeedsHuman(
            "SECRET_EXPIRED",
            f"{found.word.capitalize()} {found.hint} expired on {found.expires:%Y-%m-%d}.{good}",
            MADE_ANEW,
        )
    if not found.held:
        return NeedsHuman(
            "SECRET_MISSING",
            f"The application has no {found.word} {found.hint} any more: somebody removed it.",
            MADE_ANEW,
        )
    if found.refused is not None:
        return found.refused
    if _signed_in(found):
        return None
    if found.published is not None and now < found.published + YOUNG:
        return NeedsHuman(
            NOT_YET_ACTIVE,
            f"The new {found.word} is not active yet.",
            "Verify again in some minutes; if it stays, rotate the connection.",
        )
    return NeedsHuman(
        "SECRET_MISSING",
        "The token endpoint refuses the value in the vault: it is that of no live secret.",
        MADE_ANEW,
    )


def _signed_in(found: SignIn) -> bool:
    """Each time: any node of the token endpoint may be asked, and some may not know it yet."""
    tokens = all(tried.token is not None for tried in found.tokens)
    return tokens and all(read.facts.signed_in for read in found.reads)


def lacking(tried: Tried) -> tuple[str, ...]:
    """What a token should carry and does not, in any letter case."""
    held = {role.lower() for role in tried.token.roles} if tried.token else set()
    return tuple(sorted(name for name in tried.expected if name.lower() not in held))


def _difference(tried: Tried, extra: Collection[str]) -> set[str]:
    if tried.api in WITHOUT_ROLES or tried.token is None:
        return set()
    known = {name.lower() for name in (*tried.expected, *extra)}
    return {*lacking(tried), *(role for role in tried.token.roles if role.lower() not in known)}


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
