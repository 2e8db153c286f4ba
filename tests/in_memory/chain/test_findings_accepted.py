"""What people decide about findings: accepted for a time or for good, and what cannot be."""

from datetime import timedelta

import pytest

from shared import onboarding, operations
from shared.model.connection import Status
from shared.onboarding.rejected import Rejected
from shared.requests.decisions import Wish
from tests.fakes.drive import drive
from tests.in_memory.chain.drifts import application, grant, revoke, secret, verify
from tests.in_memory.chain.findings import (
    DRIFTS,
    EVE,
    Change,
    decide,
    elsewhere,
    events,
    owner,
    scopes,
    states,
    the_one,
)
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.world import NAME, connection

pytestmark = pytest.mark.requirement("X-08", "X-09")


async def test_what_an_approver_accepts_is_no_trouble_until_it_changes() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    await decide(ctx, "accept", await the_one(ctx))
    shown = await verify(ctx)
    assert shown.status == Status.TRUE
    assert "Accepted: Mail.Send by eve" in shown.message
    assert await states(ctx) == ["approved"]
    assert len(events(ctx, "reported")) == 1
    revoke(ctx, "Mail.Send")
    await verify(ctx)
    grant(ctx, "Mail.Send")
    assert (await verify(ctx)).status == Status.FALSE
    assert await states(ctx) == ["open"]


async def test_an_acceptance_ends_on_its_day() -> None:
    ctx = await onboarded()
    owner(ctx)
    await verify(ctx)
    until = (ctx.clock.now() + timedelta(days=3)).date()
    await decide(ctx, "accept", await the_one(ctx), until=until)
    assert f"until {until}" in (await verify(ctx)).message
    assert (await verify(ctx)).status == Status.FALSE
    assert await states(ctx) == ["open"]


ACCEPTED: dict[str, Change] = {
    name: happen for name, (happen, _, verdict, _, _) in DRIFTS.items() if verdict != "missing"
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_everything_that_is_there_besides_can_be_accepted_and_stays(name: str) -> None:
    ctx = await onboarded()
    ACCEPTED[name](ctx)
    await verify(ctx)
    await decide(ctx, "accept", await the_one(ctx))
    assert (await verify(ctx)).status == Status.TRUE
    before = application(ctx).wanted
    ctx.clock.advance(days=1)
    await operations.start(ctx, NAME, "onboard", "again", asked_by="test", reason="requested")
    await drive(ctx)
    assert application(ctx).wanted == before


@pytest.mark.diagnosis("FINDING_NOT_ACCEPTABLE", "FINDING_NOT_REMOVABLE", "FINDING_CLOSED")
async def test_decisions_that_cannot_be_had() -> None:
    for happen, choice, code in (
        (lambda ctx: revoke(ctx, "User.Read.All"), "accept", "FINDING_NOT_ACCEPTABLE"),
        (lambda ctx: revoke(ctx, "User.Read.All"), "remove", "FINDING_NOT_REMOVABLE"),
        (elsewhere, "remove", "FINDING_NOT_REMOVABLE"),
        (lambda ctx: scopes(ctx, "Mail.Send", user="u-1"), "remove", "FINDING_NOT_REMOVABLE"),
        (lambda ctx: secret(ctx, "x", age=timedelta(1)), "remove", "FINDING_NOT_REMOVABLE"),
        (owner, "remove", "FINDING_NOT_REMOVABLE"),
    ):
        ctx = await onboarded()
        happen(ctx)
        await verify(ctx)
        with pytest.raises(Rejected) as refused:
            await decide(ctx, choice, await the_one(ctx))  # type: ignore[arg-type] # a choice
        assert refused.value.problem.code == code
        assert refused.value.problem.hint
        assert (await connection(ctx)).decisions == {}


async def test_a_decision_while_a_verification_runs_is_acted_upon_by_the_next() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    finding = await the_one(ctx)
    await onboarding.run(ctx, NAME, "verify", "in-flight", asked_by="test")
    wish = Wish(choice="accept", reason="CHG-9")
    made = await onboarding.decide(
        ctx, NAME, finding.fingerprint, wish, asked_by="eve", principal=EVE
    )
    assert made.operation is None
    await drive(ctx)
    assert await states(ctx) == ["approved"]
