"""The whole chain in memory: what a person gets, and what stops it."""

import msgspec
import pytest

from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Approval
from tests.fakes import fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.world import (
    NAME,
    assert_onboarded,
    connection,
    onboard,
    request,
    statuses,
)

FOUR = (
    "Group.Read.All",
    "RoleManagement.ReadWrite.Directory",
    "User-PasswordProfile.ReadWrite.All",
    "User.Read.All",
)


@pytest.mark.requirement("D-15", "D-18", "D-22")
async def test_onboarding_makes_every_condition_true() -> None:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)
    found = await connection(ctx)
    assert found.granted == FOUR
    assert found.roles == ("Helpdesk Administrator",)


@pytest.mark.requirement("X-03")
async def test_a_repeated_request_changes_nothing() -> None:
    ctx = fake_context()
    first = await onboard(ctx)
    await drive(ctx)
    calls = len(ctx.tenant.faults.calls)
    assert await onboard(ctx) == first
    assert await drive(ctx) == []
    await assert_onboarded(ctx)
    writes = ("applications.ensure", "credentials.add", "consents.grant", "roles.assign")
    assert not set(writes) & set(ctx.tenant.faults.calls[calls:])


@pytest.mark.requirement("D-19", "X-07")
async def test_high_risk_permissions_wait_for_an_approval_and_go_on_with_it() -> None:
    ctx = fake_context()
    bare = msgspec.structs.replace(request(), approval=None)
    await onboarding.onboard(ctx, bare, asked_by="test")
    await drive(ctx)
    held = {c.type: (c.status, c.reason) for c in (await connection(ctx)).conditions}
    assert held["Consented"] == ("False", "APPROVAL_PENDING")
    assert "CredentialReady" not in held
    assert not ctx.tenant.faults.count("consents.grant")
    await onboarding.approve(ctx, NAME, Approval(by="chris", reason="ok"), asked_by="chris")
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_an_accepted_swap_needs_no_approval_for_the_narrower_permission() -> None:
    ctx = fake_context()
    await onboard(ctx, accept_swaps=["RoleManagement.ReadWrite.Directory"])
    await drive(ctx)
    assert "RoleManagement.Read.Directory" in (await connection(ctx)).granted
    assert "RoleManagement.ReadWrite.Directory" not in (await connection(ctx)).granted


@pytest.mark.requirement("D-14")
async def test_without_discovery_no_permission_is_granted_and_nothing_is_searched() -> None:
    ctx = fake_context()
    features = {"discovery": False, "password_rotation": True}
    await onboard(ctx, features=features, inputs={"provider_name": "DVLS PAM"})
    await drive(ctx)
    await assert_onboarded(ctx)
    found = await connection(ctx)
    assert found.granted == ()
    assert found.roles == ("Helpdesk Administrator",)


@pytest.mark.requirement("D-21")
async def test_without_password_rotation_no_role_is_assigned() -> None:
    ctx = fake_context()
    await onboard(ctx, features={"discovery": True, "password_rotation": False})
    await drive(ctx)
    await assert_onboarded(ctx)
    assert (await connection(ctx)).roles == ()
    assert not ctx.tenant.faults.count("roles.assign")


@pytest.mark.requirement("X-06")
async def test_a_lost_answer_of_add_password_leaves_one_secret() -> None:
    ctx = fake_context()
    lost = TryLater("ANSWER_LOST", "HTTP 503")
    ctx.tenant.fail("credentials.add", lost, times=2, after_effect=True)
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)
    assert ctx.tenant.faults.count("credentials.add") == 3


@pytest.mark.requirement("N-07", "X-06")
async def test_a_vault_that_stays_down_leaves_no_secret_behind() -> None:
    ctx = fake_context()
    down = TryLater("VAULT_UNAVAILABLE", "HTTP 503")
    ctx.tenant.fail("vault.put", down, times=10)
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)


@pytest.mark.requirement("X-06")
async def test_a_refusal_stops_with_a_remedy_and_the_next_request_goes_on() -> None:
    ctx = fake_context()
    refused = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "grant it")
    ctx.tenant.fail("consents.grant", refused, nth=2)
    first = await onboard(ctx)
    await drive(ctx)
    stopped = (await connection(ctx)).conditions[-1]
    assert (stopped.type, stopped.status, stopped.remedy) == ("Consented", "False", "grant it")
    operation = await ctx.ledger.operation(NAME, first)
    assert operation is not None and operation.state == "needs-attention"
    assert await onboard(ctx) != first
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_endless_trouble_ends_in_a_final_condition() -> None:
    ctx = fake_context()
    ctx.tenant.fail("roles.assign", TryLater("GRAPH_UNAVAILABLE", "HTTP 503"), times=10_000)
    await onboard(ctx)
    await drive(ctx)
    assert (await statuses(ctx))["RoleAssigned"] == "False"
    found = await connection(ctx)
    operation = await ctx.ledger.operation(NAME, found.operation)
    assert operation is not None and operation.state == "needs-attention"


@pytest.mark.parametrize("kind", ["rotate", "verify", "discover"])
async def test_later_operations_end_well(kind: str) -> None:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    before = await ctx.vault.current(NAME)
    await onboarding.run(ctx, NAME, kind, f"{kind}-1", asked_by="test")
    await drive(ctx)
    operation = await ctx.ledger.operation(NAME, f"{kind}-1")
    assert operation is not None and operation.state == "succeeded"
    after = await ctx.vault.current(NAME)
    assert before is not None and after is not None
    assert (before.key_id != after.key_id) == (kind == "rotate")
