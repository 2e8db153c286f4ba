"""The step in memory for whole kinds of entities: full runs, changes, and expired links."""

from datetime import timedelta
from typing import Any

import pytest

from shared.errors import NeedsHuman, TryLater
from shared.messages import LONGEST
from shared.model.accounts import Account, Origin
from shared.model.connection import Status
from shared.model.entities import Entity
from shared.operations import FULL_RUN
from shared.planning.discovery_runs import STUCK
from shared.planning.snapshots import Position
from tests.fakes import FakeContext
from tests.fakes.entities import Directory
from tests.in_memory.discovery.scans import NAME, begin, condition, connected, deliver, scan

EVERYBODY = Origin(kind="tenant", id="users", name="All users")


def user(name: str, **changes: Any) -> Account:
    fields: dict[str, Any] = {
        "id": f"user-{name}",
        "user_principal_name": f"{name}@contoso.onmicrosoft.com",
        "display_name": name,
        "enabled": True,
        "guest": False,
        "mail": "",
        "origins": (EVERYBODY,),
    }
    return Account(**(fields | changes))


def group(name: str) -> Entity:
    return Entity(kind="group", id=f"group-{name}", display_name=name)


async def exporting(profile: str = "netwrix-identity-manager", **inputs: Any) -> FakeContext:
    """An onboarded Netwrix connection in a tenant of two users, a group, a role and an app."""
    features = {"export": True} if "netwrix" in profile else {"sync": True}
    ctx = await connected(profile=profile, features=features, search_mode=None, **inputs)
    known = ctx.entity_reader.directory
    ada, bo = known.put(user("ada")), known.put(user("bo", guest=True, enabled=False))
    team = known.put(group("team"))
    role = known.put(Entity(kind="directoryRole", id="role-1", display_name="Reader"))
    known.put(Entity(kind="servicePrincipal", id="sp-1", display_name="App"))
    known.link("members", team, ada)
    known.link("owners", team, bo)
    known.link("members", role, ada)
    return ctx


def tenant(ctx: FakeContext) -> Directory:
    return ctx.entity_reader.directory


async def changes(ctx: FakeContext, after: int) -> list[tuple[str, str, str]]:
    found = ctx.account_store.changes(NAME, Position(number=after))
    return [(change.command, change.kind, change.id) async for _, change in found]


async def links(ctx: FakeContext) -> set[tuple[str, str, str]]:
    found = ctx.account_store.links(NAME)
    return {(link.kind, link.source, link.target) async for link in found}


@pytest.mark.requirement("N-20", "D-34", "D-35", "X-15")
async def test_the_first_run_reads_every_kind_and_its_links() -> None:
    ctx = await exporting()
    summary = await scan(ctx, "o1")
    assert summary.entities == {
        "directoryRole": 1,
        "group": 1,
        "servicePrincipal": 1,
        "user": 2,
    }
    assert (summary.accounts, summary.guests, summary.disabled, summary.links) == (2, 1, 1, 3)
    assert (summary.mode, summary.read, summary.state) == ("all", "full", "succeeded")
    assert "no delta link yet" in summary.why
    assert await links(ctx) == {
        ("members", "group-team", "user-ada"),
        ("owners", "group-team", "user-bo"),
        ("members", "role-1", "user-ada"),
    }
    found = [account async for account in ctx.account_store.accounts(NAME)]
    assert {account.state for account in found} == {"found"}
    assert len(await changes(ctx, 0)) == 8
    assert {command for command, _, _ in await changes(ctx, 0)} == {"insert"}


@pytest.mark.requirement("N-21")
async def test_later_runs_read_only_what_changed() -> None:
    ctx = await exporting()
    await scan(ctx, "o1")
    known = tenant(ctx)
    known.put(user("ada", display_name="Ada L."))
    known.put(user("eli"))
    known.remove("user-bo")
    known.unlink("members", "group-team", "user-ada")
    known.link("members", "group-team", "user-eli")
    ctx.entity_reader.asked.clear()

    summary = await scan(ctx, "o2")

    assert all(cookie for _, cookie in ctx.entity_reader.asked)
    assert (summary.read, summary.why) == ("changes", "")
    assert (summary.added, summary.changed, summary.removed) == (1, 1, 1)
    assert (summary.accounts, summary.entities["user"]) == (2, 2)
    assert {source.id: source.accounts for source in summary.sources} == summary.entities
    assert sorted(await changes(ctx, 1)) == [
        ("delete", "members", "members/group-team/user-ada"),
        ("delete", "owners", "owners/group-team/user-bo"),
        ("delete", "user", "user-bo"),
        ("insert", "members", "members/group-team/user-eli"),
        ("insert", "user", "user-eli"),
        ("update", "user", "user-ada"),
    ]
    nothing = await scan(ctx, "o3")
    assert (nothing.changes, nothing.accounts, nothing.links) == (0, 2, 2)


