"""Operations that lost their message, their patience or their race still come to an end."""

from datetime import timedelta

import msgspec
import pytest

from functions.sweeps import sweep
from shared import burial, onboarding, operations, runtime
from shared.errors import NeedsHuman, TryLater
from shared.messages import StepMessage, encode
from shared.model.connection import Approval, Aspect, Connection, Status
from shared.operations import RESUME
from shared.requests import Request, check_request
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.world import (
    NAME,
    assert_onboarded,
    connection,
    onboard,
    request,
    statuses,
)

DOWN = TryLater("QUEUE_UNREACHABLE", "sending: ServiceBusConnectionError")
LEDGER_DOWN = TryLater("LEDGER_DOWN", "table storage answered HTTP 503")


async def onboarded() -> FakeContext:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)
    return ctx


async def test_other_work_that_is_due_does_not_put_off_the_rescue_of_a_stuck_operation() -> None:
    ctx = await onboarded()
    await operations.start(ctx, NAME, "rotate", "stuck", asked_by="test", reason="requested")
    ctx.outbox.queued.clear()  # its message is lost
    rescued = 0
    for _ in range(12):
        ctx.clock.advance(minutes=10)
        await ctx.ledger.set_due("verify", NAME, ctx.clock.now())
        await sweep(ctx, "verify")
        rescued += await sweep(ctx, RESUME)
    assert rescued > 0
    await drive(ctx)
    found = await ctx.ledger.operation(NAME, "stuck")
    assert found is not None and found.state == "succeeded"


async def test_a_request_repeated_after_the_queue_was_down_is_sent_at_once() -> None:
    ctx = fake_context()
    ctx.tenant.fail("outbox.send", DOWN)
    with pytest.raises(TryLater):
        await onboard(ctx)
    ctx.clock.advance(seconds=30)
    await onboard(ctx)
    assert ctx.outbox.steps() == ["registration"]
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_the_sweep_sends_soon_what_could_not_be_sent() -> None:
    ctx = fake_context()
    ctx.tenant.fail("outbox.send", DOWN)
    with pytest.raises(TryLater):
        await onboard(ctx)
    ctx.clock.advance(minutes=5)
    assert await sweep(ctx, RESUME) == 1
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_a_long_wait_for_one_reason_leaves_the_time_for_the_next() -> None:
    ctx = fake_context()
    ctx.tenant.fail(
        "credentials.held",
        TryLater("THROTTLED", "HTTP 429", after=timedelta(minutes=5), limit=timedelta(hours=1)),
        times=6,
    )
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)


@pytest.mark.slow
async def test_reasons_that_take_turns_for_ever_come_to_an_end() -> None:
    ctx = fake_context()
    for nth in range(1, 4000, 2):
        ctx.tenant.fail("directory.resource", TryLater("ONE", "one"), nth=nth)
        ctx.tenant.fail("directory.resource", TryLater("OTHER", "other"), nth=nth + 1)
    await onboard(ctx)
    await drive(ctx)
    assert (await statuses(ctx))["Registered"] == "False"


@pytest.mark.parametrize("method", ["ledger.connection", "ledger.operation", "ledger.advance"])
async def test_a_ledger_that_is_down_for_a_while_postpones_a_step(method: str) -> None:
    ctx = fake_context()
    await onboard(ctx)
    ctx.tenant.fail(method, LEDGER_DOWN, times=20)
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_an_order_that_was_given_up_while_the_ledger_was_down_is_taken_after_all() -> None:
    ctx = fake_context()
    body = msgspec.json.encode(
        {
            "apiVersion": "keyturn/v1",
            "kind": "onboard",
            "connection": NAME,
            **msgspec.to_builtins(request())["spec"],
        }
    )
    order = msgspec.json.decode(body)
    order.pop("name")
    body = msgspec.json.encode(order)
    why = "MaxDeliveryCountExceeded"
    ctx.tenant.fail("ledger.create", LEDGER_DOWN)
    await drive(ctx)  # declares the steps
    with pytest.raises(TryLater):
        await burial.bury(STEPS["provisioning"], body, "order-1", why, ctx)
    await burial.bury(STEPS["provisioning"], body, "order-1", why, ctx)
    assert ctx.outbox.refused == []
    await drive(ctx)
    await onboarding.approve(ctx, NAME, Approval(reason="reviewed"), asked_by="chris")
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_an_order_that_makes_the_entrance_fail_is_set_aside() -> None:
    ctx = await onboarded()
    order = {"apiVersion": "keyturn/v1", "kind": "rotate", "connection": NAME}
    ctx.tenant.fail("ledger.connection", RuntimeError("a bug"))
    body = msgspec.json.encode(order)
    await burial.bury(STEPS["provisioning"], body, "order-2", "MaxDeliveryCountExceeded", ctx)
    assert [aside.message_id for aside in ctx.outbox.refused] == ["order-2"]


