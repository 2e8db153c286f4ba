"""The directory role: what the product is given, when it is too low, and how it is raised."""

from typing import Any

import msgspec
import pytest

from functions.http.views import view
from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Approval, Aspect, Condition, RoleAdvice
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.tenant import PrincipalRow, RoleRow
from tests.in_memory.chain.world import (
    NAME,
    assert_onboarded,
    connection,
    onboard,
    request,
    statuses,
)

HELPDESK = "Helpdesk Administrator"
PAA = "Privileged Authentication Administrator"
GROUPS = {"provider_name": "DVLS PAM", "config_name": "all", "search_mode": "groups"}


async def onboarded(ctx: FakeContext, **changes: Any) -> None:
    await onboard(ctx, inputs=GROUPS, **changes)
    await drive(ctx)


async def discover(ctx: FakeContext, operation: str) -> None:
    await onboarding.run(ctx, NAME, "discover", operation, asked_by="timer")
    await drive(ctx)


async def role_assigned(ctx: FakeContext) -> Condition:
    found = (await connection(ctx)).condition(Aspect.ROLE_ASSIGNED)
    assert found is not None
    return found


async def advice(ctx: FakeContext) -> RoleAdvice:
    found = (await connection(ctx)).advice
    assert found is not None
    return found


def principal(ctx: FakeContext) -> PrincipalRow:
    (row,) = ctx.tenant.principals.values()
    return row


def held(ctx: FakeContext) -> list[str]:
    names = {id_: name for name, id_ in ctx.tenant.role_ids.items()}
    return [names[row.role_id] for row in principal(ctx).roles if row.scope == "/"]


async def events(ctx: FakeContext, what: str) -> list[dict[str, Any]]:
    return [row for row in await ctx.ledger.history(NAME) if row["what"] == what]


def administrator(ctx: FakeContext, name: str = "ada", role: str = "User Administrator") -> str:
    """An account in scope that holds a role; answers its id."""
    people = ctx.account_reader.people
    ada = people.add_user(name)
    people.add_group("Staff", [ada, people.add_user(f"not-{name}")])
    people.holders.setdefault(ctx.tenant.role_ids[role], []).append(ada)
    return ada


async def wants_escalation(ctx: FakeContext, approval: Approval | None = None) -> None:
    """What a PATCH of the features stores; then the operation that follows it."""
    forced = request(inputs=GROUPS, features={"admin_targets": True}).spec
    await ctx.ledger.amend(NAME, spec=forced)
    again = msgspec.structs.replace(request(inputs=GROUPS), spec=forced, approval=approval)
    await onboarding.onboard(ctx, again, asked_by="test")
    await drive(ctx)


@pytest.mark.requirement("D-22", "D-25", "D-26")
async def test_the_vendors_role_is_assigned_to_the_service_principal_for_everything() -> None:
    ctx = fake_context()
    await onboarded(ctx)
    await assert_onboarded(ctx)
    assert held(ctx) == [HELPDESK]
    assert principal(ctx).id == (await connection(ctx)).facts.principal_id
    condition = await role_assigned(ctx)
    assert (condition.reason, HELPDESK in condition.message) == ("ASSIGNED", True)
    role_id = ctx.tenant.role_ids[HELPDESK]
    assert f"role/{role_id}" in (await connection(ctx)).given


@pytest.mark.requirement("D-21")
async def test_without_password_rotation_there_is_no_role_and_no_advice() -> None:
    ctx = fake_context()
    administrator(ctx)
    await onboarded(ctx, features={"password_rotation": False})
    assert held(ctx) == []
    assert (await connection(ctx)).advice is None
    assert (await role_assigned(ctx)).reason == "NOT_WANTED"
    assert not ctx.tenant.faults.count("privileges.read")


@pytest.mark.requirement("D-26")
@pytest.mark.diagnosis("ROLE_CONFLICT")
async def test_a_lost_answer_leaves_one_assignment() -> None:
    ctx = fake_context()
    ctx.tenant.fail("roles.assign", TryLater("GRAPH_UNAVAILABLE", "503"), after_effect=True)
    await onboarded(ctx)
    await assert_onboarded(ctx)
    assert held(ctx) == [HELPDESK]


@pytest.mark.diagnosis("ROLE_MISSING")
async def test_a_role_in_a_narrower_scope_does_not_count() -> None:
    ctx = fake_context()
    await onboard(ctx, inputs=GROUPS)
    await drive(ctx, until=lambda sent: sent.step == "roles")
    narrow = RoleRow(role_id=ctx.tenant.role_ids[HELPDESK], scope="/administrativeUnits/north")
    principal(ctx).roles.append(narrow)
    await drive(ctx)
    assert held(ctx) == [HELPDESK]
    assert "only in /administrativeUnits/north" in (await role_assigned(ctx)).message
    assert narrow in principal(ctx).roles


