"""A run of very many chosen sources: a checkpoint costs what has changed, not what there is."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.adapters import blob_progress
from shared.adapters.blob_accounts import BlobAccounts
from shared.model.accounts import Origin, Summary
from shared.model.entities import Findings
from shared.model.scan import Progress, SourceProgress
from shared.planning.discovery_runs import NAMED, closed
from shared.planning.discovery_sources import of_origins
from tests.fakes.blobs import FakeContainer
from tests.in_memory.snapshots.histories import CONNECTION, START
from tests.in_memory.snapshots.test_parted import user

pytestmark = pytest.mark.requirement("X-15", "N-21")

MANY = 5 * blob_progress.PART + 7


def groups(count: int = MANY) -> tuple[SourceProgress, ...]:
    made = (Origin(kind="group", id=f"g{n:05}", name=f"Group {n}") for n in range(count))
    return of_origins(made)


def progress(sources: tuple[SourceProgress, ...], operation: str = "o1") -> Progress:
    return Progress(operation=operation, connection=CONNECTION, started=START, sources=sources)


def settled(source: SourceProgress, state: str = "complete") -> SourceProgress:
    return replace(source, state=state, pages=1, rows=1)


def written(container: FakeContainer) -> int:
    """Bytes since the last call."""
    found = sum(size for verb, _, size in container.requests if verb != "get")
    container.requests.clear()
    return found


async def test_a_checkpoint_writes_what_has_changed(
    container: FakeContainer, store: BlobAccounts
) -> None:
    sources = groups()
    staging = await store.staging(CONNECTION, "o1")
    await staging.checkpoint(progress(sources))
    first = written(container)
    for start in range(0, 500, 100):
        several = (settled(source) for source in sources[start : start + 100])
        sources = (*sources[:start], *several, *sources[start + 100 :])
        await staging.checkpoint(progress(sources))
        assert 0 < written(container) < first / 3
        assert await store.progress(CONNECTION, "o1") == progress(sources)
    await staging.checkpoint(progress(sources))
    assert written(container) < first / 20


async def test_the_next_attempt_goes_on_from_the_parts(
    container: FakeContainer, store: BlobAccounts
) -> None:
    sources = groups()
    await (await store.staging(CONNECTION, "o1")).checkpoint(progress(sources))
    written(container)
    sources = (*sources[:-1], settled(sources[-1]))
    staging = await store.staging(CONNECTION, "o1")
    await staging.checkpoint(progress(sources))
    assert len([name for verb, name, _ in container.requests if verb == "put"]) == 2
    assert await store.progress(CONNECTION, "o1") == progress(sources)
    await store.discard(CONNECTION, "o1")
    assert container.blobs == {}


async def test_few_sources_need_no_parts(container: FakeContainer, store: BlobAccounts) -> None:
    staging = await store.staging(CONNECTION, "o1")
    await staging.checkpoint(progress(groups(3)))
    assert [*container.blobs] == [f"{CONNECTION}/stage/o1/progress.json"]


async def publish(
    store: BlobAccounts, number: int, sources: tuple[SourceProgress, ...], *members: str
) -> Summary:
    """Each of *members* is in the first group."""
    begun = START + timedelta(hours=number)
    staging = await store.staging(CONNECTION, f"o{number}")
    for source in sources[:20]:
        way = Origin(kind="group", id=source.id, name=source.name)
        people = (*members, f"of-{source.id}") if source is sources[0] else (f"of-{source.id}",)
        rows = tuple(replace(user(id_), origins=(way,)) for id_ in people)
        await staging.stage(source.key, Findings(rows=rows))
    read = progress(sources, f"o{number}")
    await staging.checkpoint(read)
    running = Summary(
        operation=f"o{number}",
        connection=CONNECTION,
        state="running",
        mode="groups",
        started=begun,
    )
    return await store.publish(closed(running, read, begun, scope="s"), removals="apply")


async def test_what_is_published_names_no_more_than_some(
    container: FakeContainer, store: BlobAccounts
) -> None:
    sources = tuple(map(settled, groups()))
    await publish(store, 1, sources)
    head = len(container.blobs[f"{CONNECTION}/published.json"].body)
    assert head < 200 * NAMED + 5000
    failed = replace(sources[-1], state="failed", reason="X: y")
    done = await publish(store, 2, (*sources[:-1], failed))
    assert len(done.sources) == NAMED
    assert [source.status for source in done.sources].count("failed") == 1
    assert done.more_sources == {"complete": MANY - NAMED}
    assert done.state == "partial"


async def test_chosen_groups_are_weighed_however_many_they_are(store: BlobAccounts) -> None:
    sources = tuple(map(settled, groups()))
    await publish(store, 1, sources, "ann", "bob", "eve")
    staging = await store.staging(CONNECTION, "o2")
    await staging.checkpoint(progress(sources, "o2"))
    losses = await store.losses(CONNECTION, "o2")
    assert losses.sources[f"group/{sources[0].id}"] == 4
    assert losses.before[f"group/{sources[0].id}"] == 4


async def test_a_group_that_fails_keeps_its_members_and_is_told_as_stale(
    store: BlobAccounts,
) -> None:
    sources = tuple(map(settled, groups()))
    await publish(store, 1, sources, "ann")
    begun = [replace(sources[0], state="failed", reason="X: y"), *sources[1:]]
    staging = await store.staging(CONNECTION, "o2")
    for source in begun[1:20]:
        way = Origin(kind="group", id=source.id, name=source.name)
        row = replace(user(f"of-{source.id}"), origins=(way,))
        await staging.stage(source.key, Findings(rows=(row,)))
    read = progress(tuple(begun), "o2")
    await staging.checkpoint(read)
    running = Summary(
        operation="o2", connection=CONNECTION, state="running", mode="groups", started=START
    )
    done = await store.publish(closed(running, read, START, scope="s"), removals="apply")
    assert (done.accounts, done.removed) == (21, 0)
    ann = await store.account(CONNECTION, "ann")
    assert ann is not None
    assert ann.state == "stale"
    again = await publish(store, 3, sources, "ann")
    ann = await store.account(CONNECTION, "ann")
    assert ann is not None
    assert (again.removed, ann.state) == (0, "found")
