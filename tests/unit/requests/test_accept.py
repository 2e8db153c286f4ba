"""The `provisioning` queue: orders become operations, or refusals that lose nothing."""

import hashlib
from datetime import timedelta

import pytest

from functions.steps.accept import accept
from shared.model.connection import Credential, Facts
from shared.operations import finish
from tests.bad_input import Row
from tests.bad_input.queue_messages import ACKNOWLEDGE, CHANGE, GOOD, ROTATE, ROWS
from tests.bad_input.wanted import encoded
from tests.fakes import FakeContext, fake_context

BODY = encoded(GOOD)


@pytest.fixture
def ctx() -> FakeContext:
    return fake_context()


async def only_refusal(ctx: FakeContext) -> dict[str, object]:
    [row] = await ctx.ledger.refusals()
    return row


async def end(ctx: FakeContext, state: str) -> str:
    """End the operation in flight; answers its id."""
    connection = await ctx.ledger.connection("dvls-prod")
    assert connection is not None
    operation = await ctx.ledger.operation("dvls-prod", connection.operation)
    assert operation is not None
    await ctx.ledger.amend("dvls-prod", facts=Facts(object_id="object-1"))
    await finish(ctx, operation, state, {})
    return operation.id


@pytest.mark.requirement("X-02")
@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
async def test_bad_messages_are_set_aside(ctx: FakeContext, row: Row):
    await accept(row.body, "message-1", ctx)
    refusal = await only_refusal(ctx)
    problems = refusal["problems"]
    assert isinstance(problems, list)
    assert (row.field, row.code) in {(p["field"], p["code"]) for p in problems}
    assert refusal["sha256"] == hashlib.sha256(row.body).hexdigest()
    assert refusal["size"] == len(row.body)
    [aside] = ctx.outbox.refused
    assert (aside.body, aside.message_id) == (row.body, "message-1")
    assert aside.reason
    [event] = ctx.outbox.events
    assert (event.id, event.type) == ("message-1:refused", "keyturn.request.refused")
    assert ctx.outbox.sent == []
    assert await ctx.ledger.connections() == []


async def test_a_refusal_may_be_repeated(ctx: FakeContext):
    for _ in range(3):
        await accept(b"{}", "message-1", ctx)
    await only_refusal(ctx)
    assert len({event.id for event in ctx.outbox.events}) == 1


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize("method", ["ledger.refuse", "outbox.set_aside", "outbox.publish"])
async def test_a_refusal_survives_a_crash(ctx: FakeContext, method: str, *, after_effect: bool):
    ctx.tenant.fail(method, RuntimeError("killed"), after_effect=after_effect)
    with pytest.raises(RuntimeError, match="killed"):
        await accept(b"{}", "message-1", ctx)
    await accept(b"{}", "message-1", ctx)
    await only_refusal(ctx)
    assert {aside.body for aside in ctx.outbox.refused} == {b"{}"}
    assert {event.id for event in ctx.outbox.events} == {"message-1:refused"}


@pytest.mark.requirement("X-02")
async def test_a_good_message_onboards(ctx: FakeContext):
    await accept(BODY, "message-1", ctx)
    [operation] = await ctx.ledger.operations("dvls-prod")
    assert (operation.kind, operation.asked_by) == ("onboard", "provisioning queue")
    [sent] = ctx.outbox.sent
    assert (sent.step, sent.message.operation) == ("registration", operation.id)
    assert await ctx.ledger.refusals() == []


@pytest.mark.requirement("X-03")
async def test_the_same_message_twice_makes_one_operation(ctx: FakeContext):
    await accept(BODY, "message-1", ctx)
    await accept(BODY, "message-1", ctx)
    assert len(await ctx.ledger.operations("dvls-prod")) == 1


@pytest.mark.parametrize("state", ["succeeded", "needs-attention"])
async def test_a_message_that_comes_back_late_starts_nothing(ctx: FakeContext, state: str):
    await accept(BODY, "message-1", ctx)
    await end(ctx, state)
    await accept(BODY, "message-1", ctx)
    assert len(await ctx.ledger.operations("dvls-prod")) == 1
    assert len(ctx.outbox.sent) == 1
    assert await ctx.ledger.refusals() == []


