"""What `doctor` makes of answers: of a door that is open, of an app that tells or does not."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from deploy import door, told
from deploy.findings import FAILED, OK, WARNING, Finding, summary
from deploy.target import Target, Unclear, find

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HERE = Target({"AZURE_TENANT_ID": "tenant-1", "KEYTURN_API_CLIENT_ID": "api-1"})

Answer = Callable[[httpx.Request], httpx.Response]


def behind(answer: Answer) -> httpx.AsyncClient:
    transport = httpx.MockTransport(answer)
    return httpx.AsyncClient(base_url="https://front.example", transport=transport)


async def test_a_door_that_believes_callers_is_open():
    def believes(request: httpx.Request) -> httpx.Response:
        header = request.headers.get("x-ms-client-principal")
        if header is None:
            return httpx.Response(401)
        claims = {c["typ"]: c["val"] for c in json.loads(base64.b64decode(header))["claims"]}
        assert (claims["aud"], claims["roles"]) == ("api-1", "Keyturn.Reader")
        return httpx.Response(200, json={})

    async with behind(believes) as http:
        (found,) = await door.strangers(http, HERE, "key")
    assert found.status == FAILED and "with a made-up caller was answered 200" in found.message
    assert "App Service Authentication is not in front" in found.remedy


async def test_a_door_that_asks_nobody_is_open_and_one_that_is_shut_is_fine():
    async with behind(lambda _: httpx.Response(503)) as http:
        found = await door.strangers(http, HERE, "key")
    assert [each.status for each in found] == [FAILED, FAILED]
    async with behind(lambda _: httpx.Response(401)) as http:
        assert [each.status for each in await door.strangers(http, HERE, "key")] == [OK]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx.Response(401), "--key"),
        (httpx.Response(502, text="<html>"), "azd deploy"),
        (
            httpx.Response(
                403, json={"problems": [{"message": "needs Keyturn.Reader", "hint": "have it"}]}
            ),
            "have it",
        ),
    ],
)
async def test_a_call_that_is_refused_says_what_to_do(answer: httpx.Response, said: str):
    async with behind(lambda _: answer) as http:
        health, (found,) = await door.health(http, "key", "token")
    assert health is None and found.status == FAILED and said in found.remedy


def health(**changes: Any) -> dict[str, Any]:
    at = NOW.isoformat()
    worker = {"app": "worker", "at": at, "dependencies": [{"name": "vault", "status": "ok"}]}
    return {
        "dependencies": [{"name": "graph", "status": "ok"}],
        "now": at,
        "app": "front",
        "worker": worker,
        "sweeps": dict.fromkeys(told.SWEEPS, at),
        **changes,
    }


def grave(document: dict[str, Any], now: datetime = NOW) -> list[Finding]:
    return [each for each in told.findings(document, now) if each.status != OK]


def test_all_is_well():
    assert grave(health()) == []
    assert summary([Finding(OK, "x")]) == "Everything is as it should be."


def test_what_is_wrong_is_told_with_what_to_do():
    failing = {"name": "graph", "status": "failing", "message": "m", "remedy": "r"}
    (found,) = grave(health(dependencies=[failing]))
    assert found.text() == "FAILED   front door, graph: m\n         -> r"
    (never,) = grave(health(worker=None))
    assert never.status == FAILED and "never" in never.message
    (overdue,) = grave(health(overdue=["dvls"]))
    assert overdue.status == FAILED and "dvls" in overdue.message
    (expiring,) = grave(health(expiring=["dvls"]))
    assert expiring.status == WARNING
    assert summary([failing_finding(), expiring]) == "1 things are wrong, 1 to be looked at."


def failing_finding() -> Finding:
    return Finding(FAILED, "x")


def test_timers_that_do_not_sweep_are_named():
    late = (NOW - timedelta(hours=3)).isoformat()
    (some,) = grave(health(sweeps={**dict.fromkeys(told.SWEEPS, NOW.isoformat()), "rotate": late}))
    assert (some.status, some.message.endswith(": rotate")) == (WARNING, True)
    (never,) = grave(health(sweeps={}))
    assert never.status == FAILED


def test_this_machines_clock_is_told_apart():
    (found,) = grave(health(), NOW + timedelta(minutes=10))
    assert (found.status, found.where) == (WARNING, "this machine's clock")


def test_the_deployment_is_found_where_azd_left_it(tmp_path: Any):
    folder = tmp_path / ".azure" / "prod"
    folder.mkdir(parents=True)
    (folder / ".env").write_text('KEYTURN_FRONT_URL="https://x/"\nBAD LINE\nA="b=c"\n')
    found = find("prod", folder=tmp_path, variables={"A": "over"})
    assert (found.url("front"), found.values["A"], found.name) == ("https://x", "over", "prod")
    with pytest.raises(Unclear, match="azd env get-value AZURE_TENANT_ID"):
        assert found.tenant_id
