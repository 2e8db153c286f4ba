"""A product that signs in with a federated credential: a trust on the application, no secret."""

import pytest
from msgspec.structs import replace

from shared import onboarding
from shared.errors import TryLater
from shared.model.connection import Aspect, Status
from shared.onboarding import Rejected
from shared.requests import Emergency
from tests.fakes import FakeContext, fake_context
from tests.in_memory.chain.drifts import application
from tests.in_memory.chain.products import condition, onboard, run

NAME = "teleport-entra"


async def onboarded() -> FakeContext:
    ctx = fake_context()
    await onboard(ctx, NAME)
    return ctx


async def test_the_application_trusts_the_products_issuer() -> None:
    ctx = fake_context()
    made = await onboard(ctx, NAME)
    (row,) = application(ctx).federated
    assert row.trust.name == "teleport-oidc"
    assert row.trust.issuer == "https://teleport.contoso.example"
    assert row.trust.subject == "teleport-azure"
    assert row.trust.audiences == ("api://AzureADTokenExchange",)
    assert row.trust.description == "Teleport OIDC Identity Provider"
    ready = condition(made, Aspect.CREDENTIAL_READY)
    assert (ready.status, ready.reason) == (Status.TRUE, "FEDERATED")
    assert "no secret" in ready.message


async def test_there_is_no_secret_anywhere_and_nothing_waits_for_one() -> None:
    ctx = fake_context()
    made = await onboard(ctx, NAME)
    assert ctx.tenant.issued == []
    assert ctx.vault.versions == {}
    assert made.credential is None
    assert {c.status for c in made.conditions} == {Status.TRUE}
    assert "no token was tried" in condition(made, Aspect.VERIFIED).message
    assert "rotate" not in await ctx.ledger.due_times(NAME)
    assert not ctx.tenant.faults.count("tokens.obtain")


@pytest.mark.requirement("X-03")
async def test_a_lost_answer_makes_no_second_one() -> None:
    ctx = fake_context()
    ctx.tenant.fail("federation.add", TryLater("GRAPH_UNAVAILABLE", "503"), after_effect=True)
    ctx.tenant.lag = 2
    await onboard(ctx, NAME)
    assert len(application(ctx).federated) == 1


@pytest.mark.parametrize("part", ["gone", "issuer", "subject"])
async def test_what_somebody_changed_is_told_and_put_right_on_request(part: str) -> None:
    ctx = await onboarded()
    rows = application(ctx).federated
    if part == "gone":
        rows.clear()
    else:
        rows[0].trust = replace(rows[0].trust, **{part: "https://evil.example"})
    verified = condition(await run(ctx, NAME, "verify"), Aspect.VERIFIED)
    assert (verified.status, verified.reason) == (Status.FALSE, "SECRET_MISSING")
    assert "teleport-oidc" in verified.message
    assert part in verified.message
    assert verified.remedy
    again = await onboard(ctx, NAME)
    assert condition(again, Aspect.VERIFIED).status == Status.TRUE
    (row,) = application(ctx).federated
    assert row.trust.subject == "teleport-azure"
    assert row.trust.issuer == "https://teleport.contoso.example"


async def test_a_rotation_is_refused_as_there_is_nothing_to_rotate() -> None:
    ctx = await onboarded()
    with pytest.raises(Rejected) as refused:
        await run(ctx, NAME, "rotate")
    assert refused.value.problem.code == "FEATURE_OFF"
    assert "no secret" in refused.value.problem.message


async def test_an_emergency_is_refused_as_well() -> None:
    """Whose tokens are trusted is decided in the product, and in Entra ID."""
    ctx = await onboarded()
    wish = Emergency(reason="the issuer's key was stolen", options=())
    with pytest.raises(Rejected) as refused:
        await onboarding.replace_now(ctx, NAME, wish, "urgent-1", asked_by="ana")
    assert refused.value.problem.code == "FEATURE_OFF"
    assert len(application(ctx).federated) == 1
