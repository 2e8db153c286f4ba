"""An application that was there before us, with secrets whose values nobody stored."""

from datetime import timedelta

import pytest

from functions.sweeps import sweep
from shared.model.connection import Aspect, Status
from shared.model.directory import WantedApplication
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.tenant import ApplicationRow, PrincipalRow
from tests.in_memory.chain.drifts import application, secret
from tests.in_memory.chain.products import condition, onboard, run

NAME = "pandium"
CLIENT = "c11e47aa-0000-4000-8000-000000000001"


async def adopted(*, hurried: bool = False) -> FakeContext:
    """An application of our own making would have our tags; this one has a secret by hand."""
    ctx = fake_context(pace=0.0, write_spacing=timedelta(0)) if hurried else fake_context()
    tenant = ctx.tenant
    plain = WantedApplication(
        unique_name="",
        display_name="Integration",
        audience="AzureADMyOrg",
        public_client=False,
        web_redirects=(),
        native_redirects=(),
        spa_redirects=(),
        configured=frozenset(),
        tags=(),
    )
    row = ApplicationRow(wanted=plain, created=ctx.clock.now(), client_id=CLIENT)
    row.owners.add(tenant.own_principal)
    tenant.applications["by hand"] = row
    tenant.principals[CLIENT] = PrincipalRow(client_id=CLIENT, name="Integration")
    secret(ctx, "by hand", age=timedelta(days=100))
    inputs = {"scope": "microsoft-graph", "app_client_id": CLIENT}
    made = await onboard(ctx, NAME, inputs=inputs)
    assert {c.status for c in made.conditions} == {Status.TRUE}, made.conditions
    return ctx


@pytest.mark.requirement("A-03", "A-06", "X-13")
@pytest.mark.diagnosis("SECRET_VALUE_UNKNOWN")
async def test_ours_is_added_and_theirs_is_listed_and_stays() -> None:
    ctx = await adopted()
    by_hand, ours = application(ctx).secrets
    served = await ctx.vault.current(NAME)
    assert served is not None and served.key_id == ours.id
    for _ in range(2):
        ctx.clock.advance(days=2)
        await sweep(ctx, "token")
        await drive(ctx)
        verified = condition(
            await run(ctx, NAME, "verify", later=timedelta(minutes=1)), Aspect.VERIFIED
        )
        assert verified.status == Status.TRUE, verified
        assert "SECRET_VALUE_UNKNOWN" in verified.message
        assert by_hand.id in verified.message
    await run(ctx, NAME, "rotate")
    assert by_hand in application(ctx).secrets


async def test_what_came_with_it_is_known_however_fast_the_step_goes_on() -> None:
    ctx = await adopted(hurried=True)
    known = await ctx.ledger.connection(NAME)
    assert known is not None
    assert [stray.came_with for stray in known.strays] == [True]


@pytest.mark.diagnosis("TWO_ROTATORS")
async def test_one_that_appears_after_ours_is_a_second_rotator() -> None:
    ctx = await adopted()
    late = secret(ctx, "another tool", age=timedelta(days=-1))
    verified = condition(await run(ctx, NAME, "verify"), Aspect.VERIFIED)
    assert (verified.status, verified.reason) == (Status.FALSE, "TWO_ROTATORS")
    assert late.id in verified.message


@pytest.mark.requirement("A-05", "A-06")
async def test_a_repeated_request_makes_no_second_secret() -> None:
    ctx = await adopted()
    await onboard(ctx, NAME, inputs={"scope": "microsoft-graph", "app_client_id": CLIENT})
    assert len(application(ctx).secrets) == 2
