"""Services go away for a while in the middle of the chain, and come back."""

import functools

import pytest

from tests.end_to_end.local import FOUR, Local, request, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def registered(local: Local, name: str) -> bool:
    return bool(await local.applications(name))


async def test_table_storage_is_down_while_an_onboarding_runs(local: Local) -> None:
    """Longer than all quick redeliveries of a message together."""
    name = "dvls-storage-down"
    await local.onboard(name)
    await until("registration", functools.partial(registered, local, name))
    await local.cloud.storage.kill()
    answers = []
    for _ in range(3):
        answer = await local.call("POST", "/api/connections", json=request(name))
        answers.append((answer.status_code, answer.headers.get("retry-after", "")))
    await local.cloud.storage.start()
    assert {status for status, _ in answers} == {503}
    assert all(after for _, after in answers)
    found = await local.assert_onboarded(name)
    assert await local.token_roles(name, found["application"]["client_id"]) == FOUR


async def test_the_queues_are_down_when_a_request_comes(local: Local) -> None:
    """The client is told, repeats it, and is not made to wait for a sweep."""
    name = "dvls-queue-down"
    local.cloud.children["servicebus"].kill()
    await local.cloud.children["servicebus"].gone()
    refused = await local.call("POST", "/api/connections", json=request(name))
    assert (refused.status_code, refused.headers["content-type"]) == (
        503,
        "application/problem+json",
    )
    assert refused.headers["retry-after"]
    await local.cloud.restart("servicebus")
    accepted = await local.call("POST", "/api/connections", json=request(name))
    assert accepted.status_code == 202
    await local.approve(name)
    await local.assert_onboarded(name)
