"""What is counted and measured, after what has happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import pytest

from functions import declare_steps
from functions.deliveries import take, take_dead
from functions.steps.accept import accept
from functions.sweeps import sweep
from shared import bootstrap, onboarding, telemetry
from shared.errors import NeedsHuman, TryLater
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext, Sent, fake_context
from tests.fakes.drive import drive
from tests.fakes.telemetry import Recorded
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard

PROFILE = "devolutions-server"


async def onboarded() -> FakeContext:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)
    return ctx


async def test_a_rotation(seen: Recorded) -> None:
    ctx = await onboarded()
    before = (await connection(ctx)).credential
    assert before is not None and seen.values("keyturn.rotation.lead_time") == {}
    ctx.clock.reach(before.due)
    assert await sweep(ctx, "rotate") == 1
    await drive(ctx)
    after = (await connection(ctx)).credential
    assert after is not None and after.key_id != before.key_id
    lead = (before.expires - after.published) / timedelta(days=1)
    assert lead > 30
    assert seen.values("keyturn.rotation.lead_time") == {(PROFILE,): pytest.approx(lead)}
    assert seen.values("keyturn.operations") == {
        ("onboard", "succeeded"): 1,
        ("rotate", "succeeded"): 1,
    }
    spent = seen.values("keyturn.operation.duration")[("rotate", "succeeded")]
    (row,) = [o for o in await ctx.ledger.operations(NAME) if o.kind == "rotate"]
    assert spent == pytest.approx((row.changed - row.started).total_seconds())
    assert seen.values("keyturn.sweeps") == {("rotate", "succeeded"): 1}
    assert seen.values("keyturn.sweep.connections") == {("rotate", "started"): 1}


async def test_a_failed_verification(seen: Recorded) -> None:
    ctx = await onboarded()
    ctx.tenant.fail("tokens.obtain", NeedsHuman("CA_BLOCKS_LOGIN", "x", "y"), times=99)
    await onboarding.run(ctx, NAME, "verify", "operation-1", asked_by="test")
    await drive(ctx)
    ended = seen.values("keyturn.operations")
    assert ended[("CA_BLOCKS_LOGIN", "verify", "needs-attention")] == 1
    taken = seen.values("keyturn.deliveries")
    assert taken[("CA_BLOCKS_LOGIN", "stopped", "verification")] == 1
    ctx.clock.advance(timedelta(days=2))
    await sweep(ctx, "verify")
    assert seen.values("keyturn.connections.failing")[("Verified",)] == 1
    assert seen.values("keyturn.connections.failing")[("Registered",)] == 0


async def test_a_scan(seen: Recorded) -> None:
    ctx = fake_context()
    helpdesk = ctx.account_reader.people.holders
    helpdesk[ctx.tenant.role_ids["Helpdesk Administrator"]] = [
        ctx.account_reader.people.add_user(name) for name in ("ana", "bo", "cy")
    ]
    await onboard(
        ctx,
        inputs={
            "provider_name": "DVLS PAM",
            "config_name": "nightly",
            "search_mode": "roles",
            "filter": ["Helpdesk Administrator"],
        },
    )
    await drive(ctx)
    assert seen.values("keyturn.discovery.accounts") == {(PROFILE,): 3}


async def test_a_sweep_that_leaves_some_out(seen: Recorded) -> None:
    ctx = await onboarded()
    ctx.clock.advance(timedelta(days=2))
    ctx.tenant.fail("ledger.begin", RuntimeError("bug"))
    assert await sweep(ctx, "verify") == 0
    assert seen.values("keyturn.sweeps") == {("verify", "partial"): 1}
    assert seen.values("keyturn.sweep.connections") == {("verify", "failed"): 1}
    (told,) = seen.events("sweep.failed")
    assert told["connection"] == NAME and told["error"] == "RuntimeError"
    assert "bug" not in told["where"] and "begin" in told["where"]
    (span,) = seen.named("sweep")
    assert span.attributes["outcome"] == "partial" and span.attributes["failed"] == 1


async def test_a_sweep_that_cannot_read(seen: Recorded) -> None:
    ctx = await onboarded()
    ctx.tenant.fail("ledger.due", TryLater("STORAGE_UNREACHABLE", "down"))
    with pytest.raises(TryLater):
        await sweep(ctx, "rotate")
    assert seen.values("keyturn.sweeps") == {("rotate", "failed"): 1}


async def test_how_all_connections_are(seen: Recorded) -> None:
    ctx = await onboarded()
    credential = (await connection(ctx)).credential
    assert credential is not None
    await sweep(ctx, "rotate")
    assert seen.values("keyturn.credential.nearest_expiry") == {}  # another sweep looks
    await sweep(ctx, "verify")
    left = (credential.expires - ctx.clock.now()) / timedelta(days=1)
    expiry = seen.values("keyturn.credential.nearest_expiry")
    assert expiry == {(NAME, PROFILE): pytest.approx(left)}
    assert seen.values("keyturn.connections") == {(PROFILE,): 1}
    assert seen.values("keyturn.findings.open") == {("missing",): 0, ("extra",): 0, ("foreign",): 0}
    assert seen.values("keyturn.credential.rotation_overdue") == {(): 0}
    ctx.clock.advance(timedelta(minutes=15))
    await sweep(ctx, "verify")  # not read again so soon
    assert seen.values("keyturn.credential.nearest_expiry") == expiry
    ctx.clock.reach(credential.due + timedelta(days=2))
    await sweep(ctx, "verify")
    assert seen.values("keyturn.credential.rotation_overdue") == {(): 1}
    assert seen.values("keyturn.credential.nearest_expiry")[(NAME, PROFILE)] < left - 100


async def test_a_census_that_fails_leaves_the_sweep_alone(seen: Recorded) -> None:
    ctx = await onboarded()
    ctx.tenant.fail("ledger.connections", TryLater("STORAGE_UNREACHABLE", "down"))
    await sweep(ctx, "verify")
    assert seen.values("keyturn.sweeps") == {("verify", "succeeded"): 1}
    assert seen.events("census.failed") != [] and seen.values("keyturn.connections") == {}
    await sweep(ctx, "verify")
    assert seen.values("keyturn.connections") == {(PROFILE,): 1}


async def test_a_refused_order(seen: Recorded) -> None:
    ctx = fake_context()
    await accept(b"{}", "message-1", ctx)
    (counted,) = seen.values("keyturn.requests.refused")
    assert counted[1] == "queue"
    (told,) = seen.events("request.refused")
    assert told["message"] == "message-1"


async def test_a_message_that_nobody_understands(seen: Recorded) -> None:
    declare_steps()
    with pytest.raises(msgspec.DecodeError):
        await run(STEPS["consent"], b"{", "message-1", fake_context())
    assert seen.values("keyturn.deliveries") == {("DecodeError", "failed", "consent"): 1}
    (told,) = seen.events("step.failed")
    assert told["error"] == "DecodeError"


async def test_messages_as_the_host_hands_them_over(
    seen: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = fake_context()

    async def context() -> FakeContext:
        return ctx

    monkeypatch.setattr(bootstrap, "context", context)
    await onboard(ctx)
    sent = ctx.outbox.take()
    assert sent is not None
    message = Message(sent, ctx.clock.now().replace(tzinfo=None) - timedelta(seconds=30))
    await take(sent.step, message)  # type: ignore[arg-type] # as much of one as is looked at
    assert seen.values("keyturn.queue.age") == {("registration",): 30}
    (span,) = seen.named("step")
    assert span.attributes["delivery"] == 3 and span.attributes["messaging.message.id"] == sent.id
    await take_dead(sent.step, message)  # type: ignore[arg-type] # the same
    assert seen.values("keyturn.dead_letters") == {("registration", "TooOld"): 1}
    assert {s.context.trace_id for s in seen.spans} == {span.context.trace_id}


@dataclass
class Message:
    """A message as the library makes it."""

    sent: Sent
    enqueued_time_utc: datetime
    delivery_count: int = 3

    @property
    def message_id(self) -> str:
        return self.sent.id

    @property
    def application_properties(self) -> dict[str, str]:
        return {"traceparent": self.sent.trace, "DeadLetterReason": "TooOld"}

    def get_body(self) -> bytes:
        return self.sent.body


async def test_the_age_of_a_message(seen: Recorded) -> None:
    now = fake_context().clock.now()
    telemetry.aged("consent", now - timedelta(seconds=90), now)
    telemetry.aged("consent", now + timedelta(seconds=1), now)  # clocks differ
    telemetry.aged("consent", None, now)
    assert seen.values("keyturn.queue.age") == {("consent",): 90}


async def test_what_graph_makes_us_wait(seen: Recorded) -> None:
    telemetry.paused(1.5)
    telemetry.paused(2.5)
    assert seen.values("keyturn.graph.wait") == {(): 4.0}