async def test_roles_that_others_gave_are_reported_and_left_alone() -> None:
    ctx = fake_context()
    await onboard(ctx, inputs=GROUPS)
    await drive(ctx, until=lambda sent: sent.step == "roles")
    principal(ctx).roles.append(RoleRow(role_id=ctx.tenant.role_ids["Global Reader"]))
    await drive(ctx)
    assert sorted(held(ctx)) == ["Global Reader", HELPDESK]
    assert (
        "not given by Keyturn and left alone: Global Reader" in (await role_assigned(ctx)).message
    )


@pytest.mark.requirement("D-25")
@pytest.mark.diagnosis("ROLE_WRONG_PRINCIPAL")
async def test_an_assignment_to_anything_but_a_service_principal_is_refused() -> None:
    ctx = fake_context()
    await onboard(ctx, inputs=GROUPS)
    await drive(ctx, until=lambda sent: sent.step == "roles")
    wrong = RoleRow(role_id=ctx.tenant.role_ids[HELPDESK], principal_type="User")
    principal(ctx).roles.append(wrong)
    await drive(ctx)
    condition = await role_assigned(ctx)
    assert (condition.status, condition.reason) == ("False", "ROLE_WRONG_PRINCIPAL")
    assert condition.remedy


@pytest.mark.diagnosis("ROLE_NOT_FOUND_FLAP")
async def test_replicas_that_do_not_know_the_role_yet_are_waited_for() -> None:
    ctx = fake_context()
    flap = TryLater("ROLE_NOT_FOUND_FLAP", "HTTP 404 Request_ResourceNotFound")
    ctx.tenant.fail("roles.assign", flap, times=2)
    await onboard(ctx, inputs=GROUPS)
    await drive(ctx, until=lambda sent: sent.step == "credentials")
    assert held(ctx) == [HELPDESK]
    assert ctx.tenant.faults.count("roles.assign") == 3
    assert (await role_assigned(ctx)).reason == "ASSIGNED"


@pytest.mark.diagnosis("ROLE_NOT_FOUND_FLAP")
async def test_an_assignment_that_never_shows_is_for_people_in_the_end() -> None:
    ctx = fake_context()
    await onboard(ctx, inputs=GROUPS)
    await drive(ctx, until=lambda sent: sent.step == "roles")
    ctx.tenant.lag = 10_000
    await drive(ctx)
    condition = await role_assigned(ctx)
    assert (condition.status, condition.reason) == ("False", "ROLE_NOT_FOUND_FLAP")


@pytest.mark.requirement("D-23", "D-24")
@pytest.mark.diagnosis("ROLE_TOO_LOW")
async def test_the_first_discovery_finds_the_role_too_low_and_changes_nothing() -> None:
    ctx = fake_context()
    administrator(ctx)
    await onboarded(ctx)
    condition = await role_assigned(ctx)
    assert (condition.status, condition.reason) == ("False", "ROLE_TOO_LOW")
    assert "ada@contoso.onmicrosoft.com" in condition.message
    assert "User Administrator" in condition.message
    assert PAA in condition.remedy
    found = await advice(ctx)
    assert (found.role, found.proposed, found.least) == (HELPDESK, PAA, "User Administrator")
    assert (found.accounts, found.blocked) == (2, 1)
    shown = view(await connection(ctx), [], {}, ctx.clock.now())
    assert (shown.advice, shown.features["admin_targets"]) == (found, True)
    assert held(ctx) == [HELPDESK]
    told = [e for e in ctx.outbox.events if e.type == "keyturn.role.too_low"]
    assert len(told) == 1
    assert (await statuses(ctx))["Discovered"] == "True"


@pytest.mark.requirement("D-24")
async def test_an_account_that_becomes_an_administrator_later_and_is_none_again() -> None:
    ctx = fake_context()
    people, roles = ctx.account_reader.people, ctx.tenant.role_ids
    ada = people.add_user("ada")
    people.add_group("Staff", [ada])
    await onboarded(ctx)
    assert (await role_assigned(ctx)).status == "True"
    assert not (await advice(ctx)).admin_targets

    people.eligible[roles["Groups Administrator"]] = [ada]
    await discover(ctx, "d1")
    assert (await role_assigned(ctx)).reason == "ROLE_TOO_LOW"
    assert "Groups Administrator (eligible)" in (await role_assigned(ctx)).message
    await discover(ctx, "d2")
    told = [e for e in ctx.outbox.events if e.type == "keyturn.role.too_low"]
    assert len(told) == 1

    people.eligible.clear()
    await discover(ctx, "d3")
    condition = await role_assigned(ctx)
    assert (condition.status, condition.reason) == ("True", "ASSIGNED")
    assert held(ctx) == [HELPDESK]
    assert ctx.tenant.faults.count("roles.assign") == 1


