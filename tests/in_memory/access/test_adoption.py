"""An application that was there before: only added to, and only with its owners' consent."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from shared.model.connection import Aspect, Status
from shared.model.directory import Kind
from shared.model.profile import RETIRED
from shared.profile import catalogue
from tests.fakes import FakeContext, fake_context
from tests.fakes.tenant import ApplicationRow, GrantRow, ScopesRow
from tests.in_memory.access.world import (
    NAME,
    alter,
    audit,
    begin,
    configured,
    found,
    go_on,
    granted,
    permission,
    principal,
    theirs,
    told,
)

SCOPE = {"scope": "microsoft-graph"}


async def adopt(ctx: FakeContext, row: ApplicationRow, **inputs: object) -> None:
    await begin(ctx, "pandium", inputs={**SCOPE, "app_client_id": row.client_id, **inputs})


Adopting = Callable[[str, ApplicationRow], None]


@pytest.fixture
def adopting(monkeypatch: pytest.MonkeyPatch) -> Adopting:
    """Makes a profile adopt an application, as one with an input for it would."""

    def adopt_with(profile: str, row: ApplicationRow) -> None:
        plain = catalogue()[profile]
        registration = replace(plain.registration, existing=row.client_id)
        changed = {profile: replace(plain, registration=registration)}
        monkeypatch.setattr("shared.runtime.catalogue", lambda: changed)

    return adopt_with


def owned(ctx: FakeContext, **parts: object) -> ApplicationRow:
    row = theirs(ctx, **parts)
    row.owners.add(ctx.tenant.own_principal)
    return row


@pytest.mark.requirement("A-03", "A-04")
async def test_nothing_of_it_is_removed_or_changed() -> None:
    ctx = fake_context()
    row = owned(ctx)
    before, owners = row.wanted, set(row.owners)
    await adopt(ctx, row)
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.TRUE, "REGISTERED")
    assert f"{row.client_id} is adopted" in condition.message
    after = row.wanted
    assert (after.display_name, after.audience) == (before.display_name, before.audience)
    assert after.public_client
    assert after.web_redirects == before.web_redirects
    assert configured(ctx, row) == {("delegated", "User.Read")}
    assert after.tags == ("theirs", "keyturn", f"keyturn:{NAME}")
    assert row.owners == owners
    assert not row.locked
    assert list(ctx.tenant.applications.values()) == [row]
    facts = (await found(ctx)).facts
    assert (facts.object_id, facts.client_id) == (row.id, row.client_id)


@pytest.mark.requirement("A-04")
@pytest.mark.diagnosis("EXTRA_PERMISSION")
async def test_what_it_has_besides_is_information() -> None:
    ctx = fake_context()
    row = owned(ctx)
    await adopt(ctx, row)
    condition = await told(ctx)
    assert condition.status == Status.TRUE
    assert "EXTRA_PERMISSION" in condition.message
    assert "User.Read (delegated, microsoft-graph" in condition.message
    assert "AUDIENCE_TOO_WIDE: its audience is AzureADMultipleOrgs" in condition.message
    (noted,) = await audit(ctx, "application.noted")
    assert "User.Read" in str(noted["notes"])
    await go_on(ctx, "again")
    assert len(await audit(ctx, "application.noted")) == 1


@pytest.mark.requirement("A-03")
async def test_without_an_id_a_new_one_is_made() -> None:
    ctx = fake_context()
    await begin(ctx, "pandium", inputs=SCOPE)
    (row,) = ctx.tenant.applications.values()
    assert row.wanted.unique_name == f"keyturn-{NAME}"


@pytest.mark.requirement("A-03", "X-20")
@pytest.mark.diagnosis("AUTOMATION_NOT_OWNER")
async def test_one_that_the_automation_does_not_own_is_not_touched() -> None:
    ctx = fake_context()
    row = theirs(ctx)
    before = row.wanted
    await adopt(ctx, row)
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "AUTOMATION_NOT_OWNER")
    assert ctx.tenant.own_principal in condition.remedy
    assert row.wanted == before
    assert row.owners == {"ana"}
    assert not (await found(ctx)).facts.object_id
    row.owners.add(ctx.tenant.own_principal)  # as the remedy says
    await go_on(ctx, "again")
    assert (await told(ctx)).status == Status.TRUE


@pytest.mark.requirement("A-03")
@pytest.mark.diagnosis("APP_NOT_FOUND")
async def test_an_id_that_nobody_knows() -> None:
    ctx = fake_context()
    stranger = "0f8fad5b-d9cb-469f-a165-70867728950e"
    await begin(ctx, "pandium", inputs={**SCOPE, "app_client_id": stranger})
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "APP_NOT_FOUND")
    assert stranger in condition.message
    assert "client" in condition.remedy
    assert ctx.tenant.applications == {}


@pytest.mark.requirement("A-03", "N-04")
@pytest.mark.diagnosis("WRONG_ID_KIND")
@pytest.mark.parametrize("kind", ["application", "principal"])
async def test_the_wrong_id_of_the_right_application(kind: str) -> None:
    ctx = fake_context()
    row = owned(ctx)
    wrong = row.id if kind == "application" else principal(ctx, row).id
    await begin(ctx, "pandium", inputs={**SCOPE, "app_client_id": wrong})
    condition = await told(ctx)
    assert (condition.status, condition.reason) == (Status.FALSE, "WRONG_ID_KIND")
    assert f"{kind}'s object id" in condition.message
    assert row.client_id in condition.message
    assert row.client_id in condition.remedy
    assert row.wanted.tags == ("theirs",)


@pytest.mark.requirement("A-04")
async def test_permissions_are_added_to_those_it_has(adopting: Adopting) -> None:
    ctx = fake_context()
    row = owned(ctx)
    graph = ctx.tenant.resources[permission(ctx, "Group.Read.All").key.resource]
    group = permission(ctx, "Group.Read.All")
    hers = GrantRow(resource_id=graph.principal_id, permission_id=group.key.id)
    principal(ctx, row).grants.append(hers)
    scope = ScopesRow(resource_id=graph.principal_id, scopes=("User.Read",))
    principal(ctx, row).delegated.append(scope)
    adopting("password-manager-pro", row)
    await begin(ctx, "password-manager-pro")
    assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE
    assert granted(ctx, row) == {"Group.Read.All", "Directory.Read.All"}
    assert configured(ctx, row) == {
        ("delegated", "User.Read"),
        ("delegated", "Directory.Read.All"),
        ("delegated", "Directory.AccessAsUser.All"),
        ("application", "Directory.Read.All"),
    }
    assert set(scope.scopes) == {"User.Read", "Directory.Read.All", "Directory.AccessAsUser.All"}


@pytest.mark.requirement("A-03", "A-04")
async def test_the_whole_chain_works_with_it() -> None:
    """Verification and credentials find it by its client id; what it has besides is told."""
    ctx = fake_context()
    row = owned(ctx)
    graph = ctx.tenant.resources[permission(ctx, "Group.Read.All").key.resource]
    hers = GrantRow(
        resource_id=graph.principal_id, permission_id=permission(ctx, "Group.Read.All").key.id
    )
    principal(ctx, row).grants.append(hers)
    await begin(ctx, "pandium", inputs={**SCOPE, "app_client_id": row.client_id}, whole=True)
    verified = await told(ctx, Aspect.VERIFIED)
    assert verified.status == Status.TRUE, verified
    assert "EXTRA_PERMISSION" in verified.message
    assert "Group.Read.All" in verified.message
    assert hers in principal(ctx, row).grants
    assert len(row.secrets) == 1


@pytest.mark.requirement("A-04", "M-37")
@pytest.mark.diagnosis("RETIRED_API")
async def test_what_it_asks_of_azure_ad_graph_is_told() -> None:
    ctx = fake_context()
    old = permission(ctx, "Directory.Read.All", Kind.APPLICATION, RETIRED)
    row = owned(ctx, configured=frozenset({old.key}))
    await adopt(ctx, row)
    condition = await told(ctx)
    assert condition.status == Status.TRUE
    assert "RETIRED_API" in condition.message
    assert old.key in row.wanted.configured


@pytest.mark.requirement("N-12", "A-04")
async def test_a_change_takes_back_only_what_keyturn_granted(adopting: Adopting) -> None:
    ctx = fake_context()
    row = owned(ctx)
    adopting("netwrix-identity-manager", row)
    await begin(ctx, "netwrix-identity-manager", features={"fulfilment": False})
    graph = ctx.tenant.resources[permission(ctx, "Group.Read.All").key.resource]
    hers = GrantRow(
        resource_id=graph.principal_id, permission_id=permission(ctx, "Group.Read.All").key.id
    )
    principal(ctx, row).grants.append(hers)
    await alter(ctx, "on", features={"export": True, "fulfilment": True})
    assert granted(ctx, row) == {"Group.Read.All", "Directory.ReadWrite.All"}
    assert ("delegated", "User.Read") in configured(ctx, row)
