"""`ports.Consents` and `ports.Roles` in the emulated tenant, as the automation alone."""

import pytest

from emulators.graph.grants import make_grant
from shared.model.directory import GRAPH_APP_ID
from tests.contracts.stage import Registered, Stage, needs_human, try_later

ROLE = "Helpdesk Administrator"
GRANT = "POST /servicePrincipals/{id}/appRoleAssignedTo"
ASSIGN = "POST /roleManagement/directory/roleAssignments"


@pytest.fixture
async def made(stage: Stage) -> Registered:
    return await stage.registered()


class TestConsents:
    async def test_nothing_is_granted_at_first(self, stage: Stage, made: Registered):
        assert await stage.consents.granted(made.principal_id) == []
        assert await stage.consents.delegated(made.principal_id) == []

    async def test_a_grant_is_listed_and_may_be_repeated(self, stage: Stage, made: Registered):
        api, users = await stage.permission("User.Read.All")
        _, groups = await stage.permission("Group.Read.All")
        for permission in (users, groups, users):
            await stage.consents.grant(made.principal_id, api, permission)
        granted = await stage.consents.granted(made.principal_id)
        assert {(g.resource_id, g.permission_id) for g in granted} == {(api, users), (api, groups)}
        assert len(granted) == 2

    async def test_the_second_grant_really_was_refused_as_a_duplicate(
        self, stage: Stage, made: Registered
    ):
        api, users = await stage.permission("User.Read.All")
        for _ in range(2):
            await stage.consents.grant(made.principal_id, api, users)
        statuses = [row["status"] for row in await stage.traffic("POST", "appRoleAssignedTo")]
        assert statuses[0] == 201
        assert statuses[1] >= 400

    @pytest.mark.parametrize(
        ("status", "code", "text"),
        [
            (409, "Conflict", "EntitlementGrant entry already exists."),
            (400, "Request_BadRequest", "EntitlementGrant entry already exists."),
            (400, "Request_BadRequest", "Permission being assigned already exists on the object"),
        ],
    )
    async def test_a_duplicate_in_other_words(
        self, stage: Stage, made: Registered, status, code, text
    ):
        await stage.fault({"status": status, "code": code, "message": text}, call=GRANT, times=1)
        api, users = await stage.permission("User.Read.All")
        await stage.consents.grant(made.principal_id, api, users)
        assert await stage.hits() == 1

    async def test_delegated_grants(self, stage: Stage, made: Registered):
        api, _ = await stage.permission("User.Read.All")
        await consent(stage, made, api, "User.Read openid")
        (found,) = await stage.consents.delegated(made.principal_id)
        assert (found.resource_id, found.scopes, found.everybody) == (
            api,
            ("User.Read", "openid"),
            True,
        )

    async def test_a_delegated_grant_for_one_user(self, stage: Stage, made: Registered):
        api, _ = await stage.permission("User.Read.All")
        user = (await stage.control("tenant", users=[person("one")]))["users"][0]
        await consent(stage, made, api, "User.Read", principalId=user, consentType="Principal")
        (found,) = await stage.consents.delegated(made.principal_id)
        assert not found.everybody

    async def test_a_grant_before_the_principal_is_known_everywhere(
        self, stage: Stage, made: Registered
    ):
        await stage.fault("F4", times=1)
        api, users = await stage.permission("User.Read.All")
        call = stage.consents.grant(made.principal_id, api, users)
        error = await try_later(call, "APPROLE_BAD_REF")
        assert f"granting {users} to {made.principal_id}" in error.message
        await stage.consents.grant(made.principal_id, api, users)

    async def test_a_principal_that_is_not_there(self, stage: Stage, made: Registered):
        await stage.fault("F1", call=GRANT, times=1)
        api, users = await stage.permission("User.Read.All")
        await try_later(stage.consents.grant(made.principal_id, api, users), "APP_REPLICATION")

    async def test_the_list_is_behind(self, stage: Stage, made: Registered):
        api, users = await stage.permission("User.Read.All")
        await stage.control("lag", seconds=60)
        await stage.consents.grant(made.principal_id, api, users)
        assert await stage.consents.granted(made.principal_id) == []
        await stage.consents.grant(made.principal_id, api, users)
        await stage.control("clock", advance_seconds=61)
        assert len(await stage.consents.granted(made.principal_id)) == 1

    @pytest.mark.requirement("D-18")
    @pytest.mark.diagnosis("CONSENT_DENIED", "ADMIN_CANNOT_CONSENT")
    @pytest.mark.parametrize(
        ("status", "code"), [(403, "Authorization_RequestDenied"), (400, "Request_BadRequest")]
    )
    async def test_a_grant_that_is_denied(self, stage: Stage, made: Registered, status, code):
        await stage.fault({"status": status, "code": code, "message": "Not here."}, call=GRANT)
        api, users = await stage.permission("User.Read.All")
        call = stage.consents.grant(made.principal_id, api, users)
        error = await needs_human(call, "CONSENT_DENIED")
        assert f"granting {users}" in error.message
        assert "Not here." in error.message
        assert "Application Administrator cannot grant" in error.remedy

    @pytest.mark.requirement("D-19", "X-20")
    @pytest.mark.diagnosis("AUTOMATION_PRIVILEGE")
    async def test_a_missing_permission_is_named(self, stage: Stage):
        await stage.forbid("AppRoleAssignment.ReadWrite.All")
        made = await stage.registered()
        api, users = await stage.permission("User.Read.All")
        call = stage.consents.grant(made.principal_id, api, users)
        error = await needs_human(call, "AUTOMATION_PRIVILEGE")
        assert "the call needs AppRoleAssignment.ReadWrite.All" in error.message
        assert "Grant the automation's identity AppRoleAssignment.ReadWrite.All" in error.remedy

    @pytest.mark.diagnosis("EMPTY_403")
    @pytest.mark.parametrize("forbidden", [(), ("AppRoleAssignment.ReadWrite.All",)])
    async def test_a_refusal_without_a_word(self, stage: Stage, made: Registered, forbidden):
        await stage.forbid(*forbidden)
        silent = {"status": 403, "code": "Authorization_RequestDenied", "message": ""}
        await stage.fault(silent, call=GRANT)
        api, users = await stage.permission("User.Read.All")
        call = stage.consents.grant(made.principal_id, api, users)
        error = await needs_human(call, "EMPTY_403")
        held, _, needs = error.message.partition("; the call needs ")
        assert "The token holds" in held
        assert "Directory.Read.All" in held
        assert ("AppRoleAssignment.ReadWrite.All" in held) == (not forbidden)
        assert needs.startswith("AppRoleAssignment.ReadWrite.All and Application.Read.All")

    async def test_reading_a_principal_that_is_not_there_finds_nothing(self, stage: Stage):
        nobody = "00000000-0000-0000-0000-00000000dead"
        assert await stage.consents.granted(nobody) == []
        assert await stage.consents.delegated(nobody) == []
        assert await stage.roles.assigned(nobody) == []


