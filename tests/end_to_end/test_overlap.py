"""The overlap on the local cloud, with its clock moved on: reminders, and the word that ends it."""

from datetime import datetime
from typing import Any

import pytest

from tests.end_to_end.local import Local, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = "dvls-overlap"
URL = f"/api/connections/{NAME}"
DAY = 86_400
SWEEPS = 330
"""Seconds after which every timer has run once more."""


async def credential(local: Local) -> dict[str, Any]:
    answer = await local.call("GET", f"{URL}/credential", caller="reader")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def advance(local: Local, seconds: float) -> None:
    await local.control("clock", {"advance_seconds": seconds})


async def next_sweep(local: Local) -> None:
    """Let the timers run once more, unless what they have started is still going on."""
    found = await local.connection(NAME)
    if found and all(run["state"] != "running" for run in found["operations"]):
        await advance(local, SWEEPS)


async def reminded(local: Local, percent: int) -> dict[str, Any]:
    """The credential once the reminder was sent; other work may come before it, so timers run."""

    async def check() -> dict[str, Any] | None:
        found = await credential(local)
        overlap = found["overlap"] or {"reminders": []}
        if any(reminder["percent"] == percent for reminder in overlap["reminders"]):
            return found
        await next_sweep(local)
        return None

    found: dict[str, Any] = await until(f"a reminder at {percent} %", check)
    return found


@pytest.mark.requirement("X-10")
async def test_people_are_reminded_and_their_word_ends_it(local: Local) -> None:
    await local.onboard(NAME)
    first = await local.assert_onboarded(NAME)
    answer = await local.call("POST", f"{URL}/rotation", json={})
    assert answer.status_code == 202, answer.text
    await local.assert_onboarded(NAME, secrets=2)
    shown = await credential(local)
    assert (shown["stage"], shown["operation"]) == ("overlap", answer.json()["operation"])
    await advance(local, 3.6 * DAY)
    shown = await reminded(local, 50)
    assert 0.5 < shown["overlap"]["used"] < 0.8
    assert shown["credential"]["previous_key_id"] == first["credential"]["key_id"]
    stale = {"version": first["credential"]["vault_version"]}
    path = f"{URL}/handover/acknowledgement"
    answer = await local.call("POST", path, json=stale)
    assert answer.status_code == 409 and "VERSION_NOT_SERVED" in answer.text
    order = (
        f'{{"apiVersion": "keyturn/v1", "kind": "acknowledge", "connection": "{NAME}",'
        f' "operation": "{shown["operation"]}", "by": "ana"}}'
    )
    await local.post("provisioning", ("word", order.encode()))

    async def gone() -> bool:
        """By the word, and days before the overlap would have ended without it."""
        found = await credential(local)
        if found["stage"] == "settled":
            return True
        await next_sweep(local)
        return False

    await until("the old secret to be removed", gone)
    after = await local.assert_onboarded(NAME)
    assert after["credential"]["acknowledged"]["by"] == "ana"
    retired = [r for r in (await local.get(f"{URL}/history"))["entries"] if "retired" in r["what"]]
    ended = datetime.fromisoformat(shown["overlap"]["until"])
    assert [datetime.fromisoformat(row["at"]) < ended for row in retired] == [True]
