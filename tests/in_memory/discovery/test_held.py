"""A scan that would take away too much applies the rest, and asks."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.model.accounts import Summary
from shared.model.connection import Status
from shared.operations import FULL_RUN
from tests.fakes import FakeContext
from tests.fakes.blobs import FakeContainer
from tests.in_memory.discovery.exporting import exporting, names, tenant, user
from tests.in_memory.discovery.killing import calls_of, picture, some_deaths, survive, world
from tests.in_memory.discovery.scans import NAME, condition, connected, found, in_blobs

pytestmark = [
    pytest.mark.requirement("X-15"),
    pytest.mark.diagnosis("REMOVALS_HELD"),
]


async def released(ctx: FakeContext, *, approve: bool) -> None:
    ctx.clock.advance(minutes=1)
    await ctx.account_store.release(NAME, approve=approve, now=ctx.clock.now())


async def emptied() -> FakeContext:
    """A small tenant that was scanned, and whose list of users answers 200 with nobody since."""
    ctx = in_blobs(await exporting(users=5), FakeContainer())
    await survive(ctx, "o1")
    known = tenant(ctx)
    known.rows = {id_: row for id_, row in known.rows.items() if not id_.startswith("user-")}
    known.links.clear()
    known.log.clear()
    return ctx


async def test_an_empty_list_of_users_is_not_believed() -> None:
    ctx = await emptied()
    summary = await survive(ctx, "o2", reason=FULL_RUN)
    assert (summary.state, summary.accounts, summary.removed) == ("partial", 5, 0)
    assert "the list of all users came back empty" in summary.why
    said = await condition(ctx)
    assert (said.status, said.reason) == (Status.TRUE, "REMOVALS_HELD")
    held = await ctx.account_store.held(NAME)
    assert held is not None
    assert (held.operation, held.losses.accounts) == ("o2", 5)


async def test_most_members_of_a_group_vanish_and_what_is_new_is_there_at_once() -> None:
    ctx = await connected(world=world())
    people = ctx.account_reader.people
    users = [people.add_user(f"u{n}") for n in range(20)]
    staff = people.add_group("Staff", users)
    people.add_group("Everybody", users)
    await survive(ctx, "o1")
    people.members[staff] = [people.add_user("new")]

    summary = await survive(ctx, "o2")

    assert (summary.added, summary.changed, summary.removed, summary.held) == (1, 0, 0, 20)
    assert {len(row.origins) for name, row in (await found(ctx)).items() if name != "new"} == {2}
    await released(ctx, approve=True)
    rows = await found(ctx)
    assert {len(row.origins) for row in rows.values()} == {1}
    assert (await survive(ctx, "o3")).changes == 0


async def test_removals_that_are_dropped_are_weighed_by_the_next_scan_which_reads_all() -> None:
    ctx = await exporting(users=20)
    await survive(ctx, "o1")
    for number in range(15):
        tenant(ctx).remove(f"user-{number:03}")
    assert (await survive(ctx, "o2")).held > 0
    await released(ctx, approve=False)
    assert await ctx.account_store.held(NAME) is None
    assert len(await names(ctx)) == 20

    summary = await survive(ctx, "o3")
    assert (summary.read, summary.state, summary.accounts) == ("full", "partial", 20)
    assert "15 of 20 accounts would go" in summary.why


async def test_changes_that_bring_them_back_let_nothing_wait() -> None:
    ctx = await exporting(users=20)
    await survive(ctx, "o1")
    gone = {id_: row for id_, row in tenant(ctx).rows.items() if id_ < "user-015"}
    gone = {id_: row for id_, row in gone.items() if id_.startswith("user-")}
    for id_ in gone:
        tenant(ctx).remove(id_)
    assert (await survive(ctx, "o2")).state == "partial"
    for id_, row in gone.items():
        tenant(ctx).put(row)
        tenant(ctx).link("members", "group-1", id_)
    back = await survive(ctx, "o3")
    assert (back.state, back.read, back.held, back.accounts) == ("succeeded", "changes", 0, 20)
    assert await ctx.account_store.held(NAME) is None
    assert (await condition(ctx)).reason == "DISCOVERED"


async def test_a_few_removals_go_while_others_wait() -> None:
    ctx = await exporting(users=20)
    await survive(ctx, "o1")
    for number in range(15):
        tenant(ctx).remove(f"user-{number:03}")
    await survive(ctx, "o2")
    tenant(ctx).remove("user-019")
    tenant(ctx).put(user(30))
    summary = await survive(ctx, "o3")
    assert (summary.added, summary.removed) == (1, 1)
    assert "u0" in await names(ctx)
    assert (await condition(ctx)).reason == "REMOVALS_HELD"


async def test_the_limits_are_the_connections() -> None:
    ctx = await exporting(users=20, removal_percent=80)
    await survive(ctx, "o1")
    for number in range(15):
        tenant(ctx).remove(f"user-{number:03}")
    assert (await survive(ctx, "o2")).removed == 15
    ctx = await exporting(users=20, removal_limit=3)
    await survive(ctx, "o1")
    for number in range(4):
        tenant(ctx).remove(f"user-{number:03}")
    assert (await survive(ctx, "o2")).removed == 0


async def test_another_definition_is_a_persons_word() -> None:
    ctx = await connected(world=world(), filter=["Staff"])
    people = ctx.account_reader.people
    people.add_group("Staff", [people.add_user(f"u{n}") for n in range(20)])
    people.add_group("Few", [people.add_user("ada")])
    await survive(ctx, "o1")
    connection = await ctx.ledger.connection(NAME)
    assert connection is not None
    inputs = {**connection.spec.inputs, "filter": ["Few"]}
    await ctx.ledger.amend(NAME, spec=replace(connection.spec, inputs=inputs))
    summary = await survive(ctx, "o2")
    assert (summary.state, summary.removed, summary.accounts) == ("succeeded", 20, 1)


@pytest.mark.parametrize("seed", range(10))
async def test_what_is_held_survives_the_death_of_the_process(seed: int) -> None:
    async def thinned() -> FakeContext:
        ctx = await exporting(users=20, seconds=30)
        await survive(ctx, "o1")
        for number in range(15):
            tenant(ctx).remove(f"user-{number:03}")
        tenant(ctx).put(user(40))
        return ctx

    calm = await thinned()
    calls = await calls_of(calm, "o2")
    ctx = await thinned()
    await survive(ctx, "o2", some_deaths(seed, calls))
    assert await picture(ctx) == await picture(calm)


async def test_a_loss_is_weighed_however_many_scans_have_failed_before() -> None:
    """As long as a permission is missing nothing is read; the first answer may be wrong, too."""
    ctx = await emptied()
    begun = (await ctx.account_store.summaries(NAME))[0].started
    for number in range(60):
        await ctx.account_store.note(
            Summary(
                operation=f"failed-{number}",
                connection=NAME,
                state="failed",
                mode="all",
                started=begun + timedelta(seconds=number + 1),
            )
        )
    summary = await survive(ctx, "o2", reason=FULL_RUN)
    assert (summary.state, summary.accounts, summary.removed) == ("partial", 5, 0)
