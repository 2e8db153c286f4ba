"""What a verification finds is kept, told once a day, and closed."""

import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman
from shared.model.connection import Status
from shared.model.finding import AuditEntry
from shared.planning.findings import MOST, MOST_CLOSED
from tests.fakes.drive import drive
from tests.in_memory.chain.drifts import grant, permission, principal, revoke, verify
from tests.in_memory.chain.findings import (
    DRIFTS,
    events,
    findings,
    history,
    scopes,
    states,
    the_one,
)
from tests.in_memory.chain.test_drift import disabled
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.world import NAME

pytestmark = pytest.mark.requirement("X-08", "X-09")


@pytest.mark.diagnosis("OWNER_EXTRA", "AUTOMATION_NOT_OWNER")
@pytest.mark.parametrize("name", DRIFTS)
async def test_every_drift_is_a_finding(name: str) -> None:
    happen, what, verdict, code, words = DRIFTS[name]
    ctx = await onboarded()
    assert await findings(ctx) == []
    happen(ctx)
    shown = await verify(ctx)
    assert (shown.status, shown.reason) == (Status.FALSE, code)
    found = await the_one(ctx)
    assert (found.item.what, found.verdict, found.code) == (what, verdict, code)
    assert words in found.name and found.remedy
    assert len(events(ctx, "reported")) == len(await history(ctx, "finding.opened")) == 1


async def test_a_finding_is_told_once_a_day_and_its_end_once() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    first = await the_one(ctx)
    await onboarding.run(ctx, NAME, "verify", "same-day", asked_by="test")
    await drive(ctx)
    assert events(ctx, "reported") == [f"{first.fingerprint}:{ctx.clock.now():%Y-%m-%d}"]
    await verify(ctx)
    assert len(events(ctx, "reported")) == 2
    assert (await the_one(ctx)).first_seen == first.first_seen
    revoke(ctx, "Mail.Send")
    assert (await verify(ctx)).status == Status.TRUE
    assert (await the_one(ctx)).closed_why == "gone"
    await verify(ctx)
    assert len(events(ctx, "closed")) == len(await history(ctx, "finding.closed")) == 1
    assert len(events(ctx, "reported")) == 2


async def test_a_blink_is_no_finding() -> None:
    ctx = await onboarded()
    row = principal(ctx).grants[0]
    row.hidden = 3  # reads; then every replica has it
    assert (await verify(ctx)).status == Status.TRUE
    assert await findings(ctx) == []


async def test_while_the_application_is_gone_nothing_else_is_closed() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    disabled(ctx)
    await verify(ctx)
    assert await states(ctx) == ["open", "open"]


async def test_a_grant_of_just_now_is_judged_when_it_has_settled() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    ctx.clock.advance(days=2)
    principal(ctx).grants[-1].created = ctx.clock.now()
    await onboarding.run(ctx, NAME, "verify", "soon", asked_by="test")
    await drive(ctx)
    assert await findings(ctx) == []
    ctx.clock.advance(minutes=3)
    assert await sweep(ctx, "verify") == 1
    await drive(ctx)
    assert (await the_one(ctx)).name == "Mail.Send"


async def test_who_did_it_is_told_where_the_log_can_be_read() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    about = permission(ctx, "Mail.Send").key.id
    logged = AuditEntry(
        activity="Add app role assignment to service principal",
        at=ctx.clock.now(),
        name="mallory@contoso.example",
        id="m-1",
        about=f'"{about}"',
    )
    ctx.tenant.logged[principal(ctx).id] = [logged]
    await verify(ctx)
    actor = (await the_one(ctx)).actor
    assert actor is not None and (actor.name, actor.at) == (logged.name, logged.at)
    (told,) = [e for e in ctx.outbox.events if e.type == "keyturn.finding.reported"]
    assert told.data["changed_by"]["name"] == logged.name
    await verify(ctx)
    assert (await the_one(ctx)).actor == actor


@pytest.mark.parametrize("silent", ["refused", "no right", "empty"])
async def test_without_the_log_nobody_is_named_and_nothing_is_lost(silent: str) -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    if silent == "refused":
        refused = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "grant it")
        ctx.tenant.fail("audit_log.entries", refused, times=9)
    elif silent == "no right":
        ctx.tenant.own_roles -= {"AuditLog.Read.All"}
    assert (await verify(ctx)).reason == "EXTRA_PERMISSION"
    assert (await the_one(ctx)).actor is None
    asked = ctx.tenant.faults.count("audit_log.entries")
    assert asked == (0 if silent == "no right" else 1)


async def test_a_connection_holds_so_many_findings_and_no_more() -> None:
    ctx = await onboarded()
    scopes(ctx, *(f"Scope.{n}" for n in range(300)))
    await verify(ctx)
    assert len(await findings(ctx)) == MOST
    principal(ctx).delegated.clear()
    await verify(ctx)
    assert len(await findings(ctx)) == MOST_CLOSED
