"""Users, groups, roles, administrative units and reports of the seeded tenant."""

import pytest

EVENTUAL = {"ConsistencyLevel": "eventual"}
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
GLOBAL = "62e90394-69f5-4237-9190-012177145e10"
NOBODY = "11111111-2222-4333-8444-555555555555"


async def group_named(admin, name):
    found = await admin.read("/groups", params={"$filter": f"displayName eq '{name}'"})
    return found["value"][0]


async def test_users_show_default_properties_only(admin):
    user = (await admin.read("/users?$top=1"))["value"][0]
    assert "accountEnabled" not in user
    assert "userPrincipalName" in user
    chosen = await admin.read("/users?$select=id,accountEnabled,userType&$top=1")
    assert set(chosen["value"][0]) == {"id", "accountEnabled", "userType"}
    assert chosen["@odata.context"].endswith("#users(id,accountEnabled,userType)")
    named = await admin.read(f"/users/{user['userPrincipalName']}")
    assert named["id"] == user["id"]


async def test_paging_reaches_every_user_once(admin, users):
    first = await admin.read("/users?$select=id")
    assert len(first["value"]) == 100
    assert first["@odata.nextLink"].startswith(admin.running.graph)
    found = await admin.every("/users?$select=id&$top=7")
    assert len(found) == users
    assert len({item["id"] for item in found}) == users


@pytest.mark.parametrize("top", ["0", "1000", "many"])
async def test_page_size_has_limits(admin, top):
    assert (await admin.get(f"/users?$top={top}")).status_code == 400


@pytest.mark.parametrize(
    ("expression", "check"),
    [
        ("accountEnabled eq true", lambda u: u["accountEnabled"]),
        ("userType eq 'Guest'", lambda u: u["userType"] == "Guest"),
        ("startswith(displayName,'Ada')", lambda u: u["displayName"].startswith("Ada")),
        (
            "department in ('Legal','Sales') and accountEnabled eq false",
            lambda u: u["department"] in ("Legal", "Sales") and not u["accountEnabled"],
        ),
        (
            "(department eq 'Legal' or department eq 'sales')",
            lambda u: u["department"] in ("Legal", "Sales"),
        ),
        ("createdDateTime ge 2024-06-01T00:00:00Z", lambda u: u["createdDateTime"] >= "2024-06"),
    ],
)
async def test_filters(admin, expression, check):
    select = "id,displayName,accountEnabled,userType,department,createdDateTime"
    everyone = await admin.every(f"/users?$select={select}&$top=999")
    wanted = {user["id"] for user in everyone if check(user)}
    assert 0 < len(wanted) < len(everyone)
    found = await admin.every(
        "/users", params={"$filter": expression, "$select": "id", "$top": "5"}
    )
    assert {user["id"] for user in found} == wanted
    assert len(found) == len(wanted)


@pytest.mark.parametrize(
    "expression",
    ["userType ne 'Guest'", "not(userType eq 'Guest')", "endswith(mail,'partner.example')"],
)
async def test_advanced_filters_need_header_and_count(admin, expression):
    params = {"$filter": expression, "$select": "id,userType"}
    refused = await admin.get("/users", params=params)
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "Request_UnsupportedQuery"
    without_count = await admin.get("/users", params=params, headers=EVENTUAL)
    assert without_count.status_code == 400
    good = await admin.read("/users", params=params | {"$count": "true"}, headers=EVENTUAL)
    assert good["@odata.count"] > 0