async def test_a_dead_letter_without_an_id_is_recorded() -> None:
    ctx = await onboarded()
    message = StepMessage(kind="verify", connection=NAME, operation="nobody's")
    await burial.bury(STEPS["verification"], encode(message), None, "why", ctx)  # type: ignore[arg-type] # the worker's answer for a message that has none
    refusals = await ctx.ledger.refusals()
    assert len(refusals) == 1 and refusals[0]["message_id"]


async def test_the_end_of_an_operation_is_told_although_the_topic_was_down() -> None:
    ctx = fake_context()
    await onboard(ctx)
    ctx.tenant.fail("outbox.publish", DOWN, nth=3)  # after those of discovery and report
    await drive(ctx, redeliver=True)
    await assert_onboarded(ctx)
    assert "keyturn.operation.succeeded" in [event.type for event in ctx.outbox.events]


async def test_one_connection_that_cannot_be_swept_does_not_stop_the_others() -> None:
    ctx = await onboarded()
    for name in ("gone-a", NAME, "zzz"):
        await ctx.ledger.set_due("verify", name, ctx.clock.now())
    assert await sweep(ctx, "verify") == 1


async def test_an_approval_that_comes_while_the_step_is_stopping_is_not_lost() -> None:
    ctx = fake_context()
    bare = msgspec.structs.replace(request(), approval=None)
    await onboarding.onboard(ctx, bare, asked_by="test")
    await drive(ctx, lambda sent: sent.step == "consent")
    given = Approval(by="chris", reason="ok")
    honest = ctx.ledger.record
    once = [True]

    async def record(name: str, at: object, what: str, data: object) -> None:
        await honest(name, at, what, data)  # type: ignore[arg-type] # handed on as it came
        if what == "operation.stopped" and once:  # the condition is stored, the end is not
            once.clear()
            await onboarding.approve(ctx, NAME, given, asked_by="chris")

    ctx.ledger.record = record  # type: ignore[method-assign,assignment] # the test's own moment
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_a_request_repeated_after_something_broke_repairs_it() -> None:
    ctx = await onboarded()
    ctx.vault.versions[NAME][-1].enabled = False  # somebody switched it off
    await onboarding.run(ctx, NAME, "verify", "verify-1", asked_by="test")
    await drive(ctx)
    assert (await statuses(ctx))["Verified"] == Status.FALSE
    await onboard(ctx)
    await drive(ctx)
    assert (await statuses(ctx))["Verified"] == Status.TRUE


async def test_a_profile_that_is_gone_is_named() -> None:
    ctx = fake_context()
    orphan = msgspec.structs.replace(request().spec, profile="retired-product")
    await ctx.ledger.create(Connection(spec=orphan, created=ctx.clock.now()))
    await operations.start(ctx, NAME, "onboard", "o-1", asked_by="test", reason="requested")
    await drive(ctx)
    condition = (await connection(ctx)).conditions[0]
    assert (condition.status, condition.reason) == (Status.FALSE, "PROFILE_UNKNOWN")