@pytest.mark.requirement("N-21", "X-15")
@pytest.mark.diagnosis("DELTA_EXPIRED")
async def test_an_expired_link_means_a_full_run_by_itself() -> None:
    ctx = await exporting()
    await scan(ctx, "o1")
    known = tenant(ctx)
    known.remove("user-bo")
    known.put(user("eli"))
    known.expired.add("user")
    ctx.entity_reader.asked.clear()

    summary = await scan(ctx, "o2")

    asked = [cookie for kind, cookie in ctx.entity_reader.asked if kind == "user"]
    assert [bool(cookie) for cookie in asked] == [True, False]
    assert (summary.state, summary.read) == ("succeeded", "full")
    assert summary.why == "DELTA_EXPIRED: The delta link expired; a full run was made."
    assert sorted(await changes(ctx, 1)) == [
        ("delete", "owners", "owners/group-team/user-bo"),
        ("delete", "user", "user-bo"),
        ("insert", "user", "user-eli"),
    ]
    assert "DELTA_EXPIRED" in (await condition(ctx)).message
    assert (await scan(ctx, "o3")).read == "changes"


@pytest.mark.requirement("N-21")
async def test_a_full_run_that_was_asked_for_ignores_the_cookies() -> None:
    ctx = await exporting()
    await scan(ctx, "o1")
    ctx.entity_reader.asked.clear()
    ctx.clock.advance(minutes=1)
    await begin(ctx, "o2", reason=FULL_RUN)
    await deliver(ctx, "o2")
    assert {cookie for _, cookie in ctx.entity_reader.asked} == {""}
    (summary, *_) = await ctx.account_store.summaries(NAME)
    assert (summary.read, summary.why) == ("full", "a full run was asked for")
    assert summary.changes == 0


@pytest.mark.requirement("N-21")
@pytest.mark.parametrize("after_effect", [True, False])
async def test_a_crash_between_reading_and_storing_loses_no_change(*, after_effect: bool) -> None:
    ctx = await exporting()
    await scan(ctx, "o1")
    tenant(ctx).put(user("eli"))
    ctx.tenant.fail(
        "account_store.publish", ConnectionError("the process died"), after_effect=after_effect
    )
    ctx.clock.advance(minutes=1)
    await begin(ctx, "o2")
    with pytest.raises(ConnectionError):
        await deliver(ctx, "o2")
    await deliver(ctx, "o2")
    assert await changes(ctx, 1) == [("insert", "user", "user-eli")]
    assert [row.id async for row in ctx.account_store.accounts(NAME)] == [
        "user-ada",
        "user-bo",
        "user-eli",
    ]


async def test_a_kind_that_fails_takes_nothing_away_and_is_read_on_later() -> None:
    ctx = await exporting()
    await scan(ctx, "o1")
    known = tenant(ctx)
    known.put(user("eli"))
    known.put(group("new"))
    refusal = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "Grant it.")
    ctx.tenant.fail("entity_reader.read", refusal)  # of the first kind, the users
    summary = await scan(ctx, "o2")
    assert summary.state == "partial"
    assert await changes(ctx, 1) == [("insert", "group", "group-new")]
    assert summary.accounts == 2
    healed = await scan(ctx, "o3")
    assert (healed.state, healed.added, healed.read) == ("succeeded", 1, "changes")


@pytest.mark.diagnosis("REMOVALS_HELD")
async def test_a_sudden_loss_in_the_changes_is_held_until_somebody_approves() -> None:
    ctx = await exporting()
    known = tenant(ctx)
    for number in range(30):
        known.put(user(f"u{number}"))
    await scan(ctx, "o1")
    for number in range(30):
        known.remove(f"user-u{number}")
    known.put(user("eli"))
    doubted = await scan(ctx, "o2")
    assert (doubted.state, doubted.removed, doubted.added, doubted.held) == ("partial", 0, 1, 30)
    said = await condition(ctx)
    assert (said.reason, said.status) == ("REMOVALS_HELD", Status.TRUE)
    assert "/discoveries/o2/removals" in said.message
    assert [e.data for e in ctx.outbox.events if e.type == "keyturn.removals.held"] == [
        {"operation": "o2", "accounts": 30}
    ]

    nothing_new = await scan(ctx, "o3")
    assert (nothing_new.removed, nothing_new.accounts, nothing_new.held) == (0, 33, 30)

    await ctx.account_store.release(NAME, approve=True, now=ctx.clock.now())
    believed = await scan(ctx, "o4")
    assert (believed.state, believed.read, believed.accounts) == ("succeeded", "changes", 3)
    assert (await condition(ctx)).reason == "DISCOVERED"


