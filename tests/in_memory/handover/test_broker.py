"""An access token is kept fresh in the vault, and its six values are of one token."""

from datetime import timedelta

import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Aspect, Connection
from shared.model.credential import Masked
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.handover.products import condition, known, onboarded
from tests.in_memory.http.client import SIGN_IN, Client

NAME = "pandium-prod"
PREFIX = f"{NAME}--PAN-SEC-MICROSOFT-ENTRA-"
NAMES = {"TENANT-ID", "TOKEN-TYPE", "EXPIRES-AT", "EXPIRES-IN", "EXT-EXPIRES-IN", "ACCESS-TOKEN"}
TOKEN = PREFIX + "ACCESS-TOKEN"


def tokens_of(ctx: FakeContext) -> set[str]:
    """The tags by which a reader sees that the values belong together."""
    return {ctx.vault.versions[PREFIX + name][-1].tags["token"] for name in NAMES}


async def refreshed(ctx: FakeContext) -> Connection:
    """Let time pass until the token is due, and the timer refresh it."""
    ctx.clock.reach((await ctx.ledger.due_times(NAME))["token"])
    await sweep(ctx, "token")
    await drive(ctx)
    return await known(ctx, NAME)


@pytest.mark.requirement("A-08", "A-09", "A-16", "A-17")
async def test_six_values_of_one_token_under_names_that_a_vault_takes():
    ctx = fake_context()
    connection = await onboarded(ctx, "pandium")
    stored = {name.removeprefix(PREFIX) for name in ctx.vault.versions if name.startswith(PREFIX)}
    assert stored == NAMES
    assert len(tokens_of(ctx)) == 1
    assert ctx.vault.value(TOKEN) in ctx.tenant.tokens
    assert ctx.vault.value(PREFIX + "TENANT-ID") == ctx.tenant.identity.id
    assert ctx.vault.value(PREFIX + "TOKEN-TYPE") == "Bearer"
    assert ctx.vault.value(PREFIX + "EXPIRES-IN") == "3599"
    token = connection.brokered
    assert token is not None
    assert ctx.vault.value(PREFIX + "EXPIRES-AT") == str(int(token.expires.timestamp()))
    version = ctx.vault.versions[TOKEN][-1]
    assert version.tags["env"] == "PAN_SEC_MICROSOFT_ENTRA_ACCESS_TOKEN"
    assert version.expires == token.expires
    assert token.scope == "https://graph.microsoft.com/.default"


@pytest.mark.requirement("A-10")
async def test_the_token_is_refreshed_ten_minutes_before_it_ends():
    ctx = fake_context()
    before = await onboarded(ctx, "pandium")
    assert before.brokered is not None
    due = (await ctx.ledger.due_times(NAME))["token"]
    assert due == before.brokered.expires - timedelta(minutes=10)
    old = ctx.vault.value(TOKEN)
    for _ in range(5):
        after = await refreshed(ctx)
        assert after.brokered is not None and after.brokered.expires > ctx.clock.now()
        assert len(tokens_of(ctx)) == 1
    assert ctx.vault.value(TOKEN) != old
    assert condition(after, Aspect.CREDENTIAL_READY) == condition(before, Aspect.CREDENTIAL_READY)


@pytest.mark.requirement("A-08", "A-10")
@pytest.mark.diagnosis("TOKEN_BROKER_STALE")
async def test_a_refused_refresh_keeps_the_old_values_and_is_tried_again():
    ctx = fake_context()
    await onboarded(ctx, "pandium")
    old = ctx.vault.value(TOKEN)
    ctx.tenant.fail("tokens.issue", NeedsHuman("TOKEN_REFUSED", "AADSTS53003", "Look at it."))
    stopped = condition(await refreshed(ctx), Aspect.CREDENTIAL_READY)
    assert (stopped.status, stopped.reason) == ("False", "TOKEN_BROKER_STALE")
    assert "AADSTS53003" in stopped.message and stopped.remedy
    assert ctx.vault.value(TOKEN) == old
    mended = condition(await refreshed(ctx), Aspect.CREDENTIAL_READY)
    assert mended.status == "True"
    assert ctx.vault.value(TOKEN) != old


@pytest.mark.diagnosis("TOKEN_BROKER_STALE")
async def test_an_outage_longer_than_the_token_is_told_as_what_it_is():
    ctx = fake_context()
    await onboarded(ctx, "pandium")
    outage = TryLater("TOKEN_UNREACHABLE", "the token endpoint is down")
    ctx.tenant.fail("tokens.issue", outage, times=1000)
    stopped = condition(await refreshed(ctx), Aspect.CREDENTIAL_READY)
    assert (stopped.status, stopped.reason) == ("False", "TOKEN_BROKER_STALE")
    assert "TOKEN_UNREACHABLE" in stopped.message


