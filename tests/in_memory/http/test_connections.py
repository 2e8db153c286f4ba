"""Showing connections, and the calls that start their operations."""

import pytest

from shared.messages import CHAIN
from shared.model.connection import Aspect, Condition, Status
from tests.bad_input.http_bodies import GOOD
from tests.in_memory.http.client import EVE, FACTS, Client

URL = "/api/connections/dvls-prod"

STARTS = (("rotation", "rotate"), ("verification", "verify"), ("discovery", "discover"))


def _acting(client: Client, url: str) -> Client:
    return client.acting(EVE) if "approval" in url else client


async def test_a_connection_shows_everything_but_secrets(client: Client):
    done = await client.onboarded()
    await client.ctx.ledger.amend(
        "dvls-prod", granted=["User.Read.All"], roles=["Helpdesk Administrator"]
    )
    shown = (await client.get(URL)).json
    assert shown["profile"] == "devolutions-server"
    assert shown["inputs"]["provider_name"] == "DVLS PAM"
    assert shown["application"]["client_id"] == FACTS.client_id
    assert shown["credential"]["expires"].startswith("2026-07-04")
    assert [row["id"] for row in shown["operations"]] == [done.id]
    assert shown["granted"] == ["User.Read.All"]
    assert shown["roles"] == ["Helpdesk Administrator"]
    assert shown["due"] == {}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/handover",
        "/accounts",
        "/discoveries",
    ],
)
async def test_unknown_connections_are_404_and_name_the_known(client: Client, url: str):
    await client.post("/api/connections", {**GOOD, "name": "known-one"})
    answer = await client.get(f"{URL}{url}")
    assert answer.status == 404
    assert answer.problems == [("name", "CONNECTION_UNKNOWN")]
    assert "known-one" in answer.json["problems"][0]["hint"]


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/rotation", b""),
        ("/verification", b""),
        ("/discovery", b""),
        ("/approval", {"reason": "x"}),
        ("/handover/acknowledgement", b""),
    ],
)
async def test_unknown_connections_are_404_for_orders(client: Client, url: str, body: object):
    answer = await _acting(client, url).post(f"{URL}{url}", body)
    assert answer.status == 404
    assert answer.problems == [("name", "CONNECTION_UNKNOWN")]
    assert client.ctx.outbox.sent == []


@pytest.mark.parametrize("name", ["DVLS", "a", "dvls--next", "dvls%2F..", "a'or'1", "a" * 500])
async def test_names_that_cannot_exist_are_not_looked_up(client: Client, name: str):
    answer = await client.get(f"/api/connections/{name}")
    assert answer.status == 404
    assert client.ctx.tenant.faults.calls == []


@pytest.mark.parametrize(("url", "kind"), STARTS)
async def test_operations_start(client: Client, url: str, kind: str):
    await client.onboarded()
    answer = await client.post(f"{URL}/{url}")
    assert answer.status == 202
    assert answer.headers["Location"] == URL
    operation = await client.operation(answer.json["operation"])
    assert (operation.kind, operation.reason) == (kind, "requested")
    sent = client.ctx.outbox.sent[-1]
    assert (sent.step, sent.message.operation) == (CHAIN[kind][0], operation.id)


@pytest.mark.parametrize(("url", "kind"), STARTS)
async def test_one_operation_at_a_time(client: Client, url: str, kind: str):
    await client.onboarded()
    running = await client.post(f"{URL}/verification", {})
    answer = await client.post(f"{URL}/{url}", {})
    assert answer.status == 409
    assert answer.problems == [("connection", "OPERATION_RUNNING")]
    assert answer.json["operation"] == running.json["operation"]


@pytest.mark.parametrize(("url", "kind"), STARTS)
async def test_onboarding_comes_first(client: Client, url: str, kind: str):
    made = await client.post("/api/connections", GOOD)
    running = await client.post(f"{URL}/{url}")
    assert running.problems == [("connection", "OPERATION_RUNNING")]
    await client.stop(made.json["operation"])
    answer = await client.post(f"{URL}/{url}")
    assert answer.status == 409
    assert answer.problems == [("connection", "NOT_ONBOARDED")]


async def test_discovery_needs_its_feature(client: Client):
    body = {**GOOD, "features": {"discovery": False}}
    made = await client.post("/api/connections", body)
    await client.ctx.ledger.amend("dvls-prod", facts=FACTS)
    await client.stop(made.json["operation"])
    answer = await client.post(f"{URL}/discovery")
    assert (answer.status, answer.problems) == (409, [("connection", "FEATURE_OFF")])


