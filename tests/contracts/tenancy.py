"""Registration and consent in the emulated tenant: real adapters, everything else in memory."""

from typing import Any

from tests.contracts.stage import Stage
from tests.fakes import FakeContext, fake_context


def context(stage: Stage) -> FakeContext:
    return fake_context(
        directory=stage.directory, applications=stage.applications, consents=stage.consents
    )


async def ours(stage: Stage, unique_name: str = "keyturn-conn") -> dict[str, Any]:
    """The application that Keyturn made, as the tenant holds it."""
    rows = (await stage.state())["applications"]
    (row,) = [row for row in rows if row["uniqueName"] == unique_name]
    found: dict[str, Any] = row
    return found


async def principal_of(stage: Stage, app_id: str) -> dict[str, Any]:
    rows = (await stage.state())["servicePrincipals"]
    (row,) = [row for row in rows if row["appId"] == app_id]
    found: dict[str, Any] = row
    return found


async def roles_of(stage: Stage, app_id: str) -> dict[str, str]:
    """Ids of the application permissions that it was granted, and the name of their API."""
    holder = (await principal_of(stage, app_id))["id"]
    rows = (await stage.state())["appRoleAssignments"]
    return {
        row["appRoleId"]: row["resourceDisplayName"] for row in rows if row["principalId"] == holder
    }


async def scopes_of(stage: Stage, app_id: str) -> list[dict[str, Any]]:
    holder = (await principal_of(stage, app_id))["id"]
    rows = (await stage.state())["oauth2PermissionGrants"]
    return [row for row in rows if row["clientId"] == holder]


def configured(row: dict[str, Any]) -> set[tuple[str, str, str]]:
    """API, type and id of what an application is configured with."""
    return {
        (api["resourceAppId"], access["type"], access["id"])
        for api in row["requiredResourceAccess"]
        for access in api["resourceAccess"]
    }


async def administer(stage: Stage, method: str, path: str, body: Any = None) -> Any:
    """One call by the tenant's administrator, who may do everything."""
    answer = await stage.admin.post(
        f"{stage.running.authority}/{stage.running.tenant_id}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": stage.running.client_id,
            "client_secret": stage.running.client_secret,
            "scope": "https://graph.microsoft.com/.default",
        },
    )
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    made = await stage.admin.request(
        method,
        f"{stage.running.graph}{path}",
        json=body,
        headers={"Authorization": f"Bearer {token}"},
    )
    assert made.status_code < 300, made.text
    return made.json() if made.content else None