async def test_another_message_of_the_same_content_joins(ctx: FakeContext):
    await accept(BODY, "message-1", ctx)
    await accept(BODY, "message-2", ctx)
    assert len(await ctx.ledger.operations("dvls-prod")) == 1
    assert await ctx.ledger.refusals() == []


async def test_another_message_after_trouble_tries_again(ctx: FakeContext):
    await accept(BODY, "message-1", ctx)
    await end(ctx, "needs-attention")
    await accept(BODY, "message-2", ctx)
    assert len(await ctx.ledger.operations("dvls-prod")) == 2
    assert ctx.outbox.steps() == ["registration", "registration"]


@pytest.mark.requirement("X-06")
@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    "method",
    [
        "ledger.create",
        "ledger.record",
        "ledger.operations",
        "ledger.set_due",
        "ledger.begin",
        "outbox.send",
    ],
)
async def test_redelivery_heals_a_crash(ctx: FakeContext, method: str, *, after_effect: bool):
    ctx.tenant.fail(method, RuntimeError("killed"), after_effect=after_effect)
    with pytest.raises(RuntimeError, match="killed"):
        await accept(BODY, "message-1", ctx)
    await accept(BODY, "message-1", ctx)
    [operation] = await ctx.ledger.operations("dvls-prod")
    assert {sent.message.operation for sent in ctx.outbox.sent} == {operation.id}


async def test_a_name_that_is_taken_is_refused(ctx: FakeContext):
    await accept(BODY, "message-1", ctx)
    other = encoded({**GOOD, "owner": "eve@contoso.com"})
    await accept(other, "message-2", ctx)
    assert (await only_refusal(ctx))["reason"] == "NAME_TAKEN"
    assert ctx.outbox.refused[0].body == other
    assert ctx.outbox.events[0].subject == "dvls-prod"
    assert len(ctx.outbox.sent) == 1


@pytest.mark.parametrize("kind", ["rotate", "verify", "discover"])
async def test_other_orders_start_operations(ctx: FakeContext, kind: str):
    await accept(BODY, "message-1", ctx)
    await end(ctx, "succeeded")
    body = encoded({**ROTATE, "kind": kind})
    await accept(body, "message-2", ctx)
    await accept(body, "message-2", ctx)
    kinds = [operation.kind for operation in await ctx.ledger.operations("dvls-prod")]
    assert sorted(kinds) == sorted(["onboard", kind])
    assert await ctx.ledger.refusals() == []


@pytest.mark.parametrize("kind", ["rotate", "verify", "discover"])
async def test_orders_for_unknown_connections_are_refused(ctx: FakeContext, kind: str):
    await accept(encoded({**ROTATE, "kind": kind}), "message-1", ctx)
    assert (await only_refusal(ctx))["reason"] == "CONNECTION_UNKNOWN"


async def test_an_order_in_the_way_of_another_is_refused(ctx: FakeContext):
    await accept(BODY, "message-1", ctx)
    await accept(encoded(ROTATE), "message-2", ctx)
    assert (await only_refusal(ctx))["reason"] == "OPERATION_RUNNING"


async def test_a_message_without_an_id_is_refused(ctx: FakeContext):
    """Repeated deliveries of it could not be told from new orders."""
    await accept(BODY, "", ctx)
    refusal = await only_refusal(ctx)
    assert refusal["message_id"] == f"sha256-{hashlib.sha256(BODY).hexdigest()}"
    assert ctx.outbox.sent == []


async def test_a_change_is_stored_and_brought_about_once(ctx: FakeContext):
    await accept(BODY, "message-1", ctx)
    await end(ctx, "succeeded")
    ctx.clock.advance(minutes=1)
    body = encoded({**CHANGE, "inputs": {"filter": ["User Administrator"]}})
    for _ in range(2):
        await accept(body, "message-2", ctx)
    connection = await ctx.ledger.connection("dvls-prod")
    assert connection is not None
    assert connection.spec.inputs["filter"] == ["User Administrator"]
    assert [sent.step for sent in ctx.outbox.sent[:2]] == ["registration", "registration"]
    assert len(await ctx.ledger.operations("dvls-prod")) == 2
    what = [row["what"] for row in await ctx.ledger.history("dvls-prod")]
    assert what.count("connection.changed") == 1


