"""What a plan says of the time after onboarding: secrets, scans, and the automation's rights."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from shared.model.connection import Connection, Spec
from shared.model.profile import Profile
from shared.planning.discovery import is_wanted
from shared.planning.discovery_permissions import wanted_rights
from shared.planning.discovery_schedule import recurrence
from shared.planning.lifetime import due_at, policy_of, rotated_elsewhere
from shared.planning.need import Need, unmet
from shared.planning.plan_parts import PlannedCredential, PlannedDiscovery, PlannedNeed, ScanRight
from shared.planning.preflight import Gathered
from shared.planning.privileges import GLOBAL_ADMINISTRATOR

START = datetime(2000, 1, 1, tzinfo=UTC)
"""Any day: only how long lives last is told."""


def credential(profile: Profile, connection: Connection, seen: Gathered) -> PlannedCredential:
    kind = profile.credential.kind
    if not profile.credential.kept:
        return PlannedCredential(kind=kind)
    policy = policy_of(profile, connection.spec)
    longest = seen.rules.longest if seen.rules is not None else None
    life = policy.lifetime if longest is None else min(policy.lifetime, timedelta(days=longest))
    rotated = due_at(policy, START, START + life) - START
    return PlannedCredential(
        kind=kind,
        days_asked=_days(policy.lifetime),
        days=_days(life),
        rotated_after=_days(rotated),
        overlap=_days(policy.overlap),
        elsewhere=rotated_elsewhere(profile, connection.spec),
    )


def discovery(
    profile: Profile, connection: Connection, held: Collection[str] | None
) -> PlannedDiscovery | None:
    """*held* are the permissions of the identity that scans; None when they are not known."""
    wanted = profile.discovery
    if wanted is None or not is_wanted(wanted, connection.spec.features):
        return None
    chosen = connection.spec.inputs.get("search_mode")
    repeats = recurrence(wanted, connection.spec.inputs)
    rights = scan_rights(profile, connection.spec, held)
    return PlannedDiscovery(
        modes=(str(chosen),) if chosen else wanted.modes,
        entities=wanted.entities,
        every_hours=round(repeats.every.total_seconds() / 3600, 2) if repeats else None,
        then=wanted.result_state,
        permissions=rights,
        missing=tuple(dict.fromkeys(r.permission for r in rights if r.granted is False)),
    )


def scan_rights(
    profile: Profile, spec: Spec, held: Collection[str] | None
) -> tuple[ScanRight, ...]:
    return tuple(
        ScanRight(
            source=right.source,
            permission=right.need.permission,
            instead=right.need.instead,
            why=right.need.why,
            required=right.need.required,
            granted=None if held is None else right.granted(held),
        )
        for right in wanted_rights(profile, spec)
    )


def automation(needs: tuple[Need, ...], seen: Gathered) -> tuple[PlannedNeed, ...]:
    lacking = unmet(needs, seen.own) if seen.own is not None else ()
    return tuple(
        PlannedNeed(
            permission=need.permission,
            why=need.why,
            required=need.required,
            held=None if seen.own is None else need not in lacking,
            global_administrator=need.permission in GLOBAL_ADMINISTRATOR,
        )
        for need in needs
    )


def _days(span: timedelta) -> float:
    return round(span.total_seconds() / 86400, 2)
