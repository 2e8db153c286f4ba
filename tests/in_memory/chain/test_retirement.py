"""What is left of a rotation goes: the secret, its value in the vault, orphans, and in the end
a person is asked.
"""

from datetime import timedelta

import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman
from shared.model.connection import Status
from shared.planning.rungs import Name, rungs
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import held, retire, rotate, served
from tests.in_memory.chain.world import NAME, connection, onboard, statuses

REFUSED = NeedsHuman("AUTOMATION_NOT_OWNER", "HTTP 403", "make it an owner")
BLOCKED = NeedsHuman("TOKEN_REFUSED", "AADSTS53003", "look it up")


async def names(ctx: FakeContext, operation: str) -> list[str]:
    return [rung.name for rung in rungs(await ctx.ledger.history(NAME), operation)]


async def attention(ctx: FakeContext) -> list[str]:
    return [o.kind for o in await ctx.ledger.operations(NAME) if o.state == "needs-attention"]


async def test_the_vaults_version_of_a_removed_secret_is_disabled_and_kept() -> None:
    ctx = await onboarded()
    ctx.clock.advance(hours=2)
    await rotate(ctx, "rotate-1")
    assert [v.enabled for v in ctx.vault.versions[NAME]] == [True, True]
    await retire(ctx, 9)
    assert [v.enabled for v in ctx.vault.versions[NAME]] == [False, True]
    timeline = await names(ctx, "rotate-1")
    assert timeline[-2:] == [Name.RETIRED, Name.DISABLED]
    assert timeline.index(Name.ADDED) < timeline.index(Name.STAGED) < timeline.index(Name.VERIFIED)


async def test_a_removal_that_some_node_still_lists_is_confirmed_before_it_counts() -> None:
    ctx = await onboarded()
    ctx.clock.advance(hours=2)
    await rotate(ctx, "rotate-1")
    asked: list[bool] = []

    async def gone(_object_id: str, _key_id: str) -> bool:
        asked.append(len(asked) > 2)
        return asked[-1]

    ctx.credentials.gone = gone  # type: ignore[method-assign,assignment] # the test's own replica
    await retire(ctx, 9)
    assert held(ctx) == [await served(ctx)]
    assert (await names(ctx, "rotate-1")).count(Name.RETIRED) == 1


@pytest.mark.diagnosis("SECRET_NOT_RETIRED")
async def test_a_refused_removal_is_tried_daily_and_after_a_week_a_person_is_asked() -> None:
    ctx = await onboarded()
    ctx.clock.advance(hours=2)
    await rotate(ctx, "rotate-1")
    ctx.tenant.fail("credentials.remove", REFUSED, times=9)
    await retire(ctx, 13)
    tried = ctx.tenant.faults.count("credentials.remove")
    assert 5 <= tried <= 8 and await attention(ctx) == []
    assert len(held(ctx)) == 2
    await retire(ctx, 2)
    assert "retire" in await attention(ctx)
    await retire(ctx, 4)
    assert held(ctx) == [await served(ctx)]


async def test_an_expired_secret_of_an_attempt_that_failed_is_removed() -> None:
    ctx = await onboarded()
    (application,) = ctx.tenant.applications.values()
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    await drive(ctx, lambda sent: len(application.secrets) == 2)
    ctx.outbox.queued.clear()
    operation = await ctx.ledger.operation(NAME, "rotate-1")
    assert operation is not None
    await ctx.ledger.advance(type(operation)(**_ended(operation)), known=operation)
    ctx.clock.advance(days=1)
    await sweep(ctx, "verify")  # its daily look finds the orphan
    await drive(ctx)
    await sweep(ctx, "retire")
    await drive(ctx)
    assert held(ctx) == [await served(ctx)]


def _ended(operation: object) -> dict[str, object]:
    fields = {name: getattr(operation, name) for name in operation.__struct_fields__}  # type: ignore[attr-defined] # a struct
    return fields | {"state": "needs-attention"}


class TestAbandoned:
    """A new secret that cannot be proven is removed, and the published one stays."""

    async def test_when_it_is_refused(self) -> None:
        ctx = await onboarded()
        old = await served(ctx)
        ctx.clock.advance(days=130)
        ctx.tenant.fail("tokens.obtain", BLOCKED)
        await rotate(ctx, "rotate-1")
        assert held(ctx) == [old] == [await served(ctx)]
        (ready,) = [c for c in (await connection(ctx)).conditions if c.type == "CredentialReady"]
        assert (ready.status, ready.reason) == (Status.FALSE, "TOKEN_REFUSED")
        assert "stays published" in ready.message and "AADSTS53003" in ready.message
        timeline = await names(ctx, "rotate-1")
        assert timeline[-2:] == [Name.ABANDONED, Name.REMOVED]

    async def test_when_it_never_becomes_active(self) -> None:
        ctx = await onboarded()
        old = await served(ctx)
        ctx.tenant.token_lag = 10_000
        await rotate(ctx, "rotate-1")
        assert held(ctx) == [old] == [await served(ctx)]
        (ready,) = [c for c in (await connection(ctx)).conditions if c.type == "CredentialReady"]
        assert ready.reason == "SECRET_NOT_YET_ACTIVE" and "gave up after" in ready.message

    async def test_it_is_tried_again_by_itself_but_not_every_hour(self) -> None:
        ctx = await onboarded()
        ctx.clock.advance(days=130)
        ctx.tenant.fail("tokens.obtain", BLOCKED)
        await rotate(ctx, "rotate-1")
        due = (await ctx.ledger.due_times(NAME))["rotate"]
        assert due - ctx.clock.now() > timedelta(hours=12)
        ctx.clock.advance(days=1)
        await sweep(ctx, "rotate")
        await drive(ctx)
        assert (await statuses(ctx))["CredentialReady"] == Status.TRUE

    async def test_of_an_onboarding_too(self) -> None:
        ctx = fake_context()
        ctx.tenant.fail("tokens.obtain", BLOCKED)
        await onboard(ctx)
        await drive(ctx)
        assert held(ctx) == []
        await onboard(ctx)
        await drive(ctx)
        assert held(ctx) == [await served(ctx)]
