"""The step in memory: what it finds, what it says of itself, and being run again."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from functions.steps.discovery import discovery
from shared.errors import NeedsHuman, TryLater
from shared.messages import StepMessage
from shared.model.connection import Status
from shared.profile import catalogue
from shared.step import Work
from tests.in_memory.discovery.scans import (
    NAME,
    begin,
    condition,
    connected,
    deliver,
    end,
    found,
    refusal,
    scan,
)


def throttled() -> TryLater:
    return TryLater("THROTTLED", "HTTP 429", after=timedelta(minutes=2), limit=timedelta(hours=1))


@pytest.mark.requirement("D-30", "D-34", "D-35", "X-15")
async def test_members_of_nested_groups_are_found_once() -> None:
    ctx = await connected(filter=["Top", "Side"])
    people = ctx.account_reader.people
    ada, bo = people.add_user("ada"), people.add_user("bo")
    bottom = people.add_group("Bottom", [ada])
    middle = people.add_group("Middle", [bottom])
    people.add_group("Top", [middle, bo])
    people.add_group("Side", [ada])
    people.add_group("Elsewhere", [people.add_user("nobody")])

    summary = await scan(ctx, "o1")

    accounts = await found(ctx)
    assert accounts.keys() == {"ada", "bo"}
    assert {origin.name for origin in accounts["ada"].origins} == {"Top", "Side"}
    assert (summary.state, summary.accounts, summary.added) == ("succeeded", 2, 2)
    assert {source.name: source.accounts for source in summary.sources} == {"Top": 2, "Side": 1}
    assert {account.state for account in accounts.values()} == {"found"}


@pytest.mark.requirement("D-40", "X-15")
async def test_guests_and_disabled_accounts_are_flagged_and_counted() -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    users = [
        people.add_user("ada"),
        people.add_user("gus", guest=True),
        people.add_user("dee", enabled=False),
    ]
    people.add_group("Staff", users)

    summary = await scan(ctx, "o1")

    accounts = await found(ctx)
    assert (summary.guests, summary.disabled) == (1, 1)
    assert accounts["gus"].guest
    assert not accounts["dee"].enabled
    assert accounts["gus"].user_principal_name == "gus@contoso.onmicrosoft.com"


@pytest.mark.requirement("D-30")
async def test_roles_through_groups_and_eligible_ones_apart() -> None:
    ctx = await connected(search_mode="roles", filter=["User Administrator", "Global Reader"])
    people, roles = ctx.account_reader.people, ctx.tenant.role_ids
    ada, bo, chen = (people.add_user(name) for name in ("ada", "bo", "chen"))
    team = people.add_group("Team", [bo])
    people.holders[roles["User Administrator"]] = [ada, team]
    people.eligible[roles["User Administrator"]] = [chen]
    people.eligible[roles["Global Reader"]] = [ada]

    summary = await scan(ctx, "o1")

    accounts = await found(ctx)
    assert summary.mode == "roles"
    assert [step.name for step in accounts["bo"].origins[0].chain] == ["Team"]
    assert accounts["chen"].eligible
    assert not accounts["ada"].eligible
    assert {(o.name, o.eligible) for o in accounts["ada"].origins} == {
        ("Global Reader", True),
        ("User Administrator", False),
    }


@pytest.mark.requirement("D-29")
@pytest.mark.diagnosis("FILTER_NOT_FOUND", "FILTER_AMBIGUOUS")
@pytest.mark.parametrize(
    ("names", "reason"), [(["Nowhere"], "FILTER_NOT_FOUND"), (["Twin"], "FILTER_AMBIGUOUS")]
)
async def test_a_name_must_mean_exactly_one_group(names: list[str], reason: str) -> None:
    ctx = await connected(filter=names)
    for _ in range(2):
        ctx.account_reader.people.add_group("Twin")

    summary = await scan(ctx, "o1")

    assert (await condition(ctx)).reason == reason
    assert (summary.state, summary.snapshot) == ("failed", "")
    assert NAME in await ctx.ledger.due("discover", ctx.clock.now() + timedelta(days=2), 9)


async def test_switched_off() -> None:
    ctx = await connected(features={"discovery": False})
    await ctx.ledger.set_due("discover", NAME, ctx.clock.now())
    await begin(ctx, "o1", "onboard")
    await deliver(ctx, "o1", "onboard")
    assert (await condition(ctx)).reason == "NOT_WANTED"
    assert await ctx.account_store.summaries(NAME) == []
    assert "discover" not in await ctx.ledger.due_times(NAME)


@pytest.mark.requirement("D-32")
@pytest.mark.parametrize(("kind", "scans"), [("onboard", 0), ("discover", 1)])
async def test_without_start_on_save_only_onboarding_does_not_scan(kind: str, scans: int) -> None:
    ctx = await connected()
    await begin(ctx, "o1", kind)
    profile = catalogue()["devolutions-server"]
    assert profile.discovery is not None
    lazy = replace(profile.discovery.schedule, start_on_save=False)
    connection = await ctx.ledger.connection(NAME)
    operation = await ctx.ledger.operation(NAME, "o1")
    assert connection is not None and operation is not None
    async with ctx.ledger.turn(NAME) as turn:
        work = Work(
            operation=operation,
            message=StepMessage(kind=kind, connection=NAME, operation="o1"),
            connection=connection,
            profile=replace(profile, discovery=replace(profile.discovery, schedule=lazy)),
            turn=turn,
            ctx=ctx,
            now=ctx.clock.now(),
        )
        done = await discovery(work)
    assert (done.reason == "NOT_WANTED") == (scans == 0)
    assert len(await ctx.account_store.summaries(NAME)) == scans
    assert "discover" in await ctx.ledger.due_times(NAME)


async def test_the_next_scan_is_due_about_a_day_after_this_one() -> None:
    ctx = await connected()
    await scan(ctx, "o1")
    due = (await ctx.ledger.due_times(NAME))["discover"] - ctx.clock.now()
    assert timedelta(days=1) <= due < timedelta(days=1, hours=1)


async def test_the_difference_to_the_scan_before() -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    users = [people.add_user(name) for name in ("ada", "bo", "chen")]
    staff = people.add_group("Staff", users)
    await scan(ctx, "o1")

    people.members[staff] = [*users[1:], people.add_user("dana")]
    people.users[users[1]] = replace(people.users[users[1]], enabled=False)
    summary = await scan(ctx, "o2")

    counts = (summary.added, summary.changed, summary.removed, summary.unchanged)
    assert counts == (1, 1, 1, 1)
    assert (await found(ctx)).keys() == {"bo", "chen", "dana"}


async def test_a_source_that_fails_takes_nothing_away() -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    ada, bo, chen = (people.add_user(name) for name in ("ada", "bo", "chen"))
    people.add_group("A", [ada])
    unread = people.add_group("B", [bo, ada])
    shrinking = people.add_group("C", [chen])
    await scan(ctx, "o1")

    people.members[shrinking] = []
    ctx.tenant.fail("account_reader.read", refusal(), nth=2)
    summary = await scan(ctx, "o2")

    assert summary.state == "partial"
    status = {source.name: (source.status, source.reason) for source in summary.sources}
    assert status["A"] == status["C"] == ("complete", "")
    assert status["B"][0] == "failed"
    assert "AUTOMATION_PRIVILEGE" in status["B"][1]
    assert (summary.removed, summary.accounts) == (1, 2)
    accounts = await found(ctx)
    assert accounts["bo"].state == "stale"
    assert {origin.id for origin in accounts["ada"].origins} >= {unread}
    assert (await condition(ctx)).reason == "PARTIAL"

    healed = await scan(ctx, "o3")
    assert (healed.state, healed.added, healed.removed) == ("succeeded", 0, 0)
    assert (await found(ctx))["bo"].state == "found"


async def test_when_no_source_can_be_read_the_last_snapshot_stays() -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    people.add_group("A", [people.add_user("ada")])
    await scan(ctx, "o1")
    ctx.tenant.fail("account_reader.read", refusal())
    summary = await scan(ctx, "o2")
    assert (summary.state, summary.snapshot) == ("failed", "")
    problem = await condition(ctx)
    assert (problem.status, problem.reason) == (Status.FALSE, "DISCOVERY_FAILED")
    assert "HTTP 403" in problem.message
    assert (await found(ctx)).keys() == {"ada"}


async def test_a_sudden_loss_is_held_while_every_scan_finds_the_same() -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    users = [people.add_user(f"u{n}") for n in range(20)]
    staff, small = people.add_group("Staff", users), people.add_group("Small", users[:1])
    await scan(ctx, "o1")
    people.members[staff] = []

    for operation in ("o2", "o3"):
        held = await scan(ctx, operation)
        assert (held.state, held.accounts, held.removed) == ("partial", 20, 0)
        assert [source.status for source in held.sources] == ["complete", "complete"]
        assert "Staff would lose 20 of 20" in (await condition(ctx)).message

    await ctx.account_store.release(NAME, approve=True, now=ctx.clock.now())
    believed = await scan(ctx, "o4")
    assert (believed.state, believed.accounts, believed.held) == ("succeeded", 1, 0)
    assert [origin.id for origin in (await found(ctx))["u0"].origins] == [small]


async def test_accounts_that_are_back_are_no_longer_held() -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    users = [people.add_user(f"u{n}") for n in range(10)]
    staff = people.add_group("Staff", users)
    await scan(ctx, "o1")
    people.members[staff] = []
    ctx.tenant.fail("account_reader.read", refusal())
    assert (await scan(ctx, "o2")).state == "failed"  # tells nothing of the loss
    assert (await scan(ctx, "o3")).held == 10
    people.members[staff] = users[1:]
    back = await scan(ctx, "o4")
    assert (back.state, back.removed, back.held) == ("succeeded", 1, 0)
    assert await ctx.account_store.held(NAME) is None


@pytest.mark.requirement("X-15")
@pytest.mark.diagnosis("THROTTLED")
async def test_throttling_postpones_the_step_and_keeps_the_start() -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    for name in ("A", "B", "C"):
        people.add_group(name, [people.add_user(name.lower())])
    ctx.tenant.fail("account_reader.read", throttled(), times=3)
    await begin(ctx, "o1")
    began = ctx.clock.now()
    await deliver(ctx, "o1")

    (running,) = await ctx.account_store.summaries(NAME)
    assert (running.state, running.started, running.finished) == ("running", began, None)
    again = ctx.outbox.take()
    assert again is not None
    assert (again.step, again.at) == ("discovery", began + timedelta(minutes=2))
    assert (await condition(ctx)).reason == "THROTTLED"
    assert await found(ctx) == {}

    ctx.clock.reach(again.at)
    await deliver(ctx, "o1", waiting_since=began)
    (finished,) = await ctx.account_store.summaries(NAME)
    assert (finished.state, finished.started) == ("succeeded", began)
    assert (await found(ctx)).keys() == {"a", "b", "c"}


async def test_a_scan_that_is_given_up_does_not_stay_running() -> None:
    ctx = await connected()
    ctx.account_reader.people.add_group("A")
    ctx.tenant.fail("account_reader.read", throttled())
    await begin(ctx, "o1")
    long_ago = ctx.clock.now() - timedelta(hours=4)
    await deliver(ctx, "o1", waiting_since=long_ago)
    (summary,) = await ctx.account_store.summaries(NAME)
    assert summary.state == "failed"
    assert (await condition(ctx)).status == Status.FALSE


async def test_a_bug_is_not_taken_for_an_outcome() -> None:
    ctx = await connected()
    ctx.account_reader.people.add_group("A")
    ctx.tenant.fail("account_reader.read", RuntimeError("boom"))
    await begin(ctx, "o1")
    with pytest.raises(ExceptionGroup) as raised:
        await deliver(ctx, "o1")
    assert raised.group_contains(RuntimeError)


async def test_a_run_that_died_is_closed_by_the_next_one() -> None:
    ctx = await connected()
    ctx.account_reader.people.add_group("A")
    ctx.tenant.fail("account_reader.read", RuntimeError("boom"))
    await begin(ctx, "o1")
    with pytest.raises(ExceptionGroup):
        await deliver(ctx, "o1")
    await end(ctx, "o1")
    await scan(ctx, "o2")
    newest, oldest = await ctx.account_store.summaries(NAME)
    assert (newest.state, oldest.state) == ("succeeded", "failed")


@pytest.mark.parametrize("method", ["account_store.publish", "outbox.publish", "outbox.send"])
async def test_a_crash_after_the_snapshot_makes_no_second_one(method: str) -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    staff = people.add_group("Staff", [people.add_user("ada")])
    await scan(ctx, "o1")
    people.members[staff].append(people.add_user("bo"))
    ctx.tenant.fail(method, ConnectionError("the process died"), after_effect=True)
    ctx.clock.advance(minutes=1)
    await begin(ctx, "o2")
    with pytest.raises(ConnectionError):
        await deliver(ctx, "o2")
    people.members[staff].append(people.add_user("late"))

    await deliver(ctx, "o2")

    newest, oldest = await ctx.account_store.summaries(NAME)
    assert (newest.operation, newest.added, newest.unchanged) == ("o2", 1, 1)
    assert oldest.added == 1
    assert (await found(ctx)).keys() == {"ada", "bo"}
    ids = [event.id for event in ctx.outbox.events if event.type == "keyturn.accounts.discovered"]
    assert set(ids) == {"o1:accounts.discovered", "o2:accounts.discovered"}
    assert ctx.tenant.faults.count("account_store.publish") == 2


async def test_the_event_says_what_was_found() -> None:
    ctx = await connected()
    people = ctx.account_reader.people
    people.add_group("Staff", [people.add_user("ada")])
    await scan(ctx, "o1")
    (event,) = [e for e in ctx.outbox.events if e.type == "keyturn.accounts.discovered"]
    assert event.subject == NAME
    assert event.data == {
        "operation": "o1",
        "configuration": "Everybody",
        "state": "succeeded",
        "accounts": 1,
        "added": 1,
        "changed": 0,
        "removed": 0,
    }


async def test_a_refusal_to_resolve_names_is_for_people() -> None:
    ctx = await connected(filter=["Staff"])
    ctx.tenant.fail(
        "account_reader.resolve_groups", NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "Grant it.")
    )
    summary = await scan(ctx, "o1")
    assert summary.state == "failed"
    assert (await condition(ctx)).reason == "AUTOMATION_PRIVILEGE"