@pytest.mark.parametrize(
    ("url", "body", "field", "code"),
    [
        ("rotation", {"emergency": True}, "reason", "INPUT_MISSING"),
        ("rotation", {"emergency": True, "reason": ""}, "reason", "INPUT_MISSING"),
        ("rotation", {"emergency": True, "reason": 1}, "reason", "INPUT_INVALID"),
        ("rotation", {"emergency": "no"}, "emergency", "INPUT_INVALID"),
        ("rotation", {"force": True}, "force", "INPUT_INVALID"),
        ("rotation", {"reason": "a leak"}, "reason", "INPUT_INVALID"),
        ("rotation", {"emergency": True, "reason": "x", "force": 1}, "force", "INPUT_INVALID"),
        ("rotation", {"purge": True}, "purge", "FIELD_UNKNOWN"),
        ("rotation", b"now", "", "NOT_JSON"),
        ("verification", {"deep": True}, "deep", "FIELD_UNKNOWN"),
        ("discovery", b"[]", "", "NOT_JSON"),
        ("approval", b"", "", "NOT_JSON"),
        ("approval", {}, "reason", "INPUT_MISSING"),
        ("approval", {"reason": ""}, "reason", "INPUT_MISSING"),
        ("approval", {"reason": 5}, "reason", "INPUT_INVALID"),
        ("approval", {"reason": "x", "by": "eve"}, "by", "FIELD_UNKNOWN"),
        ("approval", {"reason": "x", "scope": "all"}, "scope", "FIELD_UNKNOWN"),
        ("approval", {"reason": "a\u202eb"}, "reason", "TEXT_UNSAFE"),
        ("handover/acknowledgement", {"note": 1}, "note", "INPUT_INVALID"),
        ("handover/acknowledgement", {"version": 2}, "version", "INPUT_INVALID"),
        ("handover/acknowledgement", {"operation": "x" * 129}, "operation", "INPUT_INVALID"),
        ("handover/acknowledgement", {"key_id": "x"}, "key_id", "FIELD_UNKNOWN"),
    ],
)
async def test_bad_orders(client: Client, url: str, body: object, field: str, code: str):
    await client.onboarded()
    before = len(client.ctx.outbox.sent)
    answer = await _acting(client, url).post(f"{URL}/{url}", body)
    assert answer.status in (400, 422)
    assert (field, code) in answer.problems
    assert len(client.ctx.outbox.sent) == before


async def waiting(client: Client, aspect: Aspect) -> str:
    """A connection whose onboarding stopped for want of approval; answers the operation."""
    made = await client.post("/api/connections", GOOD)
    condition = Condition(
        type=aspect,
        status=Status.FALSE,
        reason="APPROVAL_PENDING",
        message="needs approval",
        since=client.ctx.clock.now(),
    )
    await client.ctx.ledger.set_condition("dvls-prod", condition)
    await client.stop(made.json["operation"])
    return str(made.json["operation"])


@pytest.mark.parametrize("aspect", [Aspect.CONSENTED, Aspect.ROLE_ASSIGNED])
async def test_an_approval_lets_onboarding_go_on(client: Client, aspect: Aspect):
    stopped = await waiting(client, aspect)
    answer = await client.acting(EVE).post(f"{URL}/approval", {"reason": "CHG-9"})
    assert answer.status == 202
    assert answer.json["approval"]["by"] == "eve@contoso.com"
    assert answer.json["operation"] not in ("", stopped)
    assert client.ctx.outbox.steps() == ["registration", "registration"]
    [row] = [
        row
        for row in await client.ctx.ledger.history("dvls-prod")
        if row["what"] == "approval.given"
    ]
    assert (row["by"], row["principal"]) == ("eve@contoso.com", "id-of-eve@contoso.com")
    assert (row["reason"], row["covers"]) == ("CHG-9", ["User-PasswordProfile.ReadWrite.All"])


async def test_an_approval_given_twice_starts_one_operation(client: Client):
    await waiting(client, Aspect.CONSENTED)
    first = await client.acting(EVE).post(f"{URL}/approval", {"reason": "CHG-9"})
    again = await client.acting(EVE).post(f"{URL}/approval", {"reason": "CHG-9"})
    assert again.json["operation"] == first.json["operation"]
    assert len(client.ctx.outbox.sent) == 2


async def test_an_approval_that_nothing_waits_for_is_kept(client: Client):
    await client.onboarded()
    answer = await client.acting(EVE).post(f"{URL}/approval", {"reason": "CHG-9"})
    assert (answer.status, answer.json["operation"]) == (200, "")
    assert answer.json["approval"]["by"] == "eve@contoso.com"
    assert len(client.ctx.outbox.sent) == 1
