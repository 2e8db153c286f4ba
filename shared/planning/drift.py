"""What has changed in the tenant since a connection was made, in words and with a remedy."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from shared.errors import NeedsHuman
from shared.model.directory import (
    Application,
    Kind,
    Permission,
    PermissionKey,
    Principal,
    WantedApplication,
)
from shared.model.finding import Item
from shared.model.profile import RETIRED
from shared.planning import registration_problems as problems
from shared.planning.application import (
    AUDIENCE,
    CONFIGURED,
    NATIVE,
    PUBLIC_CLIENT,
    SPA,
    WEB,
    differences,
    spare,
)
from shared.planning.consent import BY_HAND, Judged, Verdict, key_text
from shared.planning.ownership import Owners

CODES = {
    AUDIENCE: "AUDIENCE_TOO_WIDE",
    PUBLIC_CLIENT: "PUBLIC_FLOW_OFF",
    WEB: "REDIRECT_MISMATCH",
    NATIVE: "REDIRECT_MISMATCH",
    SPA: "REDIRECT_MISMATCH",
    CONFIGURED: "CONSENT_DRIFT",
}
"""The condition's reason for each part of a registration that differs."""

AGAIN = "Correct it in Entra ID, then verify the connection again."
SEND_AGAIN = "Send the onboarding request again, which puts it back, or correct it in Entra ID."
NOT_OURS = (
    "Remove it if nobody needs it; Keyturn removes what it did not grant only when an approver "
    "says so, and a consent of one user or on another API never."
)
REMOVE_OWNER = (
    "An owner can add secrets and act as the product: remove it under Owners if nobody needs it, "
    "or have an approver accept it."
)
RETIREMENT = (
    "Remove the permissions on Azure AD Graph, which answers nobody any more; what the product "
    "needs is granted on Microsoft Graph."
)
OTHER_WORDS = {Kind.APPLICATION: "Delegated", Kind.DELEGATED: "Application"}


def gone(
    application: Application | None, principal: Principal | None, deleted: datetime | None
) -> NeedsHuman | None:
    """Without these there is nothing else to look at."""
    if application is None:
        return problems.deleted(deleted)
    if principal is None or not principal.enabled:
        return NeedsHuman(
            "SP_DISABLED",
            "The service principal is disabled or gone: the product cannot sign in.",
            "Enable it under Enterprise applications if this was not on purpose.",
        )
    return None


def registration(
    wanted: WantedApplication,
    application: Application,
    permissions: Sequence[Permission],
    offered: Sequence[Permission],
    *,
    adopted: bool,
) -> Iterator[NeedsHuman]:
    """How the registration differs; what an adopted one has besides is no difference."""
    wrong = [name for name in differences(wanted, application) if name in CODES]
    plain = [name for name in wrong if CODES[name] != "CONSENT_DRIFT"]
    if plain:
        yield NeedsHuman(
            CODES[plain[0]], f"Not as the profile wants it: {', '.join(plain)}.", SEND_AGAIN
        )
    if len(plain) == len(wrong):
        return
    configured = application.configured
    retired = any(key.resource == RETIRED for key in configured)
    if retired:
        yield NeedsHuman(
            "RETIRED_API", "The registration still uses the retired Azure AD Graph.", RETIREMENT
        )
    lacking = [p for p in permissions if p.key not in configured]
    yield from _kinds([p for p in lacking if other_kind(p, offered, configured)])
    absent = [p.name for p in lacking if not other_kind(p, offered, configured)]
    extra = [key for key in spare(wanted, application) if key.resource != RETIRED]
    more = [] if adopted else sorted(name_of(key, offered) for key in extra)
    if absent or (more and not lacking):
        yield NeedsHuman("CONSENT_DRIFT", _configured(absent, more), SEND_AGAIN)


def _configured(absent: list[str], more: list[str]) -> str:
    parts = [f"not asked for any more: {', '.join(sorted(absent))}"] if absent else []
    parts += [f"asked for, not in the profile: {', '.join(more)}"] if more else []
    return f"The configured permissions differ: {'; '.join(parts)}."