@pytest.mark.requirement("D-23")
@pytest.mark.parametrize("way", ["member", "owner", "restricted", "through a group"])
async def test_every_way_of_holding_something_counts(way: str) -> None:
    ctx = fake_context()
    people, privileges = ctx.account_reader.people, ctx.privileges
    ada = people.add_user("ada")
    people.add_group("Staff", [ada])
    team = people.add_group("Tier 0", [ada] if way in ("member", "through a group") else [])
    if way in ("member", "owner"):
        privileges.assignable.add(team)
        privileges.owners[team] = [ada] if way == "owner" else []
    elif way == "restricted":
        privileges.restricted[ctx.tenant.role_ids["Directory Readers"]] = [ada]
    else:
        people.holders[ctx.tenant.role_ids["Global Reader"]] = [team]
    await onboarded(ctx)
    found = await advice(ctx)
    assert (found.least, found.proposed, found.blocked) == (PAA, PAA, 1)


@pytest.mark.requirement("D-23")
@pytest.mark.parametrize("role", ["Directory Readers", "Reports Reader", HELPDESK])
async def test_the_matrix_decides_where_the_guide_is_stricter(role: str) -> None:
    ctx = fake_context()
    administrator(ctx, role=role)
    await onboarded(ctx)
    await assert_onboarded(ctx)
    found = await advice(ctx)
    assert (found.proposed, found.holders, found.blocked) == (HELPDESK, 1, 0)


async def test_an_approved_escalation_gives_the_higher_role_and_takes_the_lower_one_away() -> None:
    ctx = fake_context()
    administrator(ctx)
    await onboarded(ctx)
    await wants_escalation(ctx)
    assert "APPROVAL_PENDING" in {c.reason for c in (await connection(ctx)).conditions}
    assert held(ctx) == [HELPDESK]

    await onboarding.approve(ctx, NAME, Approval(by="chris", reason="ok"), asked_by="chris")
    await drive(ctx)
    await assert_onboarded(ctx)
    assert held(ctx) == [PAA]
    calls = [c for c in ctx.tenant.faults.calls if c in ("roles.assign", "roles.unassign")]
    assert calls == ["roles.assign", "roles.assign", "roles.unassign"]
    marks = [mark for mark in (await connection(ctx)).given if mark.startswith("role/")]
    assert marks == [f"role/{ctx.tenant.role_ids[PAA]}"]
    assert len(await events(ctx, "role.removed")) == 1


async def test_a_lower_role_that_somebody_else_gave_stays() -> None:
    ctx = fake_context()
    administrator(ctx)
    await onboard(ctx, inputs=GROUPS)
    await drive(ctx, until=lambda sent: sent.step == "roles")
    principal(ctx).roles.append(RoleRow(role_id=ctx.tenant.role_ids[HELPDESK]))
    await drive(ctx)
    await wants_escalation(ctx, Approval(by="chris", reason="ok"))
    assert sorted(held(ctx)) == [HELPDESK, PAA]
    assert not ctx.tenant.faults.count("roles.unassign")


@pytest.mark.parametrize("call", ["ledger.amend(given)", "roles.assign", "roles.unassign"])
@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_crash_during_an_escalation_ends_with_the_higher_role_only(
    call: str,
    after_effect: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    ctx = fake_context()
    administrator(ctx)
    await onboarded(ctx)
    ctx.tenant.fail(call, RuntimeError("killed"), after_effect=after_effect)
    forced = request(inputs=GROUPS, features={"admin_targets": True})
    await ctx.ledger.amend(NAME, spec=forced.spec)
    await onboarding.onboard(ctx, forced, asked_by="test")
    await drive(ctx, redeliver=True)
    await assert_onboarded(ctx)
    assert held(ctx) == [PAA]


async def test_forced_at_onboarding_before_any_account_is_known() -> None:
    ctx = fake_context()
    await onboarded(ctx, features={"admin_targets": True})
    await assert_onboarded(ctx)
    assert held(ctx) == [PAA]


@pytest.mark.parametrize(
    "problem",
    [NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "grant it"), TryLater("THROTTLED", "429")],
    ids=lambda error: error.code,
)
async def test_facts_that_cannot_be_read_fail_no_discovery(problem: Exception) -> None:
    ctx = fake_context()
    administrator(ctx)
    ctx.tenant.fail("privileges.read", problem)
    await onboarded(ctx)
    await assert_onboarded(ctx)
    (unknown,) = (await advice(ctx)).unknown
    assert problem.code in unknown  # type: ignore[attr-defined]


async def test_unknown_facts_do_not_clear_what_was_found_before() -> None:
    ctx = fake_context()
    ada = administrator(ctx)
    await onboarded(ctx)
    people = ctx.account_reader.people
    people.holders.clear()
    people.eligible[ctx.tenant.role_ids["User Administrator"]] = [ada]
    ctx.privileges.refused = ("eligible roles",)
    await discover(ctx, "d1")
    assert (await role_assigned(ctx)).reason == "ROLE_TOO_LOW"
    assert (await advice(ctx)).unknown == ("eligible roles",)
    ctx.privileges.refused = ()
    people.eligible.clear()
    await discover(ctx, "d2")
    assert (await role_assigned(ctx)).status == "True"
