"""Changes that come late, twice, in any order, or from a link that is no longer good."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.model.entities import Entity, Findings
from shared.planning.snapshots import Position
from tests.fakes import FakeContext
from tests.in_memory.discovery.exporting import exporting, names, tenant, user
from tests.in_memory.discovery.killing import survive
from tests.in_memory.discovery.scans import NAME, begin, condition, deliver

pytestmark = pytest.mark.requirement("N-21", "X-15")


async def told(ctx: FakeContext, after: int) -> list[tuple[str, str]]:
    found = ctx.account_store.changes(NAME, Position(number=after))
    return sorted([(made.command, made.id) async for _, made in found])


async def test_the_link_moves_on_only_with_the_snapshot() -> None:
    ctx = await exporting(seconds=20)
    await survive(ctx, "o1")
    before = await ctx.account_store.cookies(NAME)
    for number in range(20, 30):
        tenant(ctx).put(user(number))
    await begin(ctx, "o2")
    await deliver(ctx, "o2")
    slices = 1
    while (sent := ctx.outbox.take()) is not None and sent.step == "discovery":
        assert await ctx.account_store.cookies(NAME) == before
        assert "u20" not in await names(ctx)
        await deliver(ctx, "o2")
        slices += 1
    assert slices > 2
    after = await ctx.account_store.cookies(NAME)
    assert after.keys() == before.keys()
    assert all(after[key] != before[key] for key in before)
    assert "u20" in await names(ctx)


@pytest.mark.diagnosis("DELTA_EXPIRED")
async def test_a_link_that_expired_takes_nobody_away_by_itself() -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    tenant(ctx).remove("user-003")
    tenant(ctx).expired |= {"user", "group", "directoryRole", "servicePrincipal"}
    summary = await survive(ctx, "o2")
    assert (summary.state, summary.read, summary.removed) == ("succeeded", "full", 1)
    assert "DELTA_EXPIRED" in summary.why
    assert len(await names(ctx)) == 11


@pytest.mark.parametrize(
    ("days", "read", "why"),
    [
        (5, "changes", ""),
        (6, "full", "the delta link is 6 days old"),
        (30, "full", "the delta link is 30 days old"),
    ],
)
async def test_an_old_link_is_not_relied_upon(days: int, read: str, why: str) -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    ctx.clock.advance(days=days)
    ctx.entity_reader.asked.clear()
    summary = await survive(ctx, "o2")
    assert (summary.read, summary.why) == (read, why)
    assert all(bool(link) == (read == "changes") for _, link in ctx.entity_reader.asked[:4])


async def test_everything_is_read_again_every_week_however_often_changes_are() -> None:
    ctx = await exporting()
    await survive(ctx, "o0")
    known = tenant(ctx)
    del known.rows["user-007"]  # nothing tells of it
    reads = []
    for day in range(1, 9):
        ctx.clock.advance(days=1)
        summary = await survive(ctx, f"o{day}")
        reads.append(summary.read)
    assert reads == ["changes"] * 6 + ["full", "changes"]
    assert "u7" not in await names(ctx)


async def test_repeated_and_disordered_changes_give_the_tenants_state() -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    known = tenant(ctx)
    known.put(user(20))
    known.remove("user-020")
    known.remove("user-004")
    known.put(user(4, display_name="back"))
    known.put(user(5, display_name="once"))
    known.put(user(5, display_name="twice"))
    known.log += known.log[-1:] * 3
    known.log.append(("user", Findings(gone=("user-999",))))  # of one that nobody has seen
    summary = await survive(ctx, "o2")
    assert (summary.read, summary.added, summary.removed, summary.changed) == ("changes", 0, 0, 2)
    assert await told(ctx, 1) == [("update", "user-004"), ("update", "user-005")]
    assert {"back", "twice"} <= set(await names(ctx))


async def test_members_of_one_group_that_come_in_many_parts_are_joined() -> None:
    ctx = await exporting(users=30)
    await survive(ctx, "o1")
    known = tenant(ctx)
    big = known.put(Entity(kind="group", id="group-2", display_name="Big"))
    for number in range(30):
        known.link("members", big, f"user-{number:03}")
    for number in range(0, 30, 3):
        known.unlink("members", big, f"user-{number:03}")
    summary = await survive(ctx, "o2")
    members = [link.target async for link in ctx.account_store.links_of(NAME, "members", big)]
    assert members == [f"user-{n:03}" for n in range(30) if n % 3]
    assert (summary.read, summary.links) == ("changes", 50)


async def test_who_is_restored_comes_back() -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    known = tenant(ctx)
    restored = known.rows["user-002"]
    known.remove("user-002")
    assert (await survive(ctx, "o2")).removed == 1
    known.put(restored)
    known.link("members", "group-1", "user-002")
    assert (await survive(ctx, "o3")).added == 1
    assert await told(ctx, 2) == [
        ("insert", "members/group-1/user-002"),
        ("insert", "user-002"),
    ]


async def test_another_choice_of_accounts_is_read_in_full() -> None:
    ctx = await exporting()
    tenant(ctx).put(user(70, guest=True))
    await survive(ctx, "o1")
    connection = await ctx.ledger.connection(NAME)
    assert connection is not None
    inputs = {**connection.spec.inputs, "include_guests": "no"}
    await ctx.ledger.amend(NAME, spec=replace(connection.spec, inputs=inputs))
    summary = await survive(ctx, "o2")
    assert (summary.read, summary.removed, summary.skipped) == ("full", 1, {"guest": 1})
    assert "something else is searched now" in summary.why

    tenant(ctx).put(user(5, guest=True))  # a member becomes a guest
    changed = await survive(ctx, "o3")
    assert (changed.read, changed.removed, changed.skipped) == ("changes", 1, {"guest": 1})
    assert "u5" not in await names(ctx)
    assert (await condition(ctx)).reason == "DISCOVERED"
    assert ctx.clock.now() - changed.started < timedelta(minutes=5)