def _kinds(wrong: Sequence[Permission]) -> Iterator[NeedsHuman]:
    if not wrong:
        return
    names = ", ".join(sorted(p.name for p in wrong))
    kind = wrong[0].key.kind
    needs = (
        "this connector runs without a user and needs Application"
        if kind == Kind.APPLICATION
        else "this connector acts for its users and needs Delegated"
    )
    yield NeedsHuman(
        "PERM_KIND",
        f"{names} was added as {OTHER_WORDS[kind]}; {needs}.",
        "Send the onboarding request again: the right kind is added and granted; remove the "
        "other one by hand.",
    )


def other_kind(
    wanted: Permission, offered: Sequence[Permission], there: Collection[PermissionKey]
) -> bool:
    """Whether the same name is there in the other kind."""
    return any(
        p.key in there
        for p in offered
        if p.name == wanted.name
        and p.key.resource == wanted.key.resource
        and p.key.kind != wanted.key.kind
    )


def name_of(key: PermissionKey, offered: Sequence[Permission]) -> str:
    name = next((p.name for p in offered if p.key == key), f"{key.resource}/{key.id}")
    return f"{name} (delegated)" if key.kind == Kind.DELEGATED else name


def access(
    judged: Sequence[Judged],
    permissions: Sequence[Permission],
    given: Collection[str],
    *,
    since: datetime | None,
) -> Iterator[NeedsHuman]:
    """What is wanted and not granted: never granted, or granted by us and revoked since."""
    missing = [j.name for j in judged if j.verdict == Verdict.MISSING]
    if not missing:
        return
    ours = {p.name for p in permissions if key_text(p.key) in given}
    revoked = sorted({name for name in missing if name in ours})
    never = sorted({name for name in missing if name not in ours})
    if never:
        yield NeedsHuman(
            "CONSENT_MISSING",
            f"{len(never)} of {len(permissions)} permissions have no admin consent: "
            f"{', '.join(never)}.",
            f"{SEND_AGAIN} {BY_HAND}",
        )
    if revoked:
        when = f" since {since:%Y-%m-%d}" if since else ""
        yield NeedsHuman("CONSENT_DRIFT", f"Removed{when}: {', '.join(revoked)}.", SEND_AGAIN)


def ownership(owners: Owners, *, adopted: bool, quiet: Collection[Item]) -> Iterator[NeedsHuman]:
    """Whether we may still write to it, and who else may."""
    if owners.own_missing:
        yield NeedsHuman(
            "AUTOMATION_NOT_OWNER",
            f"The automation {owners.own} no longer owns the application: it can renew no secret.",
            "Have one of the application's owners add it as an owner; under the policy repair it "
            "adds itself where its permissions reach so far.",
        )
    if missing := owners.missing:
        names = ", ".join(owners.name(one) for one in missing)
        yield NeedsHuman("OWNER_MISSING", f"No owners any more: {names}.", SEND_AGAIN)
    extra = [] if adopted else [item for item in owners.extra if item not in quiet]
    if extra:
        told = ", ".join(dict.fromkeys(item.id for item in extra))
        yield NeedsHuman(
            "OWNER_EXTRA", f"Owners that the profile does not name: {told}.", REMOVE_OWNER
        )


def surplus(
    judged: Sequence[Judged], roles: Sequence[str], *, adopted: bool
) -> Iterator[NeedsHuman]:
    """What is granted and not wanted; on an adopted application that is information only."""
    retired = [j.name for j in judged if j.verdict == Verdict.RETIRED]
    if retired:
        yield NeedsHuman(
            "RETIRED_API",
            f"Permissions are granted on the retired Azure AD Graph: {', '.join(retired)}.",
            RETIREMENT,
        )
    if adopted:
        return
    extra = [j.name for j in judged if j.verdict in {Verdict.EXTRA, Verdict.FOREIGN}]
    if extra:
        yield NeedsHuman(
            "EXTRA_PERMISSION", f"Granted but not in the profile: {', '.join(extra)}.", NOT_OURS
        )
    if roles:
        yield NeedsHuman(
            "EXTRA_PERMISSION",
            f"Directory roles held but not in the profile: {', '.join(roles)}.",
            NOT_OURS,
        )


def besides(judged: Sequence[Judged], roles: Sequence[str]) -> str:
    """A sentence on what an adopted application has of its own."""
    names = [j.name for j in judged if j.verdict in {Verdict.EXTRA, Verdict.FOREIGN}]
    names += roles
    return f" EXTRA_PERMISSION: it also has, and keeps, {', '.join(names)}." if names else ""