async def test_needs_human_within_bookkeeping_is_not_hidden() -> None:
    ctx = fake_context()
    await onboard(ctx)
    ctx.tenant.fail("ledger.operation", NeedsHuman("AUTOMATION_PRIVILEGE", "403", "grant it"))
    with pytest.raises(NeedsHuman):
        await drive(ctx)


async def test_an_approval_does_not_cover_what_the_profile_asks_for_later() -> None:
    ctx = fake_context()
    await onboard(ctx)
    known = await connection(ctx)
    assert known.approval is not None
    assert set(known.approval.covers) == {
        "RoleManagement.ReadWrite.Directory",
        "User-PasswordProfile.ReadWrite.All",
    }
    # As though the profile had asked for less when the approval was given.
    smaller = msgspec.structs.replace(known.approval, covers=known.approval.covers[:1])
    await ctx.ledger.amend(known.spec.name, approval=smaller)
    await drive(ctx)
    consented = (await connection(ctx)).condition(Aspect.CONSENTED)
    assert consented is not None and consented.reason == "APPROVAL_PENDING"
    assert "User-PasswordProfile.ReadWrite.All" in consented.message
    assert not ctx.tenant.faults.count("consents.grant")
    await onboarding.approve(ctx, NAME, Approval(by="chris", reason="ok"), asked_by="chris")
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_an_operation_goes_on_when_its_message_expired_while_the_app_was_down() -> None:
    ctx = fake_context()
    await onboard(ctx)
    (waiting,) = ctx.outbox.queued
    ctx.outbox.queued.clear()
    body = encode(waiting.message)
    ctx.tenant.fail("outbox.send", DOWN)
    with pytest.raises(TryLater):  # the dead letter stays, and is delivered again
        await burial.bury(STEPS[waiting.step], body, "gone", burial.EXPIRED, ctx)
    await burial.bury(STEPS[waiting.step], body, "gone", burial.EXPIRED, ctx)
    assert [again.message for again in ctx.outbox.queued] == [waiting.message]
    await drive(ctx)
    await assert_onboarded(ctx)
    await burial.bury(STEPS[waiting.step], body, "late", burial.EXPIRED, ctx)  # long over by now
    assert ctx.outbox.queued == []
    assert [aside.message_id for aside in ctx.outbox.refused] == ["late"]


@pytest.mark.parametrize("queue", ["consent", "provisioning", "vault-events"])
async def test_a_message_nested_too_deeply_is_recorded_once(queue: str) -> None:
    ctx = await onboarded()
    body = b'{"x":' + b"[" * 100_000
    await burial.bury(STEPS[queue], body, "deep", "TTLExpiredException", ctx)
    assert [aside.message_id for aside in ctx.outbox.refused] == ["deep"]


async def test_a_vault_event_nested_too_deeply_is_ignored() -> None:
    ctx = await onboarded()
    await runtime.run(STEPS["vault-events"], b"[" * 100_000, "deep", ctx)
    assert ctx.outbox.queued == []


async def test_a_scan_that_is_off_is_no_trouble_any_more_after_its_message_was_given_up() -> None:
    """The product can import, so the condition may be that of an import: there was none."""
    ctx = fake_context()
    body = {
        "name": NAME,
        "profile": "devolutions-server",
        "inputs": {"provider_name": "DVLS PAM"},
        "features": {"discovery": False},
        "approval": {"reason": "reviewed"},
    }
    wanted = check_request(msgspec.json.encode(body))
    assert isinstance(wanted, Request)
    await onboarding.onboard(ctx, wanted, asked_by="test")
    await drive(ctx, lambda sent: sent.step == "discovery")
    (waiting,) = ctx.outbox.queued
    ctx.outbox.queued.clear()
    given_up = "MaxDeliveryCountExceeded"
    await burial.bury(STEPS["discovery"], encode(waiting.message), "gone", given_up, ctx)
    assert (await statuses(ctx))["Discovered"] == Status.FALSE
    await onboarding.onboard(ctx, wanted, asked_by="test")
    await drive(ctx)
    await assert_onboarded(ctx)
