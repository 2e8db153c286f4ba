"""The published secret, its overlap, and how far a rotation is, as people see them."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman
from shared.model.connection import Credential
from tests.fakes import FakeContext
from tests.fakes.drive import drive
from tests.fakes.tenant import SecretRow
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import rotate
from tests.in_memory.chain.world import NAME
from tests.in_memory.http.client import Client, principal

URL = f"/api/connections/{NAME}/credential"
READER = principal("rex@contoso.com", "Reader")
DAY = timedelta(days=1)


async def status(ctx: FakeContext) -> Any:
    """As somebody sees it who may only read."""
    answer = await Client(ctx, READER).get(URL)
    assert answer.status == 200, answer.content
    return answer.json


def names(shown: Any) -> list[str]:
    return [rung["name"] for rung in shown["rungs"]]


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_before_there_is_a_secret(client: Client):
    await client.onboarded("dvls-prod")
    await client.ctx.ledger.amend("dvls-prod", credential=None)
    shown = await status(client.ctx)
    assert (shown["stage"], shown["kind"]) == ("none", "client_secret")
    assert shown["credential"] is shown["overlap"] is shown["state"] is None
    assert shown["rungs"] == shown["strays"] == []


@pytest.mark.requirement("X-10")
async def test_the_first_secret_has_no_overlap():
    ctx = await onboarded()
    shown = await status(ctx)
    assert (shown["stage"], shown["state"], shown["warning"]) == ("settled", "ok", None)
    assert shown["overlap"] is None
    assert shown["running"] is False
    assert {"intended", "added", "published"} <= set(names(shown))
    assert shown["expires"] == shown["credential"]["expires"]
    assert (await Client(ctx).get(f"/api/connections/{NAME}")).json["credential"] == (
        shown["credential"]
    )


@pytest.mark.requirement("X-10")
async def test_a_rotation_is_followed_to_its_end():
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    stages = []
    for _ in range(20):
        await drive(ctx, until=_counting(1))
        shown = await status(ctx)
        stages.append(shown["stage"])
        if shown["stage"] == "overlap":
            break
    assert stages[-1] == "overlap"
    assert "staged" in stages or "verifying" in stages
    await drive(ctx)
    begun = when((await status(ctx))["overlap"]["from"])
    for day in (1, 2, 3, 4, 5, 6):
        ctx.clock.reach(begun + day * DAY)
        await sweep(ctx, "retire")
        await drive(ctx)
    shown = await status(ctx)
    overlap, published = shown["overlap"], shown["credential"]
    assert when(overlap["until"]) == begun + 7 * DAY
    assert overlap["used"] == pytest.approx(6 / 7, abs=0.001)
    assert [reminder["percent"] for reminder in overlap["reminders"]] == [50, 80]
    assert when(published["previous_expires"]) > ctx.clock.now()
    assert names(shown).count("reminded") == 2
    said = {"version": published["vault_version"], "note": "done"}
    await Client(ctx).post(f"/api/connections/{NAME}/handover/acknowledgement", said)
    shown = await status(ctx)
    assert shown["overlap"]["acknowledged"]["by"] == "ana@contoso.com"
    assert shown["overlap"]["used"] == 1.0
    assert when(shown["credential"]["overlap_until"]) == ctx.clock.now()
    await sweep(ctx, "retire")
    await drive(ctx)
    shown = await status(ctx)
    assert (shown["stage"], shown["overlap"]) == ("settled", None)
    assert shown["credential"]["acknowledged"]["note"] == "done"
    assert shown["credential"]["previous_key_id"] == ""
    assert "retired" in names(shown)


def _counting(deliveries: int) -> Any:
    left = [deliveries]

    def stop(_sent: object) -> bool:
        left[0] -= 1
        return left[0] < 0

    return stop


async def test_a_rotation_that_failed_is_what_people_see_first():
    ctx = await onboarded()
    ctx.clock.advance(days=125)
    refused = NeedsHuman("SECRET_TYPE_BLOCKED", "blocked", "use a certificate")
    ctx.tenant.fail("credentials.add", refused, times=10)
    await rotate(ctx, "rotate-1")
    shown = await status(ctx)
    assert (shown["stage"], shown["operation"]) == ("stopped", "rotate-1")
    assert (shown["state"], shown["warning"]) == ("overdue", None)
    assert shown["credential"]["operation"] != "rotate-1"
    ctx.clock.advance(days=45)
    assert (await status(ctx))["warning"] == "act"
    line = (await Client(ctx).get("/api/connections")).json["connections"][0]
    assert line["credential_warning"] == "act"


async def test_strays_are_all_there():
    ctx = await onboarded()
    (application,) = ctx.tenant.applications.values()
    now = ctx.clock.now()
    for name, days in (("by hand", 90), ("long gone", -9)):
        application.secrets.append(
            SecretRow(name=name, value="x", starts=now - 99 * DAY, ends=now + days * DAY)
        )
    await onboarding.run(ctx, NAME, "verify", "verify-1", asked_by="test")
    await drive(ctx)
    shown = await status(ctx)
    assert {(s["name"], s["expired"]) for s in shown["strays"]} == {
        ("by hand", False),
        ("long gone", True),
    }


async def test_unknown_connections_and_parameters(client: Client):
    assert (await client.get(URL)).problems == [("name", "CONNECTION_UNKNOWN")]
    await client.onboarded("dvls-prod")
    answer = await client.get(f"{URL}?secret=1")
    assert (answer.status, answer.problems) == (400, [("secret", "FIELD_UNKNOWN")])


async def _with(client: Client, name: str, **changes: Any) -> None:
    await client.onboarded(name)
    found = await client.ctx.ledger.connection(name)
    assert found is not None and found.credential is not None
    credential: Credential = msgspec.structs.replace(found.credential, **changes)
    await client.ctx.ledger.amend(name, credential=credential)


async def test_the_list_can_show_what_needs_attention(client: Client):
    now = client.ctx.clock.now()
    soon = {"published": now - 170 * DAY, "expires": now + 10 * DAY}
    await _with(client, "all-well")
    await _with(client, "ends-soon", **soon)
    await _with(client, "ends-too", **soon)
    await _with(client, "replaced", previous_key_id="k", overlap_until=now + DAY)

    async def listed(query: str) -> list[str]:
        body = (await client.get(f"/api/connections?{query}")).json
        found = [line["name"] for line in body["connections"]]
        return found + (await listed(body["next"].partition("?")[2]) if body["next"] else [])

    assert await listed("attention=expiring") == ["ends-soon", "ends-too"]
    assert await listed("attention=expiring&limit=1") == ["ends-soon", "ends-too"]
    assert await listed("attention=handover") == ["replaced"]
    assert await listed("attention=failing") == []
    said = {"version": "version-1"}
    await client.post("/api/connections/replaced/handover/acknowledgement", said)
    assert await listed("attention=handover") == []
    for unknown in ("x", ""):
        answer = await client.get(f"/api/connections?attention={unknown}")
        assert (answer.status, answer.problems) == (400, [("attention", "INPUT_INVALID")])
