"""One operation is one trace, whoever begins it and however its messages come."""

from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest

from functions import http_api
from functions.sweeps import sweep
from shared import bootstrap, telemetry
from shared.burial import bury
from shared.step import STEPS
from tests.bad_input.wanted import encoded
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.telemetry import Recorded
from tests.in_memory.chain.world import NAME, onboard
from tests.in_memory.http.client import ANA, JSON, SIGN_IN

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
"""Whose caller does not record, which is no reason for us not to."""


def trace(span: Any) -> str:
    return f"{span.context.trace_id:032x}"


async def call(ctx: FakeContext, monkeypatch: pytest.MonkeyPatch, **headers: str) -> Any:
    """Onboard through the registered function, as the host calls it."""

    async def context() -> FakeContext:
        return ctx

    monkeypatch.setattr(bootstrap, "context", context)
    for name, value in SIGN_IN.items():
        monkeypatch.setenv(name, value)
    app = func.FunctionApp()
    app.register_functions(http_api.blueprint())
    found = {f.get_function_name(): f.get_user_function() for f in app.get_functions()}
    request = func.HttpRequest(
        "POST",
        "https://keyturn.example/api/connections",
        headers={**ANA, **JSON, **headers},
        body=encoded({"name": NAME, "profile": "bitwarden-directory-connector"}),
    )
    return await found["create_connection"](request)


async def test_an_onboarding_is_one_trace_from_the_call_to_its_end(
    seen: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = fake_context()
    answer = await call(ctx, monkeypatch, traceparent=CALLER)
    assert answer.status_code == 202
    await drive(ctx)
    (asked,) = seen.named("call")
    (start,) = seen.named("start")
    assert trace(asked) == CALLER.split("-")[1] and start.parent.span_id == asked.context.span_id
    steps = seen.named("step")
    assert {trace(span) for span in seen.spans} == {trace(asked)}
    # Side by side, however many there were before.
    assert {span.parent.span_id for span in steps} == {start.context.span_id}
    assert len({span.attributes["step"] for span in steps}) == 8
    operation = start.attributes["operation"]
    assert asked.attributes["operation"] == operation
    assert {span.attributes["operation"] for span in steps} == {operation}
    assert {fields["operation"] for fields in seen.events("step.finished")} == {operation}
    assert steps[-1].attributes["outcome"] == "done"


async def test_waits_and_redeliveries_stay_in_the_trace(seen: Recorded) -> None:
    ctx = fake_context()
    await onboard(ctx)
    ctx.tenant.fail("applications.ensure", RuntimeError("bug"), times=1)
    await drive(ctx, redeliver=True)
    registration = [s for s in seen.named("step") if s.attributes["step"] == "registration"]
    outcomes = [span.attributes["outcome"] for span in registration]
    assert "failed" in outcomes and "postponed" in outcomes and outcomes[-1] == "done"
    assert registration[outcomes.index("failed")].attributes["code"] == "RuntimeError"
    assert len({trace(span) for span in seen.spans}) == 1


async def test_each_operation_that_a_sweep_begins_has_a_trace_of_its_own(seen: Recorded) -> None:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    first = trace(seen.spans[0])
    ctx.clock.advance(timedelta(days=2))
    assert await sweep(ctx, "verify") == 1
    await drive(ctx)
    (swept,) = seen.named("sweep")
    second = seen.named("start")[-1]
    assert len({first, trace(swept), trace(second)}) == 3
    assert [link.context.span_id for link in second.links] == [swept.context.span_id]
    verification = [s for s in seen.named("step") if trace(s) == trace(second)]
    assert [s.attributes["step"] for s in verification if s.attributes["outcome"] == "done"] == [
        "verification",
        "report",
    ]


async def test_a_rescued_operation_goes_on_in_its_trace(seen: Recorded) -> None:
    ctx = fake_context()
    await onboard(ctx)
    ctx.outbox.queued.clear()  # the message is lost
    ctx.clock.advance(timedelta(hours=1))
    assert await sweep(ctx, "resume") == 1
    await drive(ctx)
    (start,) = seen.named("start")
    assert {trace(span) for span in seen.named("step")} == {trace(start)}


@pytest.mark.parametrize("known", [True, False])
async def test_messages_of_versions_without_traces_are_of_one_trace(
    seen: Recorded, monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    ctx = fake_context()
    if known:
        await onboard(ctx)
    with monkeypatch.context() as older:
        if not known:
            older.setattr("shared.telemetry.recorder._recorder", None)
            await onboard(ctx)
    older = monkeypatch
    older.setattr(telemetry, "carried", lambda: "")
    (row,) = await ctx.ledger.operations(NAME)
    assert bool(row.trace) == known
    ctx.outbox.queued[:] = [
        type(sent)(sent.step, sent.body, sent.id, sent.at) for sent in ctx.outbox.queued
    ]
    await drive(ctx)
    expected = row.trace or telemetry.trace_of(row.id)
    assert {trace(span) for span in seen.named("step")} == {expected.split("-")[1]}
    assert all(sent.trace == "" for sent in ctx.outbox.sent[1:])


@pytest.mark.parametrize(
    "sent", ["", "rubbish", "00-" + "0" * 32 + "-" + "1" * 16 + "-01", "00-" + "a" * 49, "é"]
)
async def test_a_malformed_trace_is_none(sent: str) -> None:
    assert telemetry.trace_in({"traceparent": sent, "Diagnostic-Id": sent.encode()}) == ""
    assert telemetry.trace_in({"traceparent": sent, "Diagnostic-Id": CALLER}) == CALLER
    assert telemetry.trace_in(None) == ""


async def test_a_dead_letter_is_told_in_its_trace_and_counted(seen: Recorded) -> None:
    ctx = fake_context()
    await onboard(ctx)
    sent = ctx.outbox.take()
    assert sent is not None
    await drive(ctx)  # declares the steps
    arrival = telemetry.Arrival(message_id=sent.id, trace=sent.trace)
    with telemetry.buried(sent.step, arrival, "MaxDeliveryCountExceeded"):
        await bury(STEPS[sent.step], sent.body, sent.id, "MaxDeliveryCountExceeded", ctx)
    (start,) = seen.named("start")
    (grave,) = seen.named("bury")
    assert trace(grave) == trace(start)
    assert grave.attributes["operation"] == start.attributes["operation"]
    counted = {("registration", "MaxDeliveryCountExceeded"): 1}
    assert seen.values("keyturn.dead_letters") == counted
    assert seen.values("keyturn.operations") == {("DEAD_LETTERED", "onboard", "needs-attention"): 1}
    (told,) = seen.events("operation.needs-attention")
    assert told["code"] == "DEAD_LETTERED" and told["connection"] == NAME
