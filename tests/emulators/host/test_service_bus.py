"""Service Bus triggers against the emulated broker, on both dispatch cores."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.emulators.host.broker import Broker, broker, queue, topic
from tests.emulators.host.process import CORES, Running, require, running, until, write_app
from tests.emulators.host.record import CODE, Record

APP = (
    CODE
    + """
app = func.FunctionApp()

def trigger(queue, **options):
    options = {"data_type": func.DataType.BINARY, **options}
    return app.service_bus_queue_trigger(
        arg_name="message", queue_name=queue, connection="Bus", **options)

@trigger("%PLAIN_QUEUE%")
async def plain(message: func.ServiceBusMessage, context: func.Context) -> None:
    note(function=context.function_name, **describe(message))

@trigger("plain-sync")
def plain_sync(message: func.ServiceBusMessage) -> None:
    note(function="plain_sync", **describe(message))

@trigger("text", data_type=None)
async def text(message: func.ServiceBusMessage) -> None:
    note(function="text", **describe(message))

@trigger("failing")
async def failing(message: func.ServiceBusMessage) -> None:
    note(function="failing", **describe(message))
    raise RuntimeError("always")

@trigger("failing/$DeadLetterQueue")
async def watcher(message: func.ServiceBusMessage) -> None:
    note(function="watcher", **describe(message))

@trigger("returning")
async def returning(message: func.ServiceBusMessage):
    note(function="returning", **describe(message))
    return "a value"

@trigger("ordered", is_sessions_enabled=True)
async def ordered(message: func.ServiceBusMessage) -> None:
    note(function="ordered", event="begin", **describe(message))
    if message.subject == "wait for the other":
        gate = pathlib.Path(os.environ["RECORD"] + ".gate")
        while not gate.exists():
            await asyncio.sleep(0.01)
    note(function="ordered", event="end", **describe(message))

@trigger("session-failing", is_sessions_enabled=True)
async def session_failing(message: func.ServiceBusMessage) -> None:
    note(function="session_failing", **describe(message))
    raise RuntimeError("always")

@trigger("slow")
async def slow(message: func.ServiceBusMessage) -> None:
    await asyncio.sleep(6.5)
    note(function="slow", **describe(message))

@trigger("slow-session", is_sessions_enabled=True)
async def slow_session(message: func.ServiceBusMessage) -> None:
    await asyncio.sleep(6.5)
    note(function="slow_session", **describe(message))

@app.service_bus_topic_trigger(arg_name="message", topic_name="news", connection="Bus",
                               subscription_name="all", data_type=func.DataType.BINARY)
async def reader(message: func.ServiceBusMessage) -> None:
    note(function="reader", **describe(message))
