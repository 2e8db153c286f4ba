"""A secret that others may know is replaced and removed at once, whatever is going on."""

from datetime import timedelta

import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.messages import RESUME
from shared.model.connection import Operation, Status
from shared.onboarding import Rejected
from shared.planning.credentials import PREFIX
from shared.planning.emergency import DISABLE, FORCE
from shared.planning.rungs import Name, rungs
from shared.requests import Emergency
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.tenant import SecretRow
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import held, rotate, served
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard, statuses

WHY = "the secret was pasted into a ticket"


async def alarm(ctx: FakeContext, *options: str, operation: str = "urgent-1") -> Operation:
    wish = Emergency(reason=WHY, options=options)
    begun = await onboarding.replace_now(ctx, NAME, wish, operation, asked_by="ana")
    return begun.operation


async def emergency(ctx: FakeContext, *options: str, operation: str = "urgent-1") -> None:
    await alarm(ctx, *options, operation=operation)
    await drive(ctx)


async def told(ctx: FakeContext, operation: str = "urgent-1") -> list[str]:
    return [rung.name for rung in rungs(await ctx.ledger.history(NAME), operation)]


def enabled(ctx: FakeContext) -> bool:
    (principal,) = ctx.tenant.principals.values()
    return principal.enabled


@pytest.mark.requirement("X-10")
async def test_the_old_secret_is_gone_when_the_emergency_is_over() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    old, begun = await served(ctx), ctx.clock.now()
    await emergency(ctx)
    assert held(ctx) == [await served(ctx)] != [old]
    assert ctx.clock.now() - begun < timedelta(minutes=2)  # no activation delay
    await assert_onboarded(ctx)
    assert [v.enabled for v in ctx.vault.versions[NAME]] == [False, True]
    rungs_told = await told(ctx)
    wanted = [Name.REQUESTED, Name.INTENDED, Name.ADDED, Name.STAGED, Name.VERIFIED]
    wanted += [Name.PUBLISHED, Name.RETIRED, Name.DISABLED]
    assert [name for name in rungs_told if name in wanted][-len(wanted) :] == wanted


async def test_it_is_not_published_before_it_works_and_the_old_one_stays_until_then() -> None:
    ctx = await onboarded()
    old = await served(ctx)
    ctx.tenant.token_lag = 30
    await alarm(ctx)
    await drive(ctx, lambda sent: ctx.tenant.faults.count("credentials.add") == 2)
    assert await served(ctx) == old
    assert old in held(ctx)
    await drive(ctx)
    assert held(ctx) == [await served(ctx)] != [old]


async def test_young_secrets_and_those_of_an_overlap_go_too_and_foreign_ones_stay() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    await rotate(ctx, "rotate-1")
    (application,) = ctx.tenant.applications.values()
    now = ctx.clock.now()
    foreign = [
        SecretRow(name=name, value="x", starts=now, ends=now + timedelta(days=99))
        for name in ("by hand", f"{PREFIX}devolutions-server/0123456789abcdef of a test system")
    ]
    application.secrets += foreign
    await emergency(ctx)
    assert set(held(ctx)) == {*(row.id for row in foreign), await served(ctx)}
    finished = [r for r in await ctx.ledger.history(NAME) if r["what"] == "emergency.finished"]
    assert {row.id for row in foreign} == set(finished[0]["others"])


@pytest.mark.parametrize("steps", range(0, 30, 3))
async def test_it_pre_empts_a_rotation_wherever_that_is(steps: int) -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    counted: list[object] = []
    await drive(ctx, lambda sent: counted.append(sent) or len(counted) > steps)  # type: ignore[func-returns-value] # append gives None
    running = await ctx.ledger.operation(NAME, "rotate-1")
    await emergency(ctx)
    assert held(ctx) == [await served(ctx)]
    await assert_onboarded(ctx)
    former = await ctx.ledger.operation(NAME, "rotate-1")
    assert former is not None and running is not None
    assert former.state == ("superseded" if running.state == "running" else "succeeded")


async def test_what_it_pre_empted_does_nothing_any_more() -> None:
    ctx = await onboarded()
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    await alarm(ctx)
    assert len(ctx.outbox.queued) == 2  # the rotation's message is still there
    await drive(ctx)
    added = [r for r in await ctx.ledger.history(NAME) if r["what"] == "secret.added"]
    assert [row["operation"] for row in added][1:] == ["urgent-1"]


async def test_a_lost_message_of_it_is_found_by_the_rescue() -> None:
    ctx = await onboarded()
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    await alarm(ctx)
    ctx.outbox.queued = [sent for sent in ctx.outbox.queued if b"urgent" not in sent.body]
    await drive(ctx)  # the rotation's message is dropped, and takes nothing along
    ctx.clock.advance(minutes=31)
    assert await sweep(ctx, RESUME) == 1
    await drive(ctx)
    assert held(ctx) == [await served(ctx)]


async def test_an_offboarding_is_not_pre_empted() -> None:
    ctx = await onboarded()
    await onboarding.offboard(ctx, NAME, "off-1", reason="replaced", asked_by="ana")
    with pytest.raises(Rejected) as refused:
        await alarm(ctx)
    assert refused.value.problem.code == "OFFBOARDING"


async def test_the_same_call_joins_and_another_one_takes_over() -> None:
    ctx = await onboarded()
    first = await alarm(ctx)
    assert (await alarm(ctx, operation="urgent-2")).id == first.id
    assert (await alarm(ctx, FORCE, operation="urgent-3")).id == "urgent-3"
    await drive(ctx)
    assert held(ctx) == [await served(ctx)]
    replaced = await ctx.ledger.operation(NAME, first.id)
    assert replaced is not None and replaced.state == "superseded"


