"""A profile with `prestage`: the next secret is always there, and a rotation needs no waiting."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman
from shared.model.connection import Credential, Status
from shared.model.credential import StoredSecret
from shared.planning.credentials import staging_name
from shared.planning.emergency import DISABLE, DISCARD_NEXT
from shared.profile import catalogue
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.test_emergency import emergency
from tests.in_memory.chain.test_secrets import held, rotate, served
from tests.in_memory.chain.world import NAME, connection, onboard, statuses

PROFILE = "devolutions-server"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def prestaging(monkeypatch: pytest.MonkeyPatch) -> None:
    with_prestage(monkeypatch)


def with_prestage(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = catalogue()[PROFILE]
    changed = replace(plain, credential=replace(plain.credential, prestage=True))
    known = {**catalogue(), PROFILE: changed}
    monkeypatch.setattr("shared.runtime.catalogue", lambda: known)


async def following(ctx: FakeContext) -> StoredSecret:
    found = await ctx.vault.current(staging_name(NAME))
    assert found is not None
    return found


async def credential(ctx: FakeContext) -> Credential:
    found = (await connection(ctx)).credential
    assert found is not None
    return found


async def onboarded() -> FakeContext:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    await assert_ready(ctx)
    return ctx


async def assert_ready(ctx: FakeContext, *, others: int = 0) -> None:
    """Everything is true; what is served and what comes next are held, and proven."""
    found = await connection(ctx)
    assert {c.type: (c.status, c.reason) for c in found.conditions if c.status != Status.TRUE} == {}
    coming = await following(ctx)
    assert coming.verified and not coming.refused
    assert len(held(ctx)) == 2 + others
    assert {await served(ctx), coming.key_id} <= set(held(ctx))
    assert await served(ctx) != coming.key_id
    assert found.credential is not None and found.credential.key_id == await served(ctx)


async def days_pass(ctx: FakeContext, days: int) -> None:
    for _ in range(days):
        ctx.clock.advance(days=1)
        for kind in ("rotate", "retire", "prestage", "verify"):
            await sweep(ctx, kind)
            await drive(ctx)
        assert len(held(ctx)) <= 3
        assert await served(ctx) in held(ctx)


async def test_an_onboarding_also_stages_the_next_one() -> None:
    ctx = await onboarded()
    assert [r["what"] for r in await ctx.ledger.history(NAME)].count("secret.published") == 1


@pytest.mark.requirement("X-10")
async def test_a_rotation_publishes_what_was_staged_and_stages_the_one_after_it() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=80)
    old, coming = await served(ctx), (await following(ctx)).key_id
    ctx.tenant.token_lag = 20  # of whatever is made from now on
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    begun = ctx.clock.now()
    await drive(ctx, lambda sent: ctx.vault.versions[NAME][-1].tags["keyId"] == coming)
    assert ctx.clock.now() == begun, "it needs no waiting"
    ctx.tenant.token_lag = 0
    await drive(ctx)
    assert await served(ctx) == coming
    await assert_ready(ctx, others=1)
    await days_pass(ctx, 9)
    assert old not in held(ctx)
    await assert_ready(ctx)


@pytest.mark.slow
async def test_for_two_years_there_is_always_a_next_one_and_nothing_piles_up() -> None:
    ctx = await onboarded()
    published: list[str] = []
    for _ in range(730):
        await days_pass(ctx, 1)
        if await served(ctx) not in published:
            published.append(await served(ctx))
            whole = await credential(ctx)
            assert whole.expires - ctx.clock.now() > 80 * DAY  # half of its life is to come
    assert len(published) == 10  # every 75 days: (180 - 30) / 2
    assert (await following(ctx)).verified


async def test_a_second_rotation_within_the_overlap_waits_with_the_next_one() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    await rotate(ctx, "rotate-1")
    ctx.clock.advance(days=1)
    coming = (await following(ctx)).key_id
    await rotate(ctx, "rotate-2")
    assert await served(ctx) == coming
    assert len(held(ctx)) == 3
    await days_pass(ctx, 10)
    await assert_ready(ctx)


async def test_an_emergency_publishes_the_next_one_without_any_wait() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    old, coming = await served(ctx), (await following(ctx)).key_id
    await emergency(ctx)
    assert held(ctx) == [await served(ctx)] == [coming] != [old]
    await sweep(ctx, "prestage")
    await drive(ctx)
    await assert_ready(ctx)


async def test_an_emergency_in_which_the_next_one_is_known_too() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    old = set(held(ctx))
    await emergency(ctx, DISCARD_NEXT)
    assert held(ctx) == [await served(ctx)]
    assert not old & set(held(ctx))
    await sweep(ctx, "prestage")
    await drive(ctx)
    await assert_ready(ctx)


async def test_an_emergency_that_stops_sign_in_uses_the_next_one() -> None:
    ctx = await onboarded()
    coming = (await following(ctx)).key_id
    await emergency(ctx, DISABLE)
    assert held(ctx) == [coming]
    (principal,) = ctx.tenant.principals.values()
    assert principal.enabled


async def test_a_next_one_that_somebody_removed_is_made_anew() -> None:
    ctx = await onboarded()
    lost = (await following(ctx)).key_id
    ctx.clock.advance(hours=2)
    (application,) = ctx.tenant.applications.values()
    application.secrets[:] = [s for s in application.secrets if s.id != lost]
    await onboarding.run(ctx, NAME, "verify", "verify-1", asked_by="test")
    await drive(ctx)
    await sweep(ctx, "prestage")
    await drive(ctx)
    await assert_ready(ctx)


async def test_a_next_one_that_does_not_work_leaves_the_published_one_alone() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    refused = NeedsHuman("TOKEN_REFUSED", "AADSTS53003", "look it up")
    ctx.tenant.fail("tokens.obtain", refused, times=1, nth=6)  # after those of the publication
    await rotate(ctx, "rotate-1")
    assert (await statuses(ctx))["CredentialReady"] == Status.TRUE
    assert len(held(ctx)) == 2  # what is served and what was; the one that failed is gone
    (ready,) = [c for c in (await connection(ctx)).conditions if c.type == "CredentialReady"]
    assert "next secret could not be verified" in ready.message
    await days_pass(ctx, 9)
    await assert_ready(ctx)


async def test_a_profile_that_wants_it_no_more_leaves_no_orphan(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ctx = await onboarded()
    monkeypatch.setattr("shared.runtime.catalogue", catalogue)
    await days_pass(ctx, 2)
    assert held(ctx) == [await served(ctx)]


async def test_a_profile_that_wants_it_from_now_on_gets_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.runtime.catalogue", catalogue)
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    assert len(held(ctx)) == 1
    with_prestage(monkeypatch)
    await days_pass(ctx, 2)
    await assert_ready(ctx)


async def test_an_offboarding_takes_the_next_one_along() -> None:
    ctx = await onboarded()
    await onboarding.offboard(ctx, NAME, "off-1", reason="replaced", asked_by="ana")
    await drive(ctx)
    assert not ctx.tenant.applications
    assert not ctx.vault.versions.get(staging_name(NAME))
