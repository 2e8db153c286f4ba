"""A search of all groups of a tenant with many: cut into slices, killed, stored in blobs."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace

from shared.planning import discovery_runs
from tests.fakes import FakeContext
from tests.fakes.blobs import FakeContainer
from tests.in_memory.discovery.killing import calls_of, killing, picture, survive, world
from tests.in_memory.discovery.scans import connected, in_blobs

pytestmark = pytest.mark.requirement("X-15", "N-21")

GROUPS = 120


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred groups are many."""
    monkeypatch.setattr("shared.adapters.blob_progress.PART", 10)
    monkeypatch.setattr(discovery_runs, "NAMED", 5)


async def stored() -> tuple[FakeContext, FakeContainer]:
    """A tenant whose accounts are kept in blobs; each write of one may be the process's last."""
    ctx = await connected(world=world(seconds=60))
    people, container = ctx.account_reader.people, FakeContainer()
    everywhere = people.add_user("everywhere")
    for number in range(GROUPS):
        people.add_group(f"g{number:03}", [everywhere, people.add_user(f"u{number}")])

    def before_write(_: str) -> None:
        fault = killing(ctx).take("blobs.write")
        if fault is not None:
            fault.strike()

    container.before_write = before_write
    return in_blobs(ctx, container), container


def put(container: FakeContainer) -> Counter[str]:
    """Blobs that were written, by what is in them."""
    names = [name.rsplit("/", 1)[-1] for verb, name, _ in container.requests if verb == "put"]
    return Counter(name.partition("-")[0] if "sources" in name else name for name in names)


async def test_each_slice_goes_on_and_writes_little() -> None:
    ctx, container = await stored()
    summary = await survive(ctx, "o1")
    assert (summary.state, summary.accounts) == ("succeeded", GROUPS + 1)
    assert summary.more_sources == {"complete": GROUPS - 5}
    assert killing(ctx).count("account_reader.all_groups") == 1
    assert killing(ctx).count("outbox.send") > 10  # slices
    tables = [
        name for verb, name, _ in container.requests if verb == "put" and "-accounts-" in name
    ]
    checkpoints = put(container)["progress.json"]
    assert len(tables) <= checkpoints + 5  # and not one for each group that a slice begins with
    assert put(container)["sources"] < GROUPS / 10 + 3 * checkpoints


@pytest.mark.parametrize("seed", range(6))
async def test_killed_anywhere_it_ends_as_an_undisturbed_run(seed: int) -> None:
    calm, _ = await stored()
    calls = await calls_of(calm, "o1")
    chance = Random(f"many {seed}")  # noqa: S311 - no secret
    deaths = {(chance.randint(1, calls), chance.random() < 0.5) for _ in range(5)}
    ctx, container = await stored()
    await survive(ctx, "o1", deaths)
    assert killing(ctx).died >= 3
    assert await picture(ctx) == await picture(calm)
    ctx.clock.advance(days=2)
    container.now += timedelta(days=2)  # what a death in the middle of cleaning up has left
    await survive(ctx, "o2")
    assert not [name for name in container.blobs if "/stage/o" in name]


async def test_the_next_run_of_so_many_takes_away_what_is_gone() -> None:
    ctx, _ = await stored()
    await survive(ctx, "o1")
    people = ctx.account_reader.people
    gone = next(iter(people.groups))
    people.members[gone] = []
    del people.groups[next(reversed(people.groups))]
    people.users["user-u5"] = replace(people.users["user-u5"], enabled=False)
    summary = await survive(ctx, "o2")
    assert (summary.removed, summary.changed) == (2, 2)  # everywhere is in two groups less
    assert summary.accounts == GROUPS - 1
