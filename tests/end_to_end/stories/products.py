"""The products of the vendors' guides at once: the emulated tenant holds what the clicks give."""

import json
from datetime import datetime
from typing import Any

import pytest
import pytest_asyncio

from tests.end_to_end.local import TEAMS, Local
from tests.products.expected import CASES, Expected

NAMES = {
    "dvls": "devolutions-server",
    "pam360": "pam360, with its address and a stored account",
    "pmp": "password-manager-pro",
    "netwrix-read": "netwrix-identity-manager",
    "netwrix-write": "netwrix-identity-manager, with fulfilment",
    "pandium": "pandium",
}
"""Connections, and the case that each is; the last one is asked for by a message."""

HIGH_RISK = {"dvls", "netwrix-write"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tenant(local: Local) -> dict[str, Any]:
    """The emulated tenant once everything was asked for by the operator, or by a message,
    approved by somebody else where the risk is high, and onboarded."""
    domain = (await local.control("state"))["domain"]
    for name, case in NAMES.items():
        await ask(local, name, CASES[case], domain)
    for name in HIGH_RISK:
        await local.approve(name)
    for name in NAMES:
        await local.assert_onboarded(name)
    found: dict[str, Any] = await local.control("state")
    return found


async def ask(local: Local, name: str, case: Expected, domain: str) -> None:
    body = case.body(name)
    body.pop("approval")
    body["inputs"] = dict(body["inputs"])
    if "domain" in body["inputs"]:
        body["inputs"]["domain"] = domain
    if "connection_id" in body["inputs"]:
        body["inputs"]["connection_id"] += name.title().replace("-", "")  # unique in a vault
    if case.profile == "devolutions-server":
        body["inputs"]["filter"] = TEAMS
    if name != "pandium":
        answer = await local.call("POST", "/api/connections", json=body)
        assert answer.status_code == 202, answer.text
        return
    body |= {"apiVersion": "keyturn/v1", "kind": "onboard", "connection": body.pop("name")}
    await local.post("provisioning", (name, json.dumps(body).encode()))


@pytest.mark.requirement("D-02", "D-04", "D-15", "D-18", "D-22", "D-25", "M-08", "N-10", "X-02")
@pytest.mark.parametrize("name", NAMES)
async def the_tenant_holds_what_the_guide_gives(tenant: dict[str, Any], name: str) -> None:
    expected = CASES[NAMES[name]]
    (app,) = [a for a in tenant["applications"] if a.get("uniqueName") == f"keyturn-{name}"]
    (principal,) = [p for p in tenant["servicePrincipals"] if p["appId"] == app["appId"]]
    assert app["displayName"] == expected.display_name.replace("{name}", name)
    assert app["signInAudience"] == expected.audience
    assert bool(app["isFallbackPublicClient"]) == expected.public_client
    assert tuple(app["web"]["redirectUris"]) == expected.web_redirects
    assert tuple(app["publicClient"]["redirectUris"]) == expected.native_redirects
    assert _configured(app) == expected.permissions
    assert _granted(tenant, principal["id"]) == {id_ for _, kind, id_ in expected.granted}
    assert _delegated(tenant, principal["id"]) == (
        [("AllPrincipals", expected.scopes)] if expected.scopes else []
    )
    assert _roles(tenant, principal["id"]) == [(role, "/") for role in expected.roles]
    (secret,) = app["passwordCredentials"]
    starts, ends = (datetime.fromisoformat(secret[f"{end}DateTime"]) for end in ("start", "end"))
    assert round((ends - starts).total_seconds() / 86400) == expected.secret_days


@pytest.mark.requirement("D-07", "D-08", "D-11", "A-02", "M-13", "N-04", "X-04", "X-16")
@pytest.mark.parametrize("name", NAMES)
async def the_sheet_refers_to_a_secret_that_works(
    local: Local, tenant: dict[str, Any], name: str
) -> None:
    expected = CASES[NAMES[name]]
    sheet = await local.get(f"/api/connections/{name}/handover")
    if expected.labels:
        assert tuple(line["label"] for line in sheet["lines"]) == expected.labels
    (app,) = [a for a in tenant["applications"] if a.get("uniqueName") == f"keyturn-{name}"]
    roles = await local.token_roles(name, app["appId"])
    assert len(roles) == len(expected.granted)
    assert set(roles) <= set((await local.connection(name) or {})["granted"])
    secret = await local.secret(name)
    assert secret not in json.dumps(sheet)


def _configured(app: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {
        (entry["resourceAppId"], each["type"], each["id"])
        for entry in app["requiredResourceAccess"]
        for each in entry["resourceAccess"]
    }


def _granted(tenant: dict[str, Any], principal: str) -> set[str]:
    return {g["appRoleId"] for g in tenant["appRoleAssignments"] if g["principalId"] == principal}


def _delegated(tenant: dict[str, Any], principal: str) -> list[tuple[str, frozenset[str]]]:
    grants = [g for g in tenant["oauth2PermissionGrants"] if g["clientId"] == principal]
    return [(grant["consentType"], frozenset(grant["scope"].split())) for grant in grants]


def _roles(tenant: dict[str, Any], principal: str) -> list[tuple[str, str]]:
    return [
        (held["roleDefinitionId"], held["directoryScopeId"])
        for held in tenant["roleAssignments"]
        if held["principalId"] == principal
    ]
