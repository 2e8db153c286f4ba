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


PROFILE = {"passwordProfile": {"password": "a long enough one"}}


async def give(admin, client, role, **more):
    """A directory role for the client's application, in its next token."""
    principal = await admin.read(f"/servicePrincipals(appId='{client.client_id}')")
    await admin.admin("tenant", roles=[{"role": role, "principal": principal["id"], **more}])
    await client.sign_in()


async def test_narrow_user_permissions(admin, with_permissions):
    user = (await admin.read("/users?$top=100"))["value"][40]["id"]
    passwords = await with_permissions("User-PasswordProfile.ReadWrite.All")
    await give(admin, passwords, "Password Administrator")
    assert (await passwords.patch(f"/users/{user}", json=PROFILE)).status_code == 204
    assert_denied(await passwords.patch(f"/users/{user}", json={"accountEnabled": False}))
    switch = await with_permissions("User.EnableDisableAccount.All")
    assert (await switch.patch(f"/users/{user}", json={"accountEnabled": False})).is_success
    assert_denied(await switch.patch(f"/users/{user}", json=PROFILE))


async def test_a_password_needs_the_permission_and_a_role_for_the_whole_directory(
    admin, with_permissions
):
    user = (await admin.read("/users?$top=100"))["value"][40]["id"]
    client = await with_permissions("User-PasswordProfile.ReadWrite.All")
    assert_denied(await client.patch(f"/users/{user}", json=PROFILE))
    made = await admin.admin("tenant", administrative_units=[{"displayName": "Nowhere"}])
    scope = f"/administrativeUnits/{made['administrative_units'][0]}"
    await give(admin, client, "Helpdesk Administrator", scope=scope)
    assert_denied(await client.patch(f"/users/{user}", json=PROFILE))
    await give(admin, client, "Helpdesk Administrator")
    assert (await client.patch(f"/users/{user}", json=PROFILE)).status_code == 204
    without = await with_permissions("User.Read.All")
    await give(admin, without, "Global Administrator")
    assert_denied(await without.patch(f"/users/{user}", json=PROFILE))


async def test_passwords_that_were_set_are_among_the_secrets(admin, with_permissions):
    user = (await admin.read("/users?$top=100"))["value"][40]["id"]
    client = await with_permissions("User.ReadWrite.All")
    await give(admin, client, "User Administrator")
    assert (await client.patch(f"/users/{user}", json=PROFILE)).status_code == 204
    assert "a long enough one" in str(await admin.look("secrets"))


async def test_change_password_is_not_for_applications(admin):
    user = (await admin.read("/users?$top=100"))["value"][40]["id"]
    body = {"currentPassword": "old", "newPassword": "a long enough one"}
    answer = await admin.post(f"/users/{user}/changePassword", json=body)
    assert answer.status_code == 403
    assert "Access to change password operation is denied." in answer.text


RESETS = {
    "Directory Readers": "PHAUXG",
    "Reports Reader": "HAUXG",
    "Helpdesk Administrator": "HUXG",
    "Authentication Administrator": "AXG",
    "Groups Administrator": "UXG",
    "Intune Administrator": "XG",
    "Global Administrator": "XG",
}
RESETTERS = {
    "P": "Password Administrator",
    "H": "Helpdesk Administrator",
    "A": "Authentication Administrator",
    "U": "User Administrator",
    "X": "Privileged Authentication Administrator",
    "G": "Global Administrator",
}


async def person(admin, name="target"):
    values = {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"}
    return (await admin.admin("tenant", users=[values]))["users"][0]


@pytest.mark.parametrize("mark", RESETTERS)
async def test_who_may_reset_whose_password(admin, with_permissions, mark):
    client = await with_permissions("User-PasswordProfile.ReadWrite.All")
    await give(admin, client, RESETTERS[mark])
    for number, (role, able) in enumerate(RESETS.items()):
        user = await person(admin, f"target{number}")
        await admin.admin("tenant", eligibilities=[{"role": role, "principal": user}])
        answer = await client.patch(f"/users/{user}", json=PROFILE)
        assert (answer.status_code == 204) == (mark in able), role


@pytest.mark.parametrize("way", ["member", "owner", "group's role", "restricted unit"])
async def test_groups_and_restricted_units_protect_their_users(admin, with_permissions, way):
    user = await person(admin)
    role = {"role": "Directory Readers", "principal": user}
    if way == "restricted unit":
        unit = {"displayName": "Vault", "isMemberManagementRestricted": True}
        made = await admin.admin("tenant", administrative_units=[unit])
        scope = f"/administrativeUnits/{made['administrative_units'][0]}"
        await admin.admin("tenant", roles=[role | {"scope": scope}])
    else:
        group = {"displayName": "Tier X", "isAssignableToRole": True}
        group |= {"owners": [user]} if way == "owner" else {"members": [user]}
        await admin.admin("tenant", groups=[group])
        if way == "group's role":
            roles = [{"role": "Groups Administrator", "principal": "Tier X"}]
            await admin.admin("tenant", roles=roles)
    low = await with_permissions("User-PasswordProfile.ReadWrite.All")
    await give(admin, low, "User Administrator")
    assert_denied(await low.patch(f"/users/{user}", json=PROFILE))
    await give(admin, low, "Privileged Authentication Administrator")
    assert (await low.patch(f"/users/{user}", json=PROFILE)).status_code == 204


async def test_a_token_keeps_its_roles_until_it_ends(admin, with_permissions):
    client = await with_permissions("User.Read.All")
    await admin.admin("grant", app=client.client_id, role="User.Read.All", revoke=True)
    assert (await client.get("/users")).status_code == 200
    await client.sign_in()
    assert_denied(await client.get("/users"))