async def test_count(admin, users):
    assert "@odata.count" not in await admin.read("/users?$count=true")
    counted = await admin.read("/users?$count=true&$top=1", headers=EVENTUAL)
    assert counted["@odata.count"] == users
    number = await admin.get("/users/$count", headers=EVENTUAL)
    assert (number.status_code, number.text) == (200, str(users))
    assert number.headers["content-type"].startswith("text/plain")
    refused = await admin.get("/users/$count")
    assert "$count is not currently supported." in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "query",
    [
        "$select=nonsense",
        "$filter=nonsense eq 1",
        "$filter=displayName eq",
        "$filter=displayName like 'x'",
        "$orderby=nonsense",
        "$expand=nonsense",
        "$everything=1",
        "$skiptoken=nonsense",
    ],
)
async def test_bad_queries(admin, query):
    assert (await admin.get(f"/users?{query}")).status_code == 400


@pytest.mark.parametrize("option", ["$filter=id eq null", "$top=5", "$orderby=id"])
async def test_options_that_one_entity_does_not_take(admin, option):
    user = (await admin.read("/users?$top=1"))["value"][0]["id"]
    assert (await admin.get(f"/users/{user}?{option}")).status_code == 400


async def test_order(admin):
    found = await admin.every("/users?$orderby=displayName desc&$select=displayName")
    names = [user["displayName"] for user in found]
    assert names == sorted(names, reverse=True)


async def test_encoded_option_names(admin):
    found = await admin.read("/users?%24select=id&%24top=3")
    assert [set(user) for user in found["value"]] == [{"id"}] * 3


async def test_nested_groups(admin):
    tier0 = await group_named(admin, "Tier 0 Admins")
    direct = (await admin.read(f"/groups/{tier0['id']}/members"))["value"]
    assert {item["@odata.type"] for item in direct} == {
        "#microsoft.graph.user",
        "#microsoft.graph.group",
    }
    deep = await admin.every(f"/groups/{tier0['id']}/transitiveMembers")
    groups = {i["displayName"] for i in deep if i["@odata.type"] == "#microsoft.graph.group"}
    assert groups == {"Tier 0 Domain Admins", "Tier 0 Break Glass"}
    people = [i["id"] for i in deep if i["@odata.type"] == "#microsoft.graph.user"]
    assert len(people) == len(set(people)) == 6
    for cast in ("graph.user", "microsoft.graph.user"):
        path = f"/groups/{tier0['id']}/transitiveMembers/{cast}?$select=id,accountEnabled"
        found = (await admin.read(path))["value"]
        assert {item["id"] for item in found} == set(people)
        assert set(found[0]) == {"id", "accountEnabled"}
    nested = await admin.read(f"/groups/{tier0['id']}/transitiveMembers/graph.group")
    assert len(nested["value"]) == 2
    leaf = (await group_named(admin, "Tier 0 Break Glass"))["id"]
    user = (await admin.read(f"/groups/{leaf}/members"))["value"][0]["id"]
    path = f"/users/{user}/transitiveMemberOf/microsoft.graph.group"
    names = {item["displayName"] for item in (await admin.read(path))["value"]}
    assert {"Tier 0 Break Glass", "Tier 0 Domain Admins", "Tier 0 Admins"} <= names
    direct_names = {
        i["displayName"] for i in (await admin.read(f"/users/{user}/memberOf"))["value"]
    }
    assert "Tier 0 Admins" not in direct_names
    count = await admin.get(f"/groups/{tier0['id']}/transitiveMembers/$count", headers=EVENTUAL)
    assert int(count.text) == 8


async def test_member_groups(admin):
    leaf = (await group_named(admin, "Tier 0 Break Glass"))["id"]
    user = (await admin.read(f"/groups/{leaf}/members"))["value"][0]["id"]
    body = {"securityEnabledOnly": True}
    found = await admin.made(f"/users/{user}/getMemberGroups", body, status=200)
    assert {leaf, (await group_named(admin, "Tier 0 Admins"))["id"]} <= set(found["value"])
    assert (await admin.post(f"/users/{user}/getMemberGroups", json={})).status_code == 400


