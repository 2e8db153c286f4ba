"""The whole way of an automation with least privilege, in the order of the product."""

import jwt

ROLE = "729827e3-9c14-49f7-bb1b-9608f156bbb8"


async def test_application_to_working_secret(automation, graph, sign_in):
    made = await automation.patch(
        "/applications(uniqueName='conn-1')",
        json={"displayName": "Connector", "signInAudience": "AzureADMyOrg"},
        headers={"Prefer": "create-if-missing"},
    )
    assert made.status_code == 201
    application = made.json()
    assert application["uniqueName"] == "conn-1"

    upsert = await automation.patch(
        f"/servicePrincipals(appId='{application['appId']}')",
        json={"accountEnabled": True, "tags": ["WindowsAzureActiveDirectoryIntegratedApp"]},
        headers={"Prefer": "create-if-missing"},
    )
    assert upsert.status_code == 201
    principal = upsert.json()

    api = await automation.graph_principal()
    roles = {role["value"]: role["id"] for role in api["appRoles"]}
    for name in ("User.Read.All", "Group.Read.All"):
        grant = {"principalId": principal["id"], "resourceId": api["id"], "appRoleId": roles[name]}
        await automation.made(f"/servicePrincipals/{api['id']}/appRoleAssignedTo", grant)
    consent = {
        "clientId": principal["id"],
        "consentType": "AllPrincipals",
        "resourceId": api["id"],
        "scope": "User.Read openid",
    }
    await automation.made("/oauth2PermissionGrants", consent)
    assignment = {
        "@odata.type": "#microsoft.graph.unifiedRoleAssignment",
        "roleDefinitionId": ROLE,
        "principalId": principal["id"],
        "directoryScopeId": "/",
    }
    assigned = await automation.made("/roleManagement/directory/roleAssignments", assignment)
    read = await automation.read(f"/roleManagement/directory/roleAssignments/{assigned['id']}")
    assert read["principalId"] == principal["id"]

    secret = await automation.made(
        f"/applications/{application['id']}/addPassword",
        {"passwordCredential": {"displayName": "one", "endDateTime": "2027-12-31T00:00:00Z"}},
        status=200,
    )
    connector = await sign_in(application["appId"], secret["secretText"])
    token = connector.headers["authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["roles"] == ["Group.Read.All", "User.Read.All"]
    assert claims["ver"] == "1.0"
    assert claims["iss"] == f"https://sts.windows.net/{graph.tenant_id}/"
    assert ROLE in claims["wids"]
    assert len((await connector.read("/users?$top=5&$select=id"))["value"]) == 5
    refused = await connector.get("/directory/administrativeUnits")
    assert refused.status_code == 403
