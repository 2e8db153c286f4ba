"""Whatever happens in a tenant, and however its scans are read, they agree with the tenant."""

from random import Random
from typing import Any

import pytest

from shared.operations import FULL_RUN
from shared.planning.accounts import facts
from shared.planning.snapshots import Position
from tests.fakes import FakeContext
from tests.in_memory.discovery.killing import killing, survive, world
from tests.in_memory.discovery.scans import NAME
from tests.in_memory.discovery.tenants import MODES, Mode

pytestmark = pytest.mark.requirement("N-21", "D-30", "X-15")


async def seen(ctx: FakeContext) -> dict[str, Any]:
    """What the snapshot has, by id."""
    store = ctx.account_store
    return {
        "accounts": {row.id: facts(row) async for row in store.accounts(NAME)},
        "entities": {row.id: row async for row in store.entities(NAME)},
        "links": {row.id: row async for row in store.links(NAME)},
    }


async def replayed(ctx: FakeContext, before: dict[str, Any], after: int) -> dict[str, Any]:
    """The snapshot *before* with every change applied that was told since."""
    known = {name: set(rows) for name, rows in before.items()}
    async for _, made in ctx.account_store.changes(NAME, Position(number=after)):
        section = {"user": "accounts", "members": "links", "owners": "links"}.get(
            made.kind, "entities"
        )
        ids = known[section]
        if made.command == "insert":
            assert made.id not in ids
            ids.add(made.id)
        else:
            assert made.id in ids
            ids -= {made.id} if made.command == "delete" else set()
    return known


def truth(mode: Mode, ctx: FakeContext) -> dict[str, Any]:
    found = mode.truth(ctx)
    return found | {"accounts": {id_: facts(row) for id_, row in found["accounts"].items()}}


async def disturbed(ctx: FakeContext, mode: Mode, chance: Random, operation: str) -> None:
    """One operation in some way: asked to read everything, killed, with links that expire."""
    directory, people = ctx.entity_reader.directory, ctx.account_reader.people
    deaths = {
        (chance.randint(1, 80), chance.random() < 0.5) for _ in range(chance.choice([0, 0, 1, 3]))
    }
    if chance.random() < 0.2:
        directory.expired.add(chance.choice(["user", "group", "directoryRole"]))
    if chance.random() < 0.2:
        people.expired.add(str(2 * chance.randint(1, 3)))
    if chance.random() < 0.2:
        ctx.clock.advance(days=chance.choice([5, 8]))
    forced = FULL_RUN if chance.random() < 0.2 else ""
    summary = await survive(ctx, operation, deaths, reason=forced)
    assert summary.state == "succeeded", summary.sources
    directory.expired.clear()
    people.expired.clear()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("mode", MODES.values(), ids=lambda mode: mode.name)
async def test_every_scan_agrees_with_the_tenant(mode: Mode, seed: int) -> None:
    chance = Random(f"{mode.name} {seed}")  # noqa: S311 - no secret
    ctx = await mode.connect(world(seconds=chance.choice([20, 60, 600])))
    mode.grow(ctx, chance)
    for number in range(chance.randint(4, 8)):
        before, place = await seen(ctx), await ctx.account_store.position(NAME)
        await disturbed(ctx, mode, chance, f"o{number}")
        after = await seen(ctx)
        assert after == truth(mode, ctx)
        told = await replayed(ctx, before, place.number)
        assert told == {name: set(rows) for name, rows in after.items()}
        for _ in range(chance.choice([0, 1, 5, 15])):
            mode.change(ctx, chance)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("mode", MODES.values(), ids=lambda mode: mode.name)
async def test_what_changes_while_a_scan_reads_is_seen_by_the_next(mode: Mode, seed: int) -> None:
    chance = Random(f"meanwhile {mode.name} {seed}")  # noqa: S311 - no secret
    ctx = await mode.connect(world(seconds=20))
    mode.grow(ctx, chance)
    for number in range(4):
        killing(ctx).between = lambda: mode.change(ctx, chance)
        await disturbed(ctx, mode, chance, f"o{number}")
        killing(ctx).between = None
        await survive(ctx, f"q{number}")
        assert await seen(ctx) == truth(mode, ctx)