async def test_change_members(admin):
    body = {
        "displayName": "Fresh",
        "mailNickname": "fresh",
        "mailEnabled": False,
        "securityEnabled": True,
    }
    group = await admin.made("/groups", body)
    user = (await admin.read("/users?$top=1"))["value"][0]["id"]
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{user}"}
    path = f"/groups/{group['id']}/members"
    assert (await admin.post(f"{path}/$ref", json=reference)).status_code == 204
    assert (await admin.post(f"{path}/$ref", json=reference)).status_code == 400
    assert [i["id"] for i in (await admin.read(path))["value"]] == [user]
    assert (await admin.delete(f"{path}/{user}/$ref")).status_code == 204
    assert (await admin.read(path))["value"] == []
    change = await admin.patch(f"/groups/{group['id']}", json={"description": "x"})
    assert change.status_code == 204
    assert (await admin.delete(f"/groups/{group['id']}")).status_code == 204
    assert (await admin.get(f"/groups/{group['id']}")).status_code == 404


async def test_role_assignment(admin):
    _, principal = await admin.with_principal()
    base = "/roleManagement/directory/roleAssignments"
    body = {"roleDefinitionId": HELPDESK, "principalId": principal["id"], "directoryScopeId": "/"}
    made = await admin.made(base, body)
    assert made["id"].endswith("-1")
    again = await admin.post(base, json=body)
    assert again.status_code == 400
    assert again.json()["error"]["message"].startswith("A conflicting object")
    params = {"$filter": f"principalId eq '{principal['id']}'", "$expand": "principal"}
    found = (await admin.read(base, params=params))["value"]
    assert [item["principal"]["appId"] for item in found] == [principal["appId"]]
    unit = (await admin.read("/directory/administrativeUnits"))["value"][0]["id"]
    scoped = await admin.made(base, body | {"directoryScopeId": f"/administrativeUnits/{unit}"})
    assert len(scoped["id"]) > len(made["id"])
    assert (await admin.delete(f"{base}/{made['id']}")).status_code == 204
    assert (await admin.get(f"{base}/{made['id']}")).status_code == 404


async def test_role_assignment_id_is_the_documented_one():
    from emulators.graph.role_assignments import assignment_id

    made = assignment_id(GLOBAL, "f1847572-48aa-47aa-96a3-2ec61904f41f", "/")
    assert made == "lAPpYvVpN0KRkAEhdxReEHJ1hPGqSKpHlqMuxhkE9B8-1"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"principalId": NOBODY}, 404),
        ({"roleDefinitionId": NOBODY}, 404),
        ({"directoryScopeId": f"/administrativeUnits/{NOBODY}"}, 404),
        ({"directoryScopeId": None}, 400),
        ({"principalId": None}, 400),
    ],
)
async def test_role_assignments_that_cannot_be(admin, change, status):
    _, principal = await admin.with_principal()
    body = {"roleDefinitionId": HELPDESK, "principalId": principal["id"], "directoryScopeId": "/"}
    answer = await admin.post("/roleManagement/directory/roleAssignments", json=body | change)
    assert answer.status_code == status


async def test_roles_and_eligibilities(admin):
    base = "/roleManagement/directory"
    definitions = await admin.every(f"{base}/roleDefinitions?$filter=isBuiltIn eq true")
    assert {HELPDESK, GLOBAL} <= {item["id"] for item in definitions}
    one = await admin.read(f"{base}/roleDefinitions/{HELPDESK}")
    assert one["displayName"] == "Helpdesk Administrator"
    eligible = (await admin.read(f"{base}/roleEligibilityScheduleInstances"))["value"]
    assert all(item["id"].endswith("-1-e") for item in eligible)
    assert len(eligible) >= 3
    expanded = await admin.read(f"{base}/roleEligibilityScheduleInstances?$expand=principal")
    kinds = {item["principal"]["@odata.type"] for item in expanded["value"]}
    assert kinds == {"#microsoft.graph.user", "#microsoft.graph.group"}
    active = await admin.read(f"{base}/roleAssignmentScheduleInstances")
    assert active["value"][0]["assignmentType"] == "Assigned"
    roles = await admin.every(f"/directoryRoles?$filter=roleTemplateId eq '{HELPDESK}'")
    members = await admin.read(f"/directoryRoles/{roles[0]['id']}/members")
    kinds = {item["@odata.type"] for item in members["value"]}
    assert kinds == {"#microsoft.graph.user", "#microsoft.graph.group"}
    by_template = await admin.read(f"/directoryRoles(roleTemplateId='{HELPDESK}')")
    assert by_template["id"] == roles[0]["id"]