@pytest.mark.requirement("N-23")
@pytest.mark.diagnosis("ATTRIBUTE_NOT_LISTABLE")
async def test_attributes_are_checked_before_anything_is_read() -> None:
    ctx = await exporting(attributes=["jobTitle", "aboutMe"])
    await scan(ctx, "o1")
    problem = await condition(ctx)
    assert (problem.reason, problem.status) == ("ATTRIBUTE_NOT_LISTABLE", Status.FALSE)
    assert "aboutMe" in problem.message
    assert "jobTitle" not in problem.message
    assert ctx.entity_reader.asked == []


@pytest.mark.requirement("X-15")
@pytest.mark.diagnosis("THROTTLED")
async def test_the_summary_says_how_long_graph_slowed_it_down() -> None:
    ctx = await exporting()
    slow = TryLater("THROTTLED", "HTTP 429", after=timedelta(minutes=2), limit=timedelta(hours=1))
    ctx.tenant.fail("entity_reader.read", slow)
    await begin(ctx, "o1")
    began = ctx.clock.now()
    await deliver(ctx, "o1")
    again = ctx.outbox.take()
    assert again is not None
    ctx.clock.reach(again.at)
    await deliver(ctx, "o1", waiting_since=began)
    (summary,) = await ctx.account_store.summaries(NAME)
    assert (summary.state, summary.waited) == ("succeeded", 120.0)
    assert "Graph slowed us down; resumed after 120 s." in (await condition(ctx)).message


@pytest.mark.requirement("D-33")
@pytest.mark.diagnosis("DISCOVERY_STUCK")
async def test_a_run_that_dies_again_and_again_is_given_up() -> None:
    ctx = await exporting()
    ctx.tenant.fail("entity_reader.read", RuntimeError("out of memory"), times=9)
    await begin(ctx, "o1")
    with pytest.raises(ExceptionGroup):
        await deliver(ctx, "o1")
    (running,) = await ctx.account_store.summaries(NAME)
    assert (running.state, running.started) == ("running", ctx.clock.now())
    ctx.clock.advance(hours=5)
    await deliver(ctx, "o1")
    problem = await condition(ctx)
    assert (problem.reason, problem.status) == ("DISCOVERY_STUCK", Status.FALSE)
    assert "POST /api/connections/pam/discovery" in problem.remedy
    (over,) = await ctx.account_store.summaries(NAME)
    assert over.state == "failed"
    assert over.why.startswith("DISCOVERY_STUCK")


def test_no_run_is_called_stuck_while_its_step_may_wait() -> None:
    assert STUCK > LONGEST


@pytest.mark.requirement("N-22")
async def test_an_export_repeats_every_quarter_of_an_hour() -> None:
    ctx = await exporting()
    await scan(ctx, "o1")
    due = (await ctx.ledger.due_times(NAME))["discover"] - ctx.clock.now()
    assert timedelta(minutes=15) <= due < timedelta(minutes=17)


@pytest.mark.parametrize("profile", ["pam360", "password-manager-pro"])
async def test_products_that_import_see_users_and_groups(profile: str) -> None:
    ctx = await exporting(profile)
    summary = await scan(ctx, "o1", "onboard")
    assert summary.entities == {"group": 1, "user": 2}
    assert await links(ctx) == {("members", "group-team", "user-ada")}
    assert set(await ctx.account_store.cookies(NAME)) == {"registration?"}  # when it was read
    assert "discover" not in await ctx.ledger.due_times(NAME)
    assert (await scan(ctx, "o2")).read == "full"


@pytest.mark.requirement("D-32")
@pytest.mark.parametrize(("word", "scans"), [("yes", 1), ("no", 0)])
async def test_start_scan_on_save(word: str, scans: int) -> None:
    ctx = await connected(start_scan_on_save=word)
    ctx.account_reader.people.add_group("A")
    await begin(ctx, "o1", "onboard")
    for _ in range(2):
        await deliver(ctx, "o1", "onboard")
    assert len(await ctx.account_store.summaries(NAME)) == scans
    told = [e for e in ctx.outbox.events if e.type == "keyturn.accounts.discovered"]
    assert len({event.id for event in told}) == scans


@pytest.mark.requirement("D-37")
async def test_the_schedule_of_the_request() -> None:
    ctx = await connected(scan_every="PT6H", scan_start="2026-01-01T02:00:00+00:00")
    ctx.account_reader.people.add_group("A")
    await scan(ctx, "o1")
    due = (await ctx.ledger.due_times(NAME))["discover"]
    assert (due.hour % 6, due.minute) == (2, 0)
    assert timedelta() < due - ctx.clock.now() <= timedelta(hours=6)
