"""What the scans of a connection do, and which permissions they need and lack."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from shared.context import Context
from shared.dry_run import seen_rights
from shared.errors import TryLater
from shared.model.accounts import Summary
from shared.model.connection import FINISHED, Spec, Value
from shared.planning import discovery as plan
from shared.planning import discovery_schedule as schedule
from shared.planning.discovery_options import options
from shared.planning.plan_parts import ScanRight
from shared.planning.plan_upkeep import scan_rights
from shared.profile import Profile, catalogue


class Definition(Value, frozen=True, omit_defaults=False):
    """What scans of a connection do: its configuration, as stored with the connection (D-13)."""

    name: str
    mode: str
    filter: tuple[str, ...]
    units: tuple[str, ...]  # of roles: only what is scoped to these administrative units
    entities: tuple[str, ...]
    attributes: tuple[str, ...]
    guests: bool
    disabled: bool
    service_principals: bool  # of groups and roles; `entities` says it of whole kinds
    mfa: bool  # whether the report of registered methods is read
    roles: bool  # whether each account's roles are read, whatever is searched
    every: timedelta | None
    start: datetime | None
    start_on_save: bool
    next: datetime | None  # when the next scan is due
    tracked: bool  # scans read only what has changed, where they can
    result_state: str  # what becomes of the rows: review | import | export
    permissions: tuple[ScanRight, ...]
    missing: tuple[str, ...]  # permissions that are not granted, as far as anybody has seen


async def define(
    ctx: Context, spec: Spec, due: datetime | None, runs: Sequence[Summary]
) -> Definition | None:
    """None for a connection that does not scan; *runs* are its runs, newest first."""
    profile = catalogue().get(spec.profile)
    policy = profile.discovery if profile else None
    if profile is None or policy is None or not plan.is_wanted(policy, spec.features):
        return None
    wanted, chosen = plan.search(spec.inputs, policy.modes), options(spec.inputs)
    repeats = schedule.recurrence(policy, spec.inputs)
    whole = not plan.is_chosen(wanted)
    readings = plan.readings(wanted, policy, spec.inputs) if whole else ()
    rights = await _rights(ctx, profile, spec, runs)
    return Definition(
        name=wanted.configuration,
        mode=wanted.mode,
        filter=wanted.names,
        units=chosen.units,
        entities=tuple(reading.kind for reading in readings) or ("user",),
        attributes=tuple(spec.inputs.get("attributes") or policy.attributes),
        guests=chosen.guests,
        disabled=chosen.disabled,
        service_principals=chosen.service_principals,
        mfa=chosen.mfa,
        roles=chosen.roles or wanted.mode == "roles",
        every=repeats.every if repeats else None,
        start=repeats.start if repeats else None,
        start_on_save=schedule.starts_on_save(policy.schedule, spec.inputs),
        next=due,
        tracked=policy.delta is not None and whole,
        result_state=policy.result_state,
        permissions=rights,
        missing=tuple(dict.fromkeys(r.permission for r in rights if r.granted is False)),
    )


async def _rights(
    ctx: Context, profile: Profile, spec: Spec, runs: Sequence[Summary]
) -> tuple[ScanRight, ...]:
    """By the token of the identity that scans; where that cannot be seen, by the last run."""
    try:
        held = await seen_rights(ctx)
    except TryLater:  # what is scanned can be told all the same
        held = None
    rights = scan_rights(profile, spec, held)
    if held is not None:
        return rights
    last = next((run for run in runs if run.state in FINISHED), None)
    lacking = {source.missing for source in last.sources} if last else set()
    return tuple(
        msgspec.structs.replace(right, granted=False) if right.permission in lacking else right
        for right in rights
    )