async def test_administrative_units(admin, users):
    units = (await admin.read("/directory/administrativeUnits"))["value"]
    path = f"/directory/administrativeUnits/{units[0]['id']}/members"
    found = await admin.every(path)
    assert len(found) == users // 2
    assert {item["@odata.type"] for item in found} == {"#microsoft.graph.user"}
    assert len(await admin.every(f"{path}/graph.user?$select=id")) == users // 2


async def test_registration_details(admin, users):
    path = "/reports/authenticationMethods/userRegistrationDetails"
    found = await admin.every(path)
    assert len(found) == users
    assert {item["isMfaRegistered"] for item in found} == {True, False}
    assert "" in {item["userPreferredMethodForSecondaryAuthentication"] for item in found}
    admins = await admin.every(f"{path}?$filter=isAdmin eq true")
    assert 0 < len(admins) < users


async def test_tenant_reads(admin, graph):
    organization = await admin.read("/organization?$select=id,displayName,verifiedDomains")
    assert organization["value"][0]["id"] == graph.tenant_id
    assert (await admin.read("/domains"))["value"][0]["isDefault"] is True
    application, principal = await admin.with_principal()
    seen = await admin.read(f"/directoryObjects/{principal['id']}")
    assert seen["@odata.type"] == "#microsoft.graph.servicePrincipal"
    user = (await admin.read("/users?$top=1"))["value"][0]["id"]
    body = {"ids": [principal["id"], user, NOBODY], "types": ["user", "servicePrincipal"]}
    found = await admin.made("/directoryObjects/getByIds", body, status=200)
    assert {item["id"] for item in found["value"]} == {principal["id"], user}
    audits = await admin.read("/auditLogs/directoryAudits?$top=5")
    names = [entry["activityDisplayName"] for entry in audits["value"]]
    assert names[:2] == ["Add service principal", "Add application"]
    assert audits["value"][1]["targetResources"][0]["id"] == application["id"]


async def test_users_come_and_go(admin):
    body = {
        "accountEnabled": True,
        "displayName": "New",
        "mailNickname": "new",
        "userPrincipalName": "new@contoso.onmicrosoft.com",
        "passwordProfile": {"password": "a long enough one"},
    }
    made = await admin.made("/users", body)
    assert (await admin.post("/users", json=body)).status_code == 400
    path = f"/users/{made['id']}"
    change = await admin.patch(path, json={"jobTitle": "Clerk", "accountEnabled": False})
    assert change.status_code == 204
    seen = await admin.read(f"{path}?$select=jobTitle,accountEnabled")
    assert (seen["jobTitle"], seen["accountEnabled"]) == ("Clerk", False)
    assert (await admin.delete(path)).status_code == 204
    assert (await admin.get(path)).status_code == 404
    assert (await admin.post(f"/directory/deletedItems/{made['id']}/restore")).status_code == 200
    assert (await admin.read(path))["displayName"] == "New"


async def test_delete_a_seeded_user(admin, users):
    user = (await admin.every("/users?$select=id"))[-1]["id"]
    assert (await admin.delete(f"/users/{user}")).status_code == 204
    assert user not in {item["id"] for item in await admin.every("/users?$select=id")}


async def test_no_such_path_or_method(admin):
    assert (await admin.get("/nonsense")).status_code == 400
    assert (await admin.put("/applications", json={})).status_code == 405
