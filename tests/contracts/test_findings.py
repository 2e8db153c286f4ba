"""What a verification reads of owners, scoped roles, consents and the audit log, over the wire."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.graph_applications import GraphApplications
from shared.adapters.graph_audit import GraphAuditLog
from shared.adapters.graph_client import Graph
from shared.adapters.identity import own_credential
from shared.model.directory import GRAPH_APP_ID, Kind
from shared.model.finding import Finding, Item, Verdict, What
from shared.planning.actors import by_whom
from shared.planning.consent import judge
from tests.contracts.stage import Registered, Stage, needs_human
from tests.contracts.tenancy import administer, configured

pytestmark = pytest.mark.requirement("X-08")


@pytest.fixture
async def made(stage: Stage) -> Registered:
    return await stage.registered()


async def user(stage: Stage) -> str:
    found = await administer(stage, "GET", "/users?$top=1&$select=id")
    return str(found["value"][0]["id"])


async def owned_by(stage: Stage, path: str, owner: str) -> None:
    reference = {"@odata.id": f"{stage.running.graph}/directoryObjects/{owner}"}
    await administer(stage, "POST", f"{path}/owners/$ref", reference)


def about(item: Item, name: str, verdict: Verdict = "extra") -> Finding:
    now = datetime.now(UTC)
    return Finding(
        fingerprint="f",
        item=item,
        verdict=verdict,
        code="X",
        name=name,
        remedy="",
        risk="normal",
        first_seen=now,
        last_seen=now,
    )


async def test_owners_of_the_application_and_of_its_principal(stage: Stage, made: Registered):
    own, person = await stage.directory.own_principal(), await user(stage)
    assert await stage.applications.owners(made.object_id) == {own}
    assert await stage.applications.principal_owners(made.principal_id) == {own}
    await owned_by(stage, f"/servicePrincipals/{made.principal_id}", person)
    assert await stage.applications.owners(made.object_id) == {own}
    assert await stage.applications.principal_owners(made.principal_id) == {own, person}


async def test_a_lost_ownership_is_out_of_reach_of_the_one_who_lost_it(
    stage: Stage, made: Registered
):
    own = await stage.directory.own_principal()
    await administer(stage, "DELETE", f"/applications/{made.object_id}/owners/{own}/$ref")
    await needs_human(stage.applications.add_owner(made.object_id, own), "AUTOMATION_NOT_OWNER")
    automation = stage.running.automation.client_id
    await stage.control("grant", app=automation, role="Application.ReadWrite.All")
    credential = own_credential(stage.settings)  # its first token has what was granted
    graph = Graph(stage.settings, credential)
    await GraphApplications(graph, 0.0).add_owner(made.object_id, own)
    await graph.close()
    await credential.close()
    assert await stage.applications.owners(made.object_id) == {own}


async def test_a_role_in_one_unit_is_not_the_role_everywhere(stage: Stage, made: Registered):
    unit = await administer(stage, "POST", "/directory/administrativeUnits", {"displayName": "AU"})
    role = await stage.roles.role_id("Helpdesk Administrator")
    assert role is not None
    scope = f"/administrativeUnits/{unit['id']}"
    body = {"roleDefinitionId": role, "principalId": made.principal_id, "directoryScopeId": scope}
    await administer(stage, "POST", "/roleManagement/directory/roleAssignments", body)
    await stage.roles.assign(made.principal_id, role)
    held = await stage.roles.assigned(made.principal_id)
    assert {(a.role_id, a.scope) for a in held} == {(role, "/"), (role, scope)}
    (narrow,) = [a for a in held if a.scope == scope]
    await stage.roles.unassign(narrow)
    left = await stage.roles.assigned(made.principal_id)
    assert [(a.role_id, a.scope) for a in left] == [(role, "/")]


async def test_a_consent_of_one_user_names_the_user(stage: Stage, made: Registered):
    graph, person = await stage.directory.resource(GRAPH_APP_ID), await user(stage)
    assert graph is not None
    body = {
        "clientId": made.principal_id,
        "consentType": "Principal",
        "principalId": person,
        "resourceId": graph.principal_id,
        "scope": "User.Read",
    }
    await administer(stage, "POST", "/oauth2PermissionGrants", body)
    await stage.consents.grant_scopes(made.principal_id, graph.principal_id, ("User.Read",))
    delegated = await stage.consents.delegated(made.principal_id)
    assert {(g.everybody, g.user) for g in delegated} == {(True, ""), (False, person)}
    judged = judge((), (graph,), (), delegated)
    scope = next(p.key.id for p in graph.permissions
                 if p.name == "User.Read" and p.key.kind == Kind.DELEGATED)  # fmt: skip
    items = {(j.verdict, j.item.what, j.item.id, j.item.scope) for j in judged if j.item}
    assert items == {
        ("extra", What.DELEGATED, scope, ""),
        ("foreign", What.USER_CONSENT, scope, person),
    }


async def test_a_grant_says_when_it_was_made(stage: Stage, made: Registered):
    api, mail = await stage.permission("Mail.Send")
    await stage.consents.grant(made.principal_id, api, mail)
    (granted,) = await stage.consents.granted(made.principal_id)
    assert granted.created is not None
    assert abs(datetime.now(UTC) - granted.created) < timedelta(minutes=5)


async def test_the_log_says_who_did_it(stage: Stage, made: Registered):
    """Everything that a finding may be about, done by the tenant's administrator."""
    log, since = GraphAuditLog(stage.graph), datetime.now(UTC) - timedelta(hours=1)
    api, mail = await stage.permission("Mail.Send")
    app, sp = f"/applications/{made.object_id}", f"/servicePrincipals/{made.principal_id}"
    person = await user(stage)
    role = await stage.roles.role_id("Helpdesk Administrator")
    grant = {"principalId": made.principal_id, "resourceId": api, "appRoleId": mail}
    await administer(stage, "POST", f"/servicePrincipals/{api}/appRoleAssignedTo", grant)
    consent = {
        "clientId": made.principal_id,
        "consentType": "AllPrincipals",
        "resourceId": api,
        "scope": "User.Read Mail.Send",
    }
    await administer(stage, "POST", "/oauth2PermissionGrants", consent)
    body = {"roleDefinitionId": role, "principalId": made.principal_id, "directoryScopeId": "/"}
    await administer(stage, "POST", "/roleManagement/directory/roleAssignments", body)
    web = {"web": {"redirectUris": ["https://evil.example"]}, "isFallbackPublicClient": False}
    await administer(stage, "PATCH", app, web)
    await administer(stage, "PATCH", sp, {"accountEnabled": False})
    await owned_by(stage, app, person)
    changed = await log.entries(made.object_id, since)
    principal = await log.entries(made.principal_id, since)
    owner = await log.entries(person, since)
    uri = Item(what=What.REGISTRATION, id="web redirect URIs", scope="https://evil.example")
    flow = Item(what=What.REGISTRATION, id="public client flows", scope="not allowed")
    cases = [
        (Item(what=What.APPLICATION, id=mail), "Mail.Send", "extra", principal),
        (Item(what=What.DELEGATED, id="s"), "Mail.Send (delegated)", "extra", principal),
        (Item(what=What.ROLE, id=role or "", scope="/"), "Helpdesk", "extra", principal),
        (Item(what=What.PRINCIPAL, id=made.principal_id), "it", "missing", principal),
        (uri, "web", "extra", changed),
        (flow, "flow", "missing", changed),
        (Item(what=What.OWNER, id=person), "owner", "extra", owner),
    ]
    for item, name, verdict, entries in cases:
        actor = by_whom(about(item, name, verdict), entries)  # type: ignore[arg-type] # a verdict
        assert actor is not None, item
        assert actor.id not in ("", await stage.directory.own_principal())
        assert actor.name
    other = Item(what=What.APPLICATION, id="0f8fad5b-d9cb-469f-a165-70867728950e")
    assert by_whom(about(other, "Mail.Read"), principal) is None
    assert await log.entries(made.object_id, datetime.now(UTC) + timedelta(hours=1)) == []
    assert configured(await administer(stage, "GET", app)) is not None


async def test_a_log_that_may_not_be_read(stage: Stage, made: Registered):
    denial = {"status": 403, "code": "Authorization_RequestDenied", "message": "No."}
    await stage.fault(denial, call="GET /auditLogs/directoryAudits")
    log = GraphAuditLog(stage.graph)
    since = datetime.now(UTC) - timedelta(hours=1)
    await needs_human(log.entries(made.object_id, since), "AUTOMATION_PRIVILEGE")