class TestRoles:
    @pytest.mark.requirement("D-22", "D-25", "D-26")
    @pytest.mark.diagnosis("ROLE_CONFLICT")
    async def test_an_assignment_is_listed_and_may_be_repeated(
        self, stage: Stage, made: Registered
    ):
        role = await stage.roles.role_id(ROLE)
        assert role is not None
        assert await stage.roles.assigned(made.principal_id) == []
        assert not await stage.roles.settled_assignment(made.principal_id, role)
        for _ in range(2):
            await stage.roles.assign(made.principal_id, role)
        (held,) = await stage.roles.assigned(made.principal_id)
        assert (held.role_id, held.scope) == (role, "/")
        assert held.principal_type == "ServicePrincipal"
        assert await stage.roles.settled_assignment(made.principal_id, role) == held
        statuses = [row["status"] for row in await stage.traffic("POST", "roleAssignments")]
        assert statuses == [201, 400]

    async def test_an_assignment_is_taken_away_and_that_may_be_repeated(
        self, stage: Stage, made: Registered
    ):
        for name in (ROLE, "User Administrator"):
            await stage.roles.assign(made.principal_id, await stage.roles.role_id(name))
        lower = await stage.roles.settled_assignment(
            made.principal_id, await stage.roles.role_id(ROLE)
        )
        for _ in range(2):
            await stage.roles.unassign(lower)
        (left,) = await stage.roles.assigned(made.principal_id)
        assert (await stage.roles.names())[left.role_id] == "User Administrator"
        statuses = [row["status"] for row in await stage.traffic("DELETE", "roleAssignments")]
        assert statuses == [204, 404]

    async def test_a_role_in_one_unit_is_listed_but_not_settled(
        self, stage: Stage, made: Registered
    ):
        unit = (await stage.control("tenant", administrative_units=[{"displayName": "North"}]))[
            "administrative_units"
        ][0]
        scope = f"/administrativeUnits/{unit}"
        row = {"role": ROLE, "principal": made.principal_id, "scope": scope}
        await stage.control("tenant", roles=[row])
        (held,) = await stage.roles.assigned(made.principal_id)
        assert (held.scope, held.everywhere) == (scope, False)
        role = await stage.roles.role_id(ROLE)
        assert await stage.roles.settled_assignment(made.principal_id, role) is None

    @pytest.mark.parametrize("name", ["No Such Role", "helpdesk administrator", "O'Neil's role"])
    async def test_unknown_roles(self, stage: Stage, name):
        assert await stage.roles.role_id(name) is None

    async def test_one_replica_without_it_is_not_settled(self, stage: Stage, made: Registered):
        role = await stage.roles.role_id(ROLE)
        await stage.roles.assign(made.principal_id, role)
        call = "GET /roleManagement/directory/roleAssignments"
        await stage.control("faults", call=call, pattern="ok,404,ok")
        assert not await stage.roles.settled_assignment(made.principal_id, role)

    @pytest.mark.diagnosis("ROLE_NOT_FOUND_FLAP")
    async def test_a_principal_that_is_not_known_everywhere(self, stage: Stage, made: Registered):
        role = await stage.roles.role_id(ROLE)
        await stage.fault("F5", times=1)
        call = stage.roles.assign(made.principal_id, role)
        error = await try_later(call, "ROLE_NOT_FOUND_FLAP")
        assert f"assigning role {role}" in error.message
        await stage.roles.assign(made.principal_id, role)

    @pytest.mark.parametrize(
        "text",
        [
            (
                "A conflicting object with one or more of the specified property values is "
                "present in the directory."
            ),
            "The Role assignment already exists.",
        ],
    )
    async def test_a_duplicate_in_other_words(self, stage: Stage, made: Registered, text):
        role = await stage.roles.role_id(ROLE)
        refusal = {"status": 400, "code": "Request_BadRequest", "message": text}
        await stage.fault(refusal, call=ASSIGN, times=1)
        await stage.roles.assign(made.principal_id, role)
        assert await stage.hits() == 1

    async def test_a_missing_permission_names_the_call(self, stage: Stage, made: Registered):
        role = await stage.roles.role_id(ROLE)
        refusal = {
            "status": 403,
            "code": "Authorization_RequestDenied",
            "message": "Insufficient privileges to complete the operation.",
        }
        await stage.fault(refusal, call=ASSIGN)
        call = stage.roles.assign(made.principal_id, role)
        error = await needs_human(call, "AUTOMATION_PRIVILEGE")
        assert f"assigning role {role}" in error.message


