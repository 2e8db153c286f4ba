"""azure-servicebus, synchronous: the core of the scenarios against another process."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.servicebus import (
    NEXT_AVAILABLE_SESSION,
    ServiceBusClient,
    ServiceBusMessage,
    ServiceBusMessageState,
    ServiceBusSubQueue,
)

from tests.emulators.servicebus.client import FAST
from tests.emulators.servicebus.entities import config_text
from tests.emulators.servicebus.process import running


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceBusClient]:
    config = tmp_path_factory.mktemp("sync") / "config.json"
    config.write_text(config_text())
    with (
        running(config) as emulator,
        ServiceBusClient.from_connection_string(emulator.connection_string, **FAST) as client,
    ):
        yield client


def test_the_life_of_messages(client: ServiceBusClient) -> None:
    with client.get_queue_sender("q1") as sender, client.get_queue_receiver("q1") as receiver:
        sender.send_messages([ServiceBusMessage(str(n), message_id=str(n)) for n in range(4)])
        got = receiver.receive_messages(4, max_wait_time=5)
        while len(got) < 4:
            got += receiver.receive_messages(4 - len(got), max_wait_time=5)
        assert [str(m) for m in got] == ["0", "1", "2", "3"]
        receiver.complete_message(got[0])
        receiver.dead_letter_message(got[1], reason="bad", error_description="worse")
        receiver.defer_message(got[2])
        receiver.renew_message_lock(got[3])
        receiver.abandon_message(got[3])
        (again,) = receiver.receive_messages(1, max_wait_time=5)
        assert (str(again), again.delivery_count) == ("3", 1)
        receiver.complete_message(again)
        (deferred,) = receiver.receive_deferred_messages(got[2].sequence_number)
        receiver.complete_message(deferred)
        (number,) = sender.schedule_messages(
            [ServiceBusMessage("later")], datetime.now(UTC) + timedelta(hours=1)
        )
        (peeked,) = receiver.peek_messages(5, sequence_number=1)
        assert peeked.state == ServiceBusMessageState.SCHEDULED
        sender.cancel_scheduled_messages(number)
        assert receiver.peek_messages(5, sequence_number=1) == []
    dead = client.get_queue_receiver("q1", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
    with dead:
        (message,) = dead.receive_messages(1, max_wait_time=5)
        assert (message.dead_letter_reason, message.dead_letter_error_description) == (
            "bad", "worse",
        )  # fmt: skip
        dead.complete_message(message)


def test_sessions(client: ServiceBusClient) -> None:
    with client.get_queue_sender("qsess") as sender:
        sender.send_messages([ServiceBusMessage(str(n), session_id="a") for n in range(3)])
    with client.get_queue_receiver("qsess", session_id=NEXT_AVAILABLE_SESSION) as receiver:
        assert receiver.session.session_id == "a"
        receiver.session.set_state("state")
        assert receiver.session.get_state() == b"state"
        received = 0
        while received < 3:
            for message in receiver.receive_messages(3, max_wait_time=5):
                assert str(message) == str(received)
                receiver.complete_message(message)
                received += 1