@pytest.mark.requirement("A-08")
@pytest.mark.parametrize("kind", ["onboard", "rotate", "emergency"])
async def test_a_token_that_has_expired_meanwhile_stops_nothing_that_makes_a_fresh_one(kind: str):
    """After an outage: the operation that would mend it must not be stopped for it."""
    ctx = fake_context()
    old = (await onboarded(ctx, "pandium")).brokered
    assert old is not None
    ctx.clock.reach(old.expires + timedelta(minutes=1))
    await onboarding.run(ctx, NAME, kind, f"{kind}-again", asked_by="test")
    await drive(ctx)
    after = await known(ctx, NAME)
    assert after.brokered is not None and after.brokered.expires > ctx.clock.now()
    assert {each.status for each in after.conditions} == {"True"}
    run = await ctx.ledger.operation(NAME, f"{kind}-again")
    assert run is not None and run.state == "succeeded"


@pytest.mark.parametrize("nth", [1, 3, 6])
async def test_a_crash_between_two_values_is_made_good(nth: int):
    ctx = fake_context()
    await onboarded(ctx, "pandium")
    ctx.tenant.fail("vault.keep", RuntimeError("the process is gone"), nth=nth, after_effect=True)
    with pytest.raises(RuntimeError):
        await refreshed(ctx)
    ctx.clock.advance(timedelta(hours=1))
    await sweep(ctx, "resume")
    await drive(ctx)
    assert len(tokens_of(ctx)) == 1


@pytest.mark.requirement("A-08")
@pytest.mark.diagnosis("TOKEN_BROKER_STALE")
async def test_the_daily_check_notices_values_of_two_tokens_and_the_timer_mends_them():
    ctx = fake_context()
    await onboarded(ctx, "pandium")
    ctx.tenant.fail("tokens.issue", TryLater("TOKEN_UNREACHABLE", "down"), times=1000)
    tags = {"connection": NAME, "token": "another"}
    await ctx.vault.keep(PREFIX + "EXPIRES-AT", Masked("1"), tags, None)
    await ctx.ledger.set_due("verify", NAME, ctx.clock.now())
    await sweep(ctx, "verify")
    await drive(ctx)
    found = condition(await known(ctx, NAME), Aspect.VERIFIED)
    assert (found.status, found.reason) == ("False", "TOKEN_BROKER_STALE")
    assert "EXPIRES-AT" in found.message
    assert (await ctx.ledger.due_times(NAME))["token"] <= ctx.clock.now()


@pytest.mark.requirement("A-07")
@pytest.mark.diagnosis("SCOPE_UNKNOWN")
async def test_an_api_that_the_tenant_has_not():
    ctx = fake_context()
    ctx.tenant.apis.discard("996def3d-b36c-4153-8607-a6fd3c01b89f")
    connection = await onboarded(ctx, "pandium", inputs={"scope": "business-central"})
    reasons = [c.reason for c in connection.conditions if c.status == "False"]
    assert reasons == ["SCOPE_UNKNOWN"]


@pytest.mark.requirement("A-17")
async def test_two_connections_do_not_collide():
    ctx = fake_context()
    first = await onboarded(ctx, "pandium", "first")
    second = await onboarded(ctx, "pandium", "second")
    assert first.handed and second.handed
    assert not first.handed.keys() & second.handed.keys()


async def test_finished_refreshes_do_not_pile_up():
    ctx = fake_context()
    await onboarded(ctx, "pandium")
    for _ in range(80):  # almost three days
        await refreshed(ctx)
    kinds = [operation.kind for operation in await ctx.ledger.operations(NAME)]
    assert kinds.count("token") < 35
    assert kinds.count("onboard") == 1
    rows = await ctx.ledger.history(NAME)
    assert sum(row["what"] == "token.brokered" for row in rows) == 1


async def test_the_api_shows_the_newest_refresh_only(monkeypatch):
    for name, value in SIGN_IN.items():
        monkeypatch.setenv(name, value)
    client = Client()
    ctx = client.ctx
    await onboarded(ctx, "pandium")
    for _ in range(3):
        await refreshed(ctx)
    shown = (await client.get(f"/api/connections/{NAME}")).json
    assert [operation["kind"] for operation in shown["operations"]] == ["token", "onboard"]
    assert shown["brokered"]["expires_in"] == 3599
