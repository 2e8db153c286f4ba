"""Malformed requests and messages, through the real entrances of the running functions."""

import asyncio
import json

import pytest

from tests.bad_input import http_bodies, queue_messages
from tests.end_to_end.local import Local, order, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.requirement("X-01")
async def test_every_bad_body_is_a_4xx_that_names_the_field(local: Local) -> None:
    gate = asyncio.Semaphore(8)

    async def send(row: http_bodies.Row) -> str | None:
        async with gate:
            headers = {"content-type": "application/json"}
            answer = await local.call("POST", "/api/connections", content=row.body, headers=headers)
        if not 400 <= answer.status_code < 500:
            return f"{row.id}: {answer.status_code}"
        problem = answer.json()
        named = {(p["field"], p["code"]) for p in problem.get("problems", [])}
        return None if (row.field, row.code) in named else f"{row.id}: {answer.text}"

    assert len(http_bodies.ROWS) >= 40
    wrong = await asyncio.gather(*(send(row) for row in http_bodies.ROWS))
    assert [line for line in wrong if line] == []
    assert (await local.get("/api/connections"))["connections"] == []


@pytest.mark.requirement("X-02")
async def test_every_bad_message_is_recorded_once_and_none_loops(local: Local) -> None:
    """The last, good message proves that all before it have been taken from the queue."""
    bad = [(f"bad-{row.id}", row.body) for row in queue_messages.ROWS]
    assert len(bad) >= 40
    good = json.dumps(order("dvls-after")).encode()
    await local.post("provisioning", *bad, ("good", good))
    await local.approve("dvls-after")
    await local.assert_onboarded("dvls-after")

    async def recorded() -> bool:
        return len(await _refusals(local)) >= len(bad)

    await until("every refusal to be recorded", recorded)
    assert await _refusals(local) == sorted(id_ for id_, _ in bad)
    assert await _kept(local) == sorted(id_ for id_, _ in bad)
    assert await _waiting(local) == (0, 0)
    names = [c["name"] for c in (await local.get("/api/connections"))["connections"]]
    assert names == ["dvls-after"]


async def _refusals(local: Local) -> list[str]:
    """Ids of the refused messages that the audit lists."""
    listed = (await local.get("/api/refusals?limit=1000"))["refusals"]
    return sorted(row["id"] for row in listed if row["source"] == "provisioning")


async def _kept(local: Local) -> list[str]:
    """Message ids in the queue of refused messages."""
    from azure.servicebus.aio import ServiceBusClient

    connection = local.state["servicebus_connection_string"]
    found: list[str] = []
    async with (
        ServiceBusClient.from_connection_string(connection) as client,
        client.get_queue_receiver("refused") as receiver,
    ):
        start = 0
        while page := await receiver.peek_messages(100, sequence_number=start):
            found += [str(message.message_id) for message in page]
            start = (page[-1].sequence_number or 0) + 1
    return sorted(found)


async def _waiting(local: Local) -> tuple[int, int]:
    """Messages left in the provisioning queue and in its dead-letter queue."""
    from azure.servicebus import ServiceBusSubQueue
    from azure.servicebus.aio import ServiceBusClient

    connection = local.state["servicebus_connection_string"]
    async with ServiceBusClient.from_connection_string(connection) as client:
        dead = client.get_queue_receiver("provisioning", sub_queue=ServiceBusSubQueue.DEAD_LETTER)
        async with client.get_queue_receiver("provisioning") as receiver, dead:
            return len(await receiver.peek_messages(10)), len(await dead.peek_messages(10))
