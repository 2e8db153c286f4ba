"""What an import says of itself: counts that add up, reasons, warnings."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.structs import replace

from shared.model.imports import ImportRow, ImportSummary, UserStore, Warned
from shared.model.profile import DiscoveryPolicy
from shared.planning.import_people import mfa_blocked, some

MFA_SKIPPED = "MFA_USER_SKIPPED"


def tallied(
    running: ImportSummary,
    rows: Sequence[ImportRow],
    warnings: tuple[Warned, ...],
    now: datetime,
) -> ImportSummary:
    """The summary of an import that is over."""
    counted = [row for row in rows if row.counted]
    states = [row.state for row in counted]
    reasons: dict[str, int] = {}
    for row in rows:
        if row.reason:
            code = row.reason.partition(":")[0]
            reasons[code] = reasons.get(code, 0) + 1
    kinds = [row.kind for row in rows if row.state == "imported"]
    return replace(
        running,
        state="partial" if "failed" in states else "succeeded",
        finished=now,
        input=len(counted),
        imported=states.count("imported"),
        failed=states.count("failed"),
        skipped=states.count("skipped"),
        duplicate=states.count("duplicate"),
        removed=sum(row.state == "removed" for row in rows),
        groups=kinds.count("group"),
        edges=kinds.count("edge"),
        memberships=kinds.count("membership"),
        reasons=dict(sorted(reasons.items())),
        warnings=warnings,
    )


def mfa_policy(discovery: DiscoveryPolicy | None) -> str:
    """``skip``, ``warn`` or ``ignore``: what a profile does with users who registered MFA."""
    rules = discovery.skip if discovery else ()
    return next((rule.policy for rule in rules if rule.fact == "mfa_registered"), "ignore")


def role_warnings(wanted: Mapping[str, str], store: UserStore) -> Iterable[Warned]:
    known = {user.user_principal_name.casefold() for user in store.present()}
    strangers = sorted(set(wanted) - known)
    if strangers:
        yield Warned(
            code="USER_NOT_FOUND",
            message=f"Roles were given for users who were not imported: {some(strangers)}.",
            next_step="Correct the names, or import these users.",
        )


def mfa_warnings(store: UserStore, mfa: str, rows: Sequence[ImportRow]) -> Iterable[Warned]:
    skipped = sum(row.reason == MFA_SKIPPED for row in rows)
    if skipped:
        yield Warned(
            code=MFA_SKIPPED,
            message=f"{skipped} users skipped: MFA.",
            next_step="None, unless the product shall have them: it takes only users without MFA.",
        )
    blocked = [user.user_principal_name for user in store.present() if user.mfa]
    if blocked and mfa == "warn":
        yield mfa_blocked(blocked)
