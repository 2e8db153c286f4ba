"""What a token's roles allow."""

import pytest

NOBODY = "11111111-2222-4333-8444-555555555555"
ROLES = "/roleManagement/directory"


def assert_denied(answer):
    error = answer.json()["error"]
    assert answer.status_code == 403, answer.text
    assert error["code"] == "Authorization_RequestDenied"
    assert error["message"] == "Insufficient privileges to complete the operation."


@pytest.mark.parametrize(
    ("permission", "path"),
    [
        ("User.Read.All", "/users"),
        ("User.Read.All", "/users/delta"),
        ("User.Read.All", "/organization"),
        ("Group.Read.All", "/groups"),
        ("Group.Read.All", "/groups/delta"),
        ("Application.Read.All", "/applications"),
        ("Application.Read.All", "/servicePrincipals"),
        ("Directory.Read.All", "/oauth2PermissionGrants"),
        ("RoleManagement.Read.Directory", f"{ROLES}/roleAssignments"),
        ("RoleManagement.Read.Directory", f"{ROLES}/roleDefinitions"),
        ("RoleManagement.Read.Directory", "/directoryRoles"),
        ("RoleEligibilitySchedule.Read.Directory", f"{ROLES}/roleEligibilityScheduleInstances"),
        ("RoleAssignmentSchedule.Read.Directory", f"{ROLES}/roleAssignmentScheduleInstances"),
        ("AdministrativeUnit.Read.All", "/directory/administrativeUnits"),
        ("AuditLog.Read.All", "/reports/authenticationMethods/userRegistrationDetails"),
        ("AuditLog.Read.All", "/auditLogs/directoryAudits"),
        ("Policy.Read.All", "/policies/defaultAppManagementPolicy"),
    ],
)
async def test_one_permission_opens_one_read(with_permissions, permission, path):
    assert_denied(await (await with_permissions("Mail.Read")).get(path))
    assert (await (await with_permissions(permission)).get(path)).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/applications", {"displayName": "A"}),
        ("PATCH", f"/applications/{NOBODY}", {"displayName": "A"}),
        ("DELETE", f"/applications/{NOBODY}", None),
        ("POST", f"/applications/{NOBODY}/addPassword", {}),
        ("POST", "/servicePrincipals", {"appId": NOBODY}),
        ("POST", f"/servicePrincipals/{NOBODY}/appRoleAssignedTo", {}),
        ("POST", "/oauth2PermissionGrants", {}),
        ("POST", f"{ROLES}/roleAssignments", {}),
        ("PATCH", f"/users/{NOBODY}", {"jobTitle": "x"}),
        ("POST", "/groups", {}),
        ("POST", "/directoryObjects/getByIds", {"ids": [NOBODY]}),
    ],
)
async def test_writes_need_their_permission(with_permissions, method, path, body):
    client = await with_permissions("Mail.Read")
    assert_denied(await client.request(method, path, json=body))


async def test_grants_need_two_permissions(admin, with_permissions):
    _, principal = await admin.with_principal()
    api = await admin.graph_principal()
    path = f"/servicePrincipals/{api['id']}/appRoleAssignedTo"
    body = {
        "principalId": principal["id"],
        "resourceId": api["id"],
        "appRoleId": api["appRoles"][0]["id"],
    }
    alone = await with_permissions("AppRoleAssignment.ReadWrite.All")
    assert_denied(await alone.post(path, json=body))
    both = await with_permissions("AppRoleAssignment.ReadWrite.All", "Application.Read.All")
    assert (await both.post(path, json=body)).status_code == 201


async def test_owned_by_changes_only_what_it_owns(admin, automation):
    foreign, principal = await admin.with_principal("Foreign")
    path = f"/applications/{foreign['id']}"
    assert (await automation.get(path)).status_code == 200  # it may read all
    assert_denied(await automation.patch(path, json={"displayName": "Mine"}))
    assert_denied(await automation.post(f"{path}/addPassword", json={}))
    assert_denied(await automation.delete(path))
    assert_denied(await automation.delete(f"/servicePrincipals/{principal['id']}"))
    own, own_principal = await automation.with_principal("Own")
    assert (await automation.post(f"/applications/{own['id']}/addPassword", json={})).is_success
    assert (await automation.delete(f"/servicePrincipals/{own_principal['id']}")).is_success
    assert (await automation.delete(f"/applications/{own['id']}")).is_success
    assert (await automation.delete(f"/directory/deletedItems/{own['id']}")).is_success


async def test_owned_by_alone_does_not_read_others(admin, with_permissions):
    foreign = await admin.application("Foreign")
    client = await with_permissions("Application.ReadWrite.OwnedBy")
    assert_denied(await client.get(f"/applications/{foreign['id']}"))
    own = await client.application("Own")
    assert (await client.get(f"/applications/{own['id']}")).status_code == 200


async def test_principal_of_a_foreign_application(admin, automation):
    foreign = await admin.application("Foreign")
    assert_denied(await automation.post("/servicePrincipals", json={"appId": foreign["appId"]}))


async def test_narrow_user_permissions(admin, with_permissions):
    user = (await admin.read("/users?$top=100"))["value"][40]["id"]
    passwords = await with_permissions("User-PasswordProfile.ReadWrite.All")
    profile = {"passwordProfile": {"password": "a long enough one"}}
    assert (await passwords.patch(f"/users/{user}", json=profile)).status_code == 204
    assert_denied(await passwords.patch(f"/users/{user}", json={"accountEnabled": False}))
    switch = await with_permissions("User.EnableDisableAccount.All")
    assert (await switch.patch(f"/users/{user}", json={"accountEnabled": False})).is_success
    assert_denied(await switch.patch(f"/users/{user}", json=profile))


async def test_privileged_users_are_protected(admin, with_permissions):
    roles = await admin.every("/directoryRoles?$filter=displayName eq 'Global Administrator'")
    members = await admin.read(f"/directoryRoles/{roles[0]['id']}/members")
    target = f"/users/{members['value'][0]['id']}"
    client = await with_permissions("User-PasswordProfile.ReadWrite.All")
    profile = {"passwordProfile": {"password": "a long enough one"}}
    assert_denied(await client.patch(target, json=profile))
    principal = await admin.read(f"/servicePrincipals(appId='{client.client_id}')")
    role = {"role": "Privileged Authentication Administrator", "principal": principal["id"]}
    await admin.admin("tenant", roles=[role])
    await client.sign_in()
    assert (await client.patch(target, json=profile)).status_code == 204


async def test_a_token_keeps_its_roles_until_it_ends(admin, with_permissions):
    client = await with_permissions("User.Read.All")
    await admin.admin("grant", app=client.client_id, role="User.Read.All", revoke=True)
    assert (await client.get("/users")).status_code == 200
    await client.sign_in()
    assert_denied(await client.get("/users"))
