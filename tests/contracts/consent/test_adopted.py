"""Applications that are there already: adopted, deleted, broken."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.model.connection import Aspect
from shared.model.directory import GRAPH_APP_ID, Kind
from shared.model.profile import RETIRED, PermissionSet
from shared.planning.consent import Verdict, judge
from shared.profile import catalogue
from tests.contracts.consent.world import NETWRIX, consented, stopped
from tests.contracts.stage import PRINCIPAL, Stage
from tests.contracts.tenancy import administer, context, ours, principal_of
from tests.in_memory.access.world import begin, found, go_on, told


class TestAdoption:
    @pytest.mark.requirement("A-03", "A-04")
    async def test_it_is_only_added_to(self, stage: Stage):
        made = await stage.registered()
        before = await ours(stage, "keyturn-dvls")
        inputs = {"scope": "microsoft-graph", "app_client_id": made.client_id}
        ctx = context(stage)
        await begin(ctx, "pandium", inputs=inputs)
        await consented(ctx)
        after = await ours(stage, "keyturn-dvls")
        assert after["tags"] == [*before["tags"], "keyturn:conn"]
        same = ("displayName", "web", "spa", "publicClient", "owners", "requiredResourceAccess")
        assert {key: after[key] for key in same} == {key: before[key] for key in same}
        assert after["servicePrincipalLockConfiguration"] is None
        assert "EXTRA_PERMISSION" in (await told(ctx)).message

    @pytest.mark.requirement("A-03")
    @pytest.mark.diagnosis("WRONG_ID_KIND")
    @pytest.mark.parametrize("field", ["object_id", "principal_id"])
    async def test_another_id_of_it(self, stage: Stage, field: str):
        made = await stage.registered()
        inputs = {"scope": "microsoft-graph", "app_client_id": getattr(made, field)}
        ctx = context(stage)
        await begin(ctx, "pandium", inputs=inputs)
        condition = await stopped(ctx, Aspect.REGISTERED, "WRONG_ID_KIND")
        assert made.client_id in condition.message
        assert ("service principal" in condition.message) == (field == "principal_id")

    @pytest.mark.requirement("A-03")
    @pytest.mark.diagnosis("APP_NOT_FOUND")
    async def test_an_id_of_nothing(self, stage: Stage):
        nothing = "0f8fad5b-d9cb-469f-a165-70867728950e"
        inputs = {"scope": "microsoft-graph", "app_client_id": nothing}
        ctx = context(stage)
        await begin(ctx, "pandium", inputs=inputs)
        condition = await stopped(ctx, Aspect.REGISTERED, "APP_NOT_FOUND")
        assert nothing in condition.message

    @pytest.mark.requirement("A-03", "X-20")
    @pytest.mark.diagnosis("AUTOMATION_NOT_OWNER")
    async def test_somebody_elses(self, stage: Stage):
        theirs = await administer(stage, "POST", "/applications", {"displayName": "Theirs"})
        inputs = {"scope": "microsoft-graph", "app_client_id": theirs["appId"]}
        ctx = context(stage)
        await begin(ctx, "pandium", inputs=inputs)
        condition = await stopped(ctx, Aspect.REGISTERED, "AUTOMATION_NOT_OWNER")
        own = await stage.directory.own_principal()
        assert own in condition.remedy
        assert not await stage.traffic("PATCH", theirs["id"])
        reference = {"@odata.id": f"{stage.running.graph}/directoryObjects/{own}"}
        await administer(stage, "POST", f"/applications/{theirs['id']}/owners/$ref", reference)
        await go_on(ctx, "again")
        await consented(ctx)
        principal = await principal_of(stage, theirs["appId"])
        assert principal["displayName"] == "Theirs"


@pytest.mark.diagnosis("APP_DELETED")
async def test_a_deleted_application_comes_back(stage: Stage):
    ctx = context(stage)
    await begin(ctx, NETWRIX)
    facts = (await found(ctx)).facts
    await administer(stage, "DELETE", f"/applications/{facts.object_id}")
    ctx.clock.advance(days=1)
    await go_on(ctx, "again")
    condition = await stopped(ctx, Aspect.REGISTERED, "APP_DELETED")
    when = await stage.applications.deleted(facts.object_id)
    assert when is not None
    assert f"{when:%Y-%m-%d}" in condition.message
    assert f"{when + timedelta(days=30):%Y-%m-%d}" in condition.remedy
    await administer(stage, "POST", f"/directory/deletedItems/{facts.object_id}/restore")
    await go_on(ctx, "third")
    await consented(ctx)
    assert (await found(ctx)).facts.client_id == facts.client_id


@pytest.mark.requirement("M-37", "X-08")
@pytest.mark.diagnosis("RETIRED_API")
async def test_a_grant_on_azure_ad_graph_is_recognised(stage: Stage):
    made = await stage.registered()
    await stage.control("grant", app=made.client_id, role="Directory.Read.All", resource=RETIRED)
    retired = await stage.directory.resource(RETIRED)
    graph = await stage.directory.resource(GRAPH_APP_ID)
    assert retired is not None
    assert graph is not None
    granted = await stage.consents.granted(made.principal_id)
    (judged,) = judge((), (graph, retired), granted, ())
    assert (judged.verdict, judged.name) == (Verdict.RETIRED, "Directory.Read.All")


@pytest.mark.requirement("D-15")
@pytest.mark.diagnosis("PERM_UNKNOWN")
async def test_a_permission_that_is_disabled_cannot_be_had(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
):
    names = (PermissionSet(kind=Kind.APPLICATION, names=("AgentCard.Read.All",)),)
    changed = {NETWRIX: replace(catalogue()[NETWRIX], permissions=names)}
    monkeypatch.setattr("shared.runtime.catalogue", lambda: changed)
    ctx = context(stage)
    await begin(ctx, NETWRIX)
    condition = await stopped(ctx, Aspect.REGISTERED, "PERM_UNKNOWN")
    assert "AgentCard.Read.All" in condition.message


async def test_the_principal_is_put_right(stage: Stage):
    made = await stage.registered()
    wanted = replace(PRINCIPAL, assignment_required=True, tags=(*PRINCIPAL.tags, "HideApp"))
    await stage.applications.ensure_principal(made.client_id, wanted)
    shown = await stage.applications.principal(made.client_id)
    assert shown is not None
    assert shown.assignment_required
    assert set(wanted.tags) <= set(shown.tags)