"""
)
QUEUES = [
    *(queue(name) for name in ("plain", "plain-sync", "text", "failing", "returning")),
    queue("slow", lock="PT5S"),
    queue("slow-session", sessions=True, lock="PT5S"),
    *(queue(name, sessions=True) for name in ("ordered", "session-failing")),
]


class World:
    """A broker and a host that listens to it."""

    def __init__(self, bus: Broker, record: Record, host: Running) -> None:
        self.bus, self.record, self.host = bus, record, host


@pytest.fixture(scope="module", params=CORES)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    require(request.param)
    folder = tmp_path_factory.mktemp("world")
    app = write_app(folder / "app", APP)
    record = Record(folder / "record")
    with broker(folder, QUEUES, [topic("news", "all")]) as bus:
        settings = {
            "Bus": bus.connection_string,
            "RECORD": str(record.file),
            "PLAIN_QUEUE": "plain",
        }
        with running(app, core=request.param, settings=settings) as host:
            # These take longer than their locks last; a later test looks at the outcome.
            bus.send("slow", b"x", message_id="slow")
            bus.send("slow-session", b"x", message_id="slow-session", session_id="a")
            yield World(bus, record, host)


def test_message_as_the_function_sees_it(world: World) -> None:
    world.bus.send(
        "plain",
        b"hello",
        message_id="m1",
        correlation_id="c1",
        subject="s1",
        content_type="text/plain",
        reply_to="r1",
        time_to_live=timedelta(hours=1),
        application_properties={"text": "a", "number": 7, "truth": True},
    )
    [seen] = world.record.wait(function="plain", id="m1")
    assert seen["body"] == "hello"
    assert seen["count"] == 1
    assert seen["correlation"] == "c1"
    assert seen["subject"] == seen["label"] == "s1"
    assert (seen["content_type"], seen["reply_to"]) == ("text/plain", "r1")
    assert seen["user"] == seen["application"] == {"text": "a", "number": 7, "truth": True}
    assert seen["sequence"] > 0
    assert seen["zone"] == "None"  # the host sends ...Utc fields without Z
    assert {"EnqueuedTime", "ExpiresAt", "ExpiresAtUtc", "LockToken", "Client"} <= set(
        seen["names"]
    )
    assert not {"DeadLetterReason", "TimeToLive", "State", "SessionId"} & set(seen["names"])
    until(lambda: world.bus.waiting("plain") == 0)


def test_sync_function_and_message_without_payload(world: World) -> None:
    world.bus.send("plain-sync", b"", message_id="empty")
    [seen] = world.record.wait(function="plain_sync", id="empty")
    assert seen["body"] == ""


def test_failure_is_redelivered_then_dead_lettered_to_the_watcher(world: World) -> None:
    world.bus.send("failing", b"x", message_id="f1", application_properties={"kept": 1})
    [dead] = world.record.wait(function="watcher", id="f1")
    assert [each["count"] for each in world.record.all(function="failing", id="f1")] == [1, 2, 3]
    assert dead["reason"] is None  # the host never fills the field ...
    assert dead["application"]["DeadLetterReason"] == "MaxDeliveryCountExceeded"  # ... but this
    assert dead["application"]["kept"] == 1
    until(lambda: world.bus.waiting("failing", sub_queue="deadletter") == 0)


def test_session_failure_is_redelivered_then_dead_lettered(world: World) -> None:
    world.bus.send("session-failing", b"x", message_id="sf", session_id="a")
    seen = world.record.wait(3, function="session_failing", id="sf")
    assert [each["count"] for each in seen] == [1, 2, 3]
    until(lambda: world.bus.waiting("session-failing", sub_queue="deadletter") == 1)


def test_returned_value_fails_the_invocation(world: World) -> None:
    world.bus.send("returning", b"x", message_id="ret")
    world.record.wait(3, function="returning", id="ret")
    until(lambda: world.bus.waiting("returning", sub_queue="deadletter") == 1)


def test_binary_body_cannot_forge_metadata(world: World) -> None:
    body = json.dumps({"messageId": "forged", "deliveryCount": "abc", "UserProperties": {"a": 1}})
    world.bus.send("plain", body, message_id="honest")
    [seen] = world.record.wait(function="plain", id="honest")
    assert (seen["count"], seen["user"]) == (1, {})


def test_text_body_forges_metadata(world: World) -> None:
    """The trap of the Azure host that `data_type="binary"` avoids."""
    world.bus.send("text", json.dumps({"messageId": "forged", "new": [1]}), message_id="honest")
    [seen] = world.record.wait(function="text", id="forged")
    assert "new" not in seen["names"]
    assert not world.record.all(function="text", id="honest")


def test_text_body_can_fail_before_user_code(world: World) -> None:
    world.bus.send("text", json.dumps({"deliveryCount": "abc"}), message_id="poison")
    until(lambda: world.bus.waiting("text", sub_queue="deadletter") == 1)
    assert not world.record.all(function="text", id="poison")


def test_sessions_keep_order_and_do_not_wait_for_each_other(world: World) -> None:
    for number in range(3):
        subject = "wait for the other" if number == 0 else "go"
        world.bus.send("ordered", b"x", session_id="a", message_id=f"a{number}", subject=subject)
    world.record.wait(event="begin", id="a0")
    for number in range(2):
        world.bus.send("ordered", b"x", session_id="b", message_id=f"b{number}", subject="go")
    world.record.wait(event="end", id="b1")
    assert not world.record.all(event="begin", id="a1")
    world.record.file.with_name(world.record.file.name + ".gate").touch()
    world.record.wait(event="end", id="a2")
    order = [(x["event"], x["id"]) for x in world.record.all(function="ordered", session="a")]
    assert order == [(event, f"a{n}") for n in range(3) for event in ("begin", "end")]


def test_locks_are_renewed(world: World) -> None:
    [seen] = world.record.wait(function="slow", id="slow")
    [in_session] = world.record.wait(function="slow_session", id="slow-session")
    assert seen["count"] == in_session["count"] == 1
    until(lambda: world.bus.waiting("slow") == 0)


def test_subscription(world: World) -> None:
    world.bus.send("news", b"x", topic=True, message_id="n1")
    world.record.wait(function="reader", id="n1")


def test_started_by_hand_through_the_admin_api(world: World) -> None:
    answer = world.host.admin("POST", "/admin/functions/plain", json={"input": "by hand"})
    assert answer.status_code == 202
    [seen] = world.record.wait(function="plain", body="by hand")
    assert (seen["id"], seen["user"]) == (None, {})