class TestDirectory:
    async def test_the_tenant_and_the_automation(self, stage: Stage):
        tenant = await stage.directory.tenant()
        assert tenant.id == stage.running.tenant_id
        assert tenant.name
        assert tenant.initial_domain.endswith(".onmicrosoft.com")
        assert await stage.directory.own_principal() == stage.running.automation.object_id
        assert {"Application.ReadWrite.OwnedBy", "AppRoleAssignment.ReadWrite.All"} <= (
            await stage.directory.own_roles()
        )

    async def test_what_was_granted_lately_is_in_a_fresh_token_and_those_after_it(
        self, stage: Stage
    ):
        late = "Domain.Read.All"
        assert late not in await stage.directory.own_roles()
        tenant = stage.running.server.tenant
        graph = tenant.principal_of(GRAPH_APP_ID)
        ids = {role["value"]: role["id"] for role in graph.body["appRoles"]}
        make_grant(tenant, stage.running.automation.object_id, graph.id, ids[late], settled=True)
        assert late not in await stage.directory.own_roles()
        assert late in await stage.directory.own_roles(fresh=True)
        assert late in await stage.directory.own_roles()

    async def test_the_tenant_and_apis_are_read_once(self, stage: Stage):
        directory = stage.directory
        for _ in range(2):
            await directory.tenant()
            await directory.resource(GRAPH_APP_ID)
        assert len(await stage.traffic("GET", "/organization")) == 1
        assert len(await stage.traffic("GET", GRAPH_APP_ID)) == 1

    async def test_whether_accounts_are_synchronised(self, stage: Stage):
        assert await stage.directory.hybrid()
        (asked,) = await stage.traffic("GET", "onPremisesSyncEnabled")
        assert asked["status"] == 200
        people = stage.running.server.tenant.users
        rows = [{"user": id_, "onPremisesSyncEnabled": None} for id_ in people]
        await stage.control("tenant", update_users=rows)
        assert not await stage.directory.hybrid()

    async def test_an_api_and_what_it_offers(self, stage: Stage):
        api = await stage.directory.resource(GRAPH_APP_ID)
        assert api is not None
        offered = {(p.name, p.key.kind) for p in api.permissions}
        assert {
            ("User.Read.All", "application"),
            ("User.Read.All", "delegated"),
            ("User.Read", "delegated"),
        } <= offered
        assert ("User.Read", "application") not in offered
        assert all(p.key.resource == GRAPH_APP_ID for p in api.permissions)

    async def test_an_api_that_is_not_there_is_asked_for_again(self, stage: Stage):
        directory = stage.directory
        await stage.fault("F1", call="GET *", times=1)
        assert await directory.resource(GRAPH_APP_ID) is None
        assert await directory.resource(GRAPH_APP_ID) is not None
        assert await directory.resource("00000000-0000-0000-0000-00000000dead") is None


def person(name: str) -> dict[str, str]:
    return {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"}


async def consent(stage: Stage, made: Registered, api: str, scope: str, **more: str) -> None:
    """A consent that an administrator gave in the portal."""
    body = {
        "clientId": made.principal_id,
        "consentType": "AllPrincipals",
        "resourceId": api,
        "scope": scope,
        **more,
    }
    token = await stage.credential.get_token("https://graph.microsoft.com/.default")
    answer = await stage.admin.post(
        f"{stage.running.graph}/oauth2PermissionGrants",
        json=body,
        headers={"Authorization": f"Bearer {token.token}"},
    )
    assert answer.status_code == 201, answer.text
