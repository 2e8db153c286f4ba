"""Each call that changes something leaves a row of the audit that names its caller."""

from typing import Any

import pytest

from functions.http_api import CALLS
from tests.bad_input.http_bodies import GOOD
from tests.fakes.drive import drive
from tests.in_memory.http.client import ANA, EVE, Client
from tests.in_memory.imports.products import NAME, connected

ONE, PAM = "/api/connections/dvls-prod", f"/api/connections/{NAME}"
USER = "ana@contoso.onmicrosoft.com"
SCHEDULE = f"/api/schedules/{NAME}.import"

ELSEWHERE = {
    "fetch_groups": "reads only",
    "decide_finding": "test_findings.py",
    "decide_removals": "test_removals.py",
}
"""Calls whose rows are looked at where what they need has been set up."""

ACTS: dict[str, tuple[str, str, Any, str]] = {
    "create_connection": ("POST", "/api/connections", GOOD, "connection.requested"),
    "change_connection": ("PATCH", ONE, {"owner": "bo@contoso.com"}, "connection.changed"),
    "offboard_connection": ("DELETE", ONE, {"reason": "CHG-1"}, "offboarding.requested"),
    "give_approval": ("POST", f"{ONE}/approval", {"reason": "CHG-2"}, "approval.given"),
    "start_rotation": ("POST", f"{ONE}/rotation", {}, "operation.requested"),
    "start_verification": ("POST", f"{ONE}/verification", {}, "operation.requested"),
    "start_discovery": ("POST", f"{ONE}/discovery", {}, "operation.requested"),
    "acknowledge_handover": (
        "POST",
        f"{ONE}/handover/acknowledgement",
        {},
        "handover.acknowledged",
    ),
    "start_import": ("POST", f"{PAM}/import", {"users": ["ana"]}, "operation.requested"),
    "change_roles": ("PATCH", f"{PAM}/users", {"roles": {USER: "Administrator"}}, "roles.changed"),
    "switch_login": ("POST", f"{PAM}/login", {"enabled": False}, "login.switched"),
    "acknowledge_precondition": (
        "POST",
        f"{PAM}/preconditions/ad-auth-off",
        {},
        "precondition.acknowledged",
    ),
    "change_schedule": ("PATCH", SCHEDULE, {"enabled": False}, "schedule.changed"),
    "remove_schedule": ("DELETE", SCHEDULE, b"", "schedule.removed"),
}


def about(name: str) -> str:
    """The connection that a call is about."""
    return NAME if ACTS[name][1].startswith((PAM, SCHEDULE)) else "dvls-prod"


async def world(name: str) -> Client:
    """Where the call has something to change."""
    if about(name) == NAME:
        client = Client(await connected("pam360"))
        client.ctx.directory_reader.people.add_user("ana")
        if name != "start_import":
            wish = {"users": ["ana"], "every": "PT24H"}
            assert (await client.post(f"{PAM}/import", wish)).status == 202
            await drive(client.ctx)
        return client
    client = Client()
    if name != "create_connection":
        await client.onboarded()
    return client


def test_each_changing_call_is_looked_at():
    changing = {call.name for call in CALLS if call.method != "GET"}
    assert changing == {*ACTS, *ELSEWHERE}


@pytest.mark.requirement("X-17")
@pytest.mark.parametrize("name", ACTS)
async def test_a_change_is_kept_with_who_asked_for_it(name: str):
    method, url, body, what = ACTS[name]
    client = await world(name)
    who, mail = (EVE, "eve@contoso.com") if name == "give_approval" else (ANA, "ana@contoso.com")
    acting = client.acting(who)
    if method == "DELETE":
        content = body if isinstance(body, bytes) else b'{"reason": "CHG-1"}'
        answer = await acting.send(method, url, content, {"content-type": "application/json"})
    else:
        answer = await (acting.post(url, body) if method == "POST" else acting.patch(url, body))
    assert answer.status in (200, 202), answer.content
    rows = await client.ctx.ledger.history(about(name))
    row = [row for row in rows if row["what"] == what][-1]
    assert mail in (row["by"], row.get("asked_by"))
    assert row["principal"] == f"id-of-{mail}"
