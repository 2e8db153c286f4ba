"""What the scans of a connection do, and the permissions that they need and lack."""

from typing import Any

import pytest
from msgspec.structs import replace

from shared.errors import TryLater
from shared.model.accounts import Source, Summary
from tests.bad_input.http_bodies import GOOD
from tests.in_memory.http.client import Client

URL = "/api/connections/dvls-prod/discoveries"
AUDIT = "AuditLog.Read.All"
MAY = "RoleEligibilitySchedule.Read.Directory"
FRONT = frozenset({"Organization.Read.All"})
"""What the identity of the front door may do."""


async def definition(client: Client) -> dict[str, Any]:
    answer = await client.get(URL)
    assert answer.status == 200, answer.content
    found: dict[str, Any] = answer.json["definition"]
    return found


async def onboarded(client: Client, **inputs: Any) -> None:
    body = {**GOOD, "name": "dvls-prod", "inputs": {**GOOD["inputs"], **inputs}}
    made = await client.post("/api/connections", body)
    assert made.status == 202, made.content


def lacking(found: dict[str, Any]) -> set[str]:
    return {right["permission"] for right in found["permissions"] if right["granted"] is False}


@pytest.mark.requirement("D-28")
async def test_it_names_each_permission_and_what_is_missing(client: Client):
    await onboarded(client, search_mode="roles")
    client.ctx.tenant.own_roles -= {AUDIT}
    found = await definition(client)
    assert found["missing"] == [AUDIT]
    assert lacking(found) == {AUDIT}
    required = {r["permission"]: r["required"] for r in found["permissions"]}
    assert required[AUDIT] is False
    assert required["RoleManagement.Read.Directory"] is True
    assert all(right["why"] and right["source"] for right in found["permissions"])


@pytest.mark.requirement("D-28", "X-15")
async def test_the_options_of_the_request_are_part_of_it(client: Client):
    await onboarded(
        client,
        search_mode="roles",
        include_guests="no",
        include_service_principals="yes",
        read_mfa="no",
        units=["North"],
    )
    found = await definition(client)
    told = [found[name] for name in ("guests", "disabled", "service_principals", "mfa", "units")]
    assert told == [False, True, True, False, ["North"]]
    required = {r["permission"] for r in found["permissions"] if r["required"]}
    assert {"AdministrativeUnit.Read.All", "Application.Read.All"} <= required
    assert AUDIT not in {r["permission"] for r in found["permissions"]}


@pytest.mark.parametrize(
    ("name", "value"), [("include_guests", "maybe"), ("units", "North"), ("removal_percent", 0)]
)
async def test_options_are_checked_like_any_input(client: Client, name: str, value: Any):
    body = {**GOOD, "name": "dvls-prod", "inputs": {**GOOD["inputs"], name: value}}
    answer = await client.post("/api/connections", body)
    assert answer.status == 422
    assert answer.problems == [(f"inputs.{name}", "INPUT_INVALID")]


async def test_a_product_that_does_not_scan_takes_no_options(client: Client):
    body = {"name": "pandium", "profile": "pandium", "inputs": {"include_guests": "no"}}
    answer = await client.post("/api/connections", body)
    assert ("inputs.include_guests", "FIELD_UNKNOWN") in answer.problems


async def test_the_front_door_tells_what_the_last_scan_was_refused(client: Client):
    await onboarded(client, search_mode="roles")
    client.ctx.tenant.own_roles = FRONT
    assert {right["granted"] for right in (await definition(client))["permissions"]} == {None}
    now = client.ctx.clock.now()
    refused = Source(
        kind="eligibility", id="r1", name="Reader", status="failed", accounts=0, missing=MAY
    )
    run = Summary(
        operation="o1",
        connection="dvls-prod",
        state="partial",
        mode="roles",
        started=now,
        finished=now,
        sources=(refused, replace(refused, kind="role", status="complete", missing="")),
    )
    await client.ctx.account_store.note(run)
    found = await definition(client)
    assert (found["missing"], lacking(found)) == ([MAY], {MAY})


async def test_it_is_told_while_no_token_can_be_had(client: Client):
    await onboarded(client)
    client.ctx.tenant.fail("directory.own_roles", TryLater("TOKEN_UNAVAILABLE", "HTTP 503"))
    assert {right["granted"] for right in (await definition(client))["permissions"]} == {None}