async def test_without_a_published_secret_there_is_no_emergency() -> None:
    ctx = fake_context()
    await onboard(ctx)
    with pytest.raises(Rejected) as refused:
        await alarm(ctx)
    assert refused.value.problem.code == "NOT_HANDED_OVER"


class TestUnverified:
    """The new secret never works."""

    REFUSED = NeedsHuman("TOKEN_REFUSED", "AADSTS53003", "look it up")

    async def test_the_old_one_stays_published(self) -> None:
        ctx = await onboarded()
        old = await served(ctx)
        ctx.tenant.fail("tokens.obtain", self.REFUSED, times=1000)
        await emergency(ctx)
        assert held(ctx) == [await served(ctx)] == [old]
        assert (await statuses(ctx))["CredentialReady"] == Status.FALSE
        assert Name.ABANDONED in await told(ctx)

    @pytest.mark.diagnosis("EMERGENCY_UNVERIFIED")
    async def test_with_force_the_old_one_goes_and_nothing_unproven_is_published(self) -> None:
        ctx = await onboarded()
        old = await served(ctx)
        ctx.tenant.fail("tokens.obtain", self.REFUSED, times=1)
        await emergency(ctx, FORCE)
        assert old not in held(ctx)
        assert len(held(ctx)) == 1
        assert await served(ctx) == old  # in the vault, good for nothing
        (ready,) = [c for c in (await connection(ctx)).conditions if c.type == "CredentialReady"]
        assert (ready.status, ready.reason) == (Status.FALSE, "EMERGENCY_UNVERIFIED")
        assert "no secret that works" in ready.message and ready.remedy
        ctx.clock.advance(hours=1)
        await sweep(ctx, "rotate")  # it ends by itself when the cause is gone
        await drive(ctx)
        assert await served(ctx) in held(ctx)
        for _ in range(9):
            ctx.clock.advance(days=1)
            await sweep(ctx, "retire")
            await drive(ctx)
        await assert_onboarded(ctx)


class TestSignIn:
    """With `disable_sign_in` there is no moment in which the old secret opens anything."""

    async def test_it_is_disabled_until_the_old_secrets_are_gone(self) -> None:
        ctx = await onboarded()
        ctx.clock.advance(hours=2)
        await rotate(ctx, "rotate-1")
        old = held(ctx)
        seen: list[tuple[bool, int]] = []
        await alarm(ctx, DISABLE)
        await drive(ctx, lambda sent: seen.append((enabled(ctx), len(old))) or False)  # type: ignore[func-returns-value] # append gives None
        assert held(ctx) == [await served(ctx)]
        assert enabled(ctx)
        await assert_onboarded(ctx)
        names = await told(ctx)
        stopped, allowed = names.index(Name.STOPPED), names.index(Name.ALLOWED)
        assert stopped < names.index(Name.RETIRED) < allowed
        assert allowed < len(names) - 1 - names[::-1].index(Name.PUBLISHED)

    async def test_one_that_a_person_disabled_is_enabled_when_it_is_safe(self) -> None:
        ctx = await onboarded()
        (principal,) = ctx.tenant.principals.values()
        principal.enabled = False
        await emergency(ctx, DISABLE)
        assert enabled(ctx)
        await assert_onboarded(ctx)

    async def test_without_the_option_a_persons_switch_is_left_alone(self) -> None:
        ctx = await onboarded()
        (principal,) = ctx.tenant.principals.values()
        principal.enabled = False
        await emergency(ctx)
        assert not enabled(ctx)

    async def test_where_it_stops_people_read_that_nobody_can_sign_in(self) -> None:
        ctx = await onboarded()
        blocked = NeedsHuman("SECRET_TYPE_BLOCKED", "secrets are blocked", "have it exempted")
        ctx.tenant.fail("credentials.add", blocked, times=1)
        await emergency(ctx, DISABLE)
        assert not enabled(ctx)
        (ready,) = [c for c in (await connection(ctx)).conditions if c.type == "CredentialReady"]
        assert ready.reason == "SECRET_TYPE_BLOCKED" and "stays disabled" in ready.message
        await emergency(ctx, DISABLE, operation="urgent-2")
        assert enabled(ctx)
        await assert_onboarded(ctx)


async def test_a_refused_removal_is_told_at_once_and_tried_again() -> None:
    ctx = await onboarded()
    old = await served(ctx)
    refusal = NeedsHuman("AUTOMATION_NOT_OWNER", "HTTP 403", "make it an owner")
    ctx.tenant.fail("credentials.remove", refusal, times=1)
    await emergency(ctx)
    assert old in held(ctx) and await served(ctx) != old
    operation = await ctx.ledger.operation(NAME, "urgent-1")
    assert operation is not None and operation.state == "needs-attention"
    ctx.clock.advance(hours=2)
    await sweep(ctx, "retire")
    await drive(ctx)
    assert held(ctx) == [await served(ctx)]


async def test_a_topic_that_is_down_does_not_stop_it() -> None:
    ctx = await onboarded()
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    ctx.tenant.fail("outbox.publish", TryLater("QUEUE_UNREACHABLE", "down"))
    await emergency(ctx)
    assert held(ctx) == [await served(ctx)]
    former = await ctx.ledger.operation(NAME, "rotate-1")
    assert former is not None and former.state == "superseded"
