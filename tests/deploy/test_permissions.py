"""The command that grants, run as a person runs it, against an emulated tenant."""

import re
from typing import Any

import pytest

from tests.deploy.conftest import Tenant


async def person(tenant: Tenant, number: int = 7) -> dict[str, Any]:
    rows = (await tenant.call("GET", "/users?$top=20"))["value"]
    found: dict[str, Any] = rows[number]
    return found


async def test_the_first_run_grants_all_and_the_second_nothing(
    tenant: Tenant, listed: dict[str, list[str]]
):
    assert await tenant.permissions("worker") == await tenant.permissions("front") == []
    first = await tenant.run("permissions", "--yes")
    assert (first.status, first.error) == (0, "")
    for app, rights in listed.items():
        assert await tenant.permissions(app) == rights
        for permission in rights:
            assert f"* will grant {permission}\n" in first.out
    # Why, and how dangerous, was said before anything was done.
    announced, _, done = first.out.partition("done: grant")
    assert "DANGER: equal to Global Administrator in effect" in announced
    assert "to assign a product its directory role" in announced
    assert done.count("done: ") == sum(map(len, listed.values())) - 1 + 4
    await tenant.admin.delete(f"{tenant.graph.admin}/traffic")
    second = await tenant.run("permissions", "--yes")
    assert second.status == 0
    assert "Everything is as it should be." in second.out and "* will" not in second.out
    assert await writes(tenant) == []


async def writes(tenant: Tenant) -> list[str]:
    lines = (await tenant.admin.get(f"{tenant.graph.admin}/traffic")).text.splitlines()
    found = (re.search(r'"method":"(\w+)","url":"([^"]+)"', line) for line in lines)
    return [f"{m[1]} {m[2]}" for m in found if m and m[1] != "GET" and "/v1.0/" in m[2]]


async def test_a_dry_run_and_a_run_that_nobody_confirms_change_nothing(tenant: Tenant):
    await tenant.admin.delete(f"{tenant.graph.admin}/traffic")
    dry = await tenant.run("permissions", "--dry-run")
    assert dry.status == 0 and "Nothing was done (--dry-run)." in dry.out
    unasked = await tenant.run("permissions")
    assert unasked.status == 2 and "add --yes" in unasked.error
    assert "* will grant AppRoleAssignment.ReadWrite.All" in unasked.out
    assert await writes(tenant) == []
    assert await tenant.permissions("worker") == []


async def test_the_registration_lets_callers_sign_in(tenant: Tenant):
    who = await person(tenant)
    first = await tenant.run("permissions", "--yes", "--approver", who["userPrincipalName"])
    assert first.status == 0, first.error
    match = re.search(r"azd env set KEYTURN_API_CLIENT_ID (\S+)\n\s+azd provision", first.out)
    assert match
    app = await tenant.call("GET", f"/applications(appId='{match[1]}')")
    assert {role["value"] for role in app["appRoles"]} == {
        "Keyturn.Reader",
        "Keyturn.Operator",
        "Keyturn.Approver",
    }
    assert app["identifierUris"] == [f"api://{match[1]}"]
    assert app["api"]["requestedAccessTokenVersion"] == 2
    (scope,) = app["api"]["oauth2PermissionScopes"]
    (cli,) = app["api"]["preAuthorizedApplications"]
    assert cli["delegatedPermissionIds"] == [scope["id"]]
    assert app["passwordCredentials"] == app["keyCredentials"] == []
    api = await tenant.call("GET", f"/servicePrincipals(appId='{match[1]}')")
    assert api["appRoleAssignmentRequired"] is True
    given = await tenant.call("GET", f"/servicePrincipals/{api['id']}/appRoleAssignedTo")
    names = {role["id"]: role["value"] for role in api["appRoles"]}
    assert [(row["principalId"], names[row["appRoleId"]]) for row in given["value"]] == [
        (who["id"], "Keyturn.Approver")
    ]
    again = await tenant.run("permissions", "--yes", "--approver", who["userPrincipalName"])
    assert "Everything is as it should be." in again.out
    assert "has Keyturn.Approver" in again.out


async def test_a_registration_that_is_there_is_mended_and_keeps_what_others_added(tenant: Tenant):
    await tenant.run("permissions", "--yes")
    app = await tenant.call("GET", "/applications(uniqueName='keyturn-api-test')")
    ours = [role for role in app["appRoles"] if role["value"] != "Keyturn.Approver"]
    for role in app["appRoles"]:
        role["isEnabled"] = False
    url = f"/applications/{app['id']}"
    await tenant.call("PATCH", url, {"appRoles": app["appRoles"]})
    other = {**ours[0], "id": "0badc0de-0000-4000-8000-00000000000b", "value": "Other.Role"}
    await tenant.call("PATCH", url, {"appRoles": [*ours, other]})
    tenant.values["KEYTURN_API_CLIENT_ID"] = app["appId"]
    said = await tenant.run("permissions", "--yes")
    assert said.status == 0 and "* will set app roles\n" in said.out
    roles = (await tenant.call("GET", url))["appRoles"]
    assert {role["value"]: role["isEnabled"] for role in roles} == {
        "Keyturn.Reader": True,
        "Keyturn.Operator": True,
        "Keyturn.Approver": True,
        "Other.Role": False,
    }
    assert "azd env set" not in said.out


