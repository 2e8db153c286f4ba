"""Each account says which roles it has, whatever was searched."""

import pytest
from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Origin
from tests.in_memory.discovery.exporting import exporting, tenant
from tests.in_memory.discovery.killing import survive, world
from tests.in_memory.discovery.scans import NAME, connected, found, scan

HOLDS = Origin(kind="role", id="r1", name="Reader", scope="/")
MAY = replace(HOLDS, id="r2", name="User Administrator", eligible=True)

pytestmark = pytest.mark.requirement("D-23", "D-30")


async def test_members_of_a_group_with_the_roles_that_they_have() -> None:
    ctx = await connected(world=world(), read_roles="yes")
    people, directory = ctx.account_reader.people, tenant(ctx)
    ada, bo = people.add_user("ada"), people.add_user("bo")
    people.add_group("Staff", [ada, bo])
    directory.held = {ada: [HOLDS], "user-elsewhere": [HOLDS]}
    directory.eligible = {ada: [MAY]}

    summary = await survive(ctx, "o1")

    rows = await found(ctx)
    assert rows.keys() == {"ada", "bo"}  # a role vouches for nobody who was not searched
    assert {(o.kind, o.name, o.eligible) for o in rows["ada"].origins} == {
        ("group", "Staff", False),
        ("role", "Reader", False),
        ("role", "User Administrator", True),
    }
    assert not rows["ada"].eligible
    assert [o.kind for o in rows["bo"].origins] == ["group"]
    assert summary.state == "succeeded"


async def test_a_role_that_is_taken_away_is_a_change_in_a_run_of_changes() -> None:
    ctx = await exporting(read_roles="yes")
    directory = tenant(ctx)
    directory.held = {"user-000": [HOLDS], "user-001": [HOLDS]}
    await survive(ctx, "o1")
    directory.held = {"user-001": [HOLDS]}
    directory.eligible = {"user-002": [MAY]}

    summary = await survive(ctx, "o2")

    assert (summary.read, summary.changed, summary.removed) == ("changes", 2, 0)
    assert summary.changed_attributes == {"origins": 2}
    rows = {row.id: {o.name for o in row.origins} async for row in ctx.account_store.accounts(NAME)}
    assert rows["user-000"] == {"All users"}
    assert rows["user-002"] == {"All users", "User Administrator"}


async def test_roles_that_may_not_be_read_are_no_trouble_and_stay_as_they_were() -> None:
    ctx = await exporting(read_roles="yes")
    directory = tenant(ctx)
    directory.held = {"user-000": [HOLDS]}
    await survive(ctx, "o1")
    directory.refused["heldRoles"] = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "Grant it.")

    summary = await survive(ctx, "o2")

    (refused,) = [source for source in summary.sources if source.id == "heldRoles"]
    assert (refused.status, refused.missing) == ("failed", "RoleManagement.Read.Directory")
    assert (summary.state, summary.changed) == ("succeeded", 0)
    row = await ctx.account_store.account(NAME, "user-000")
    assert row is not None
    assert {o.name for o in row.origins} == {"All users", "Reader"}
    assert row.state == "found"


@pytest.mark.parametrize(("mode", "asked"), [("groups", True), ("roles", False)])
async def test_a_search_by_roles_needs_no_report(mode: str, *, asked: bool) -> None:
    ctx = await connected(search_mode=mode, read_roles="yes", filter=[])
    people = ctx.account_reader.people
    people.add_group("Staff", [people.add_user("ada")])
    people.holders[ctx.tenant.role_ids["Global Reader"]] = ["user-ada"]
    await scan(ctx, "o1")
    assert (("heldRoles", "") in ctx.entity_reader.asked) is asked