async def published(ctx: FakeContext, version: str) -> None:
    """Note a published secret, which has replaced another."""
    now = ctx.clock.now()
    credential = Credential(
        key_id=f"key of {version}",
        expires=now + timedelta(days=180),
        published=now,
        due=now + timedelta(days=120),
        vault_name="dvls-prod",
        vault_version=version,
        previous_key_id="key-0",
        overlap_until=now + timedelta(days=7),
        operation=f"rotation of {version}",
    )
    await ctx.ledger.amend("dvls-prod", credential=credential)


@pytest.mark.requirement("X-02", "X-10")
@pytest.mark.parametrize("named", [{}, {"version": "v1"}, {"operation": "rotation of v1"}])
async def test_an_acknowledgement_is_an_order_too(ctx: FakeContext, named: dict[str, str]):
    await accept(BODY, "message-1", ctx)
    await end(ctx, "succeeded")
    await published(ctx, "v1")
    ctx.clock.advance(days=1)
    body = encoded({**ACKNOWLEDGE, **named, "by": "the product's own script"})
    for _ in range(2):
        await accept(body, "message-2", ctx)
    connection = await ctx.ledger.connection("dvls-prod")
    assert connection is not None and connection.takeover is not None
    word = connection.takeover
    assert (word.version, word.by, word.at) == ("v1", "the product's own script", ctx.clock.now())
    assert (await ctx.ledger.due_times("dvls-prod"))["retire"] == ctx.clock.now()
    [row] = [
        r for r in await ctx.ledger.history("dvls-prod") if r["what"] == "handover.acknowledged"
    ]
    assert row["asked_by"] == "provisioning queue"
    assert await ctx.ledger.refusals() == []
    assert len(await ctx.ledger.operations("dvls-prod")) == 1


async def test_an_acknowledgement_that_comes_again_is_no_word_for_a_later_version(
    ctx: FakeContext,
):
    await accept(BODY, "message-1", ctx)
    await end(ctx, "succeeded")
    await published(ctx, "v1")
    await accept(encoded(ACKNOWLEDGE), "message-2", ctx)
    await published(ctx, "v2")
    await accept(encoded(ACKNOWLEDGE), "message-2", ctx)
    connection = await ctx.ledger.connection("dvls-prod")
    assert connection is not None and connection.takeover is not None
    assert connection.takeover.version == "v1"
    assert await ctx.ledger.refusals() == []
    await accept(encoded({**ACKNOWLEDGE, "version": "v1"}), "message-3", ctx)
    assert (await only_refusal(ctx))["reason"] == "VERSION_NOT_SERVED"


@pytest.mark.parametrize("after_effect", [False, True])
@pytest.mark.parametrize(
    "method",
    [
        "ledger.connection",
        "ledger.history",
        "ledger.record",
        "ledger.amend(takeover)",
        "ledger.set_due",
        "ledger.set_condition",
    ],
)
async def test_an_acknowledgement_survives_a_crash(
    ctx: FakeContext, method: str, *, after_effect: bool
):
    await accept(BODY, "message-1", ctx)
    await end(ctx, "succeeded")
    await published(ctx, "v1")
    ctx.tenant.fail(method, RuntimeError("killed"), after_effect=after_effect)
    with pytest.raises(RuntimeError, match="killed"):
        await accept(encoded(ACKNOWLEDGE), "message-2", ctx)
    await accept(encoded(ACKNOWLEDGE), "message-2", ctx)
    connection = await ctx.ledger.connection("dvls-prod")
    assert connection is not None and connection.takeover is not None
    assert connection.conditions[-1].reason == "ACKNOWLEDGED"
    assert "retire" in await ctx.ledger.due_times("dvls-prod")
    what = [row["what"] for row in await ctx.ledger.history("dvls-prod")]
    assert what.count("handover.acknowledged") == 1


@pytest.mark.requirement("X-17")
async def test_a_change_that_exceeds_the_profile_is_refused(ctx: FakeContext):
    await accept(BODY, "message-1", ctx)
    await end(ctx, "succeeded")
    await accept(encoded({**CHANGE, "features": {"teleport": True}}), "message-2", ctx)
    refusal = await only_refusal(ctx)
    assert (refusal["reason"], refusal["connection"]) == ("FEATURE_UNKNOWN", "dvls-prod")
    assert (refusal["source"], refusal["asked_by"]) == ("provisioning", "provisioning queue")