async def test_a_missing_right_is_explained_and_what_was_done_stays(tenant: Tenant):
    reader = tenant.ready["automation"]
    someone = {"client_id": reader["client_id"], "client_secret": reader["client_secret"]}
    await tenant.admin.post(
        f"{tenant.graph.admin}/grant",
        json={
            "app": reader["client_id"],
            "role": "AppRoleAssignment.ReadWrite.All",
            "revoke": True,
        },
    )
    said = await tenant.run("permissions", "--yes", **someone)
    assert said.status == 1
    assert "Privileged Role Administrator" in said.error and "HTTP 403" in said.error
    assert "AppRoleAssignment.ReadWrite.All and Application.Read.All" in said.error
    assert "Traceback" not in said.error
    assert await tenant.permissions("front") == []
    # Somebody else with the right takes it from there.
    assert (await tenant.run("permissions", "--yes")).status == 0
    assert (await tenant.permissions("front")) != []


async def test_a_run_that_broke_off_is_finished_by_the_next(
    tenant: Tenant, listed: dict[str, list[str]]
):
    grant = "POST /servicePrincipals/{id}/appRoleAssignments"
    await tenant.fault(fault="F13", call=grant, pattern="ok,ok,403")
    broken = await tenant.run("permissions", "--yes")
    assert broken.status == 1 and "done: grant" in broken.out
    assert 0 < len(await tenant.permissions("front")) < len(listed["front"])
    assert (await tenant.run("permissions", "--yes")).status == 0
    assert await tenant.permissions("front") == listed["front"]
    assert await tenant.permissions("worker") == listed["worker"]


async def test_throttling_is_waited_for(tenant: Tenant, listed: dict[str, list[str]]):
    await tenant.fault(fault="F13", status=429, retry_after=1, times=3)
    said = await tenant.run("permissions", "--yes")
    assert (said.status, said.error) == (0, "")
    assert await tenant.permissions("worker") == listed["worker"]


async def test_nobody_is_signed_in(tenant: Tenant):
    said = await tenant.run("permissions", "--yes", client_id="", client_secret="")
    assert said.status == 1
    assert "az login" in said.error and "Traceback" not in said.error


async def test_an_unknown_identity_is_told_apart_from_a_missing_right(tenant: Tenant):
    tenant.values["KEYTURN_WORKER_PRINCIPAL_ID"] = "0badc0de-0000-4000-8000-00000000000a"
    said = await tenant.run("permissions", "--yes")
    assert said.status == 1 and "has no identity 0badc0de" in said.error


async def test_a_person_who_is_not_there_is_named(tenant: Tenant):
    said = await tenant.run("permissions", "--yes", "--approver", "nobody@contoso.example")
    assert said.status == 1 and "nobody called nobody@contoso.example" in said.error
    assert await tenant.permissions("worker") == []


async def test_what_is_superfluous_is_told_and_taken_away_when_asked(tenant: Tenant):
    worker = tenant.ready["identities"]["worker"]["client_id"]
    await tenant.run("permissions", "--yes")
    await tenant.give(worker, "Mail.Read")
    told = await tenant.run("permissions", "--yes")
    assert "! Mail.Read is granted and not needed" in told.out
    assert "Mail.Read" in await tenant.permissions("worker")
    pruned = await tenant.run("permissions", "--yes", "--prune")
    assert "done: take away Mail.Read" in pruned.out
    assert "Mail.Read" not in await tenant.permissions("worker")


async def test_a_permission_can_be_left_out(tenant: Tenant):
    left = "RoleManagement.ReadWrite.Directory"
    said = await tenant.run("permissions", "--yes", "--without", left)
    assert f"! {left} is left out" in said.out
    assert left not in await tenant.permissions("worker")
    misspelt = await tenant.run("permissions", "--yes", "--without", "RoleManagement.All")
    assert misspelt.status == 1 and "no such permission" in misspelt.error


@pytest.mark.parametrize("arguments", [("--environment", "prod"), ("--environment", "../../etc")])
async def test_another_environment_must_be_there(tenant: Tenant, arguments: tuple[str, ...]):
    said = await tenant.run("permissions", *arguments)
    assert said.status == 1 and arguments[1] in said.error


async def test_before_anything_is_provisioned_the_registration_can_be_made(tenant: Tenant):
    (tenant.folder / ".azure" / "test" / ".env").write_text(
        f'KEYTURN_AUTHORITY="{tenant.ready["authority"]}"\nKEYTURN_GRAPH="{tenant.graph.graph}"\n'
    )
    said = await tenant.run("permissions", "--yes")
    assert said.status == 0 and "No identities yet" in said.out
    assert "azd env set KEYTURN_API_CLIENT_ID" in said.out
