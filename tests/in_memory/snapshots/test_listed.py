"""Users that are stored as the directory wrote them are seen as by the slow rule."""

import random
from datetime import UTC, datetime

import pytest
from msgspec.structs import asdict, replace

from shared.adapters.blob_accounts import BlobAccounts
from shared.adapters.graph_selection import selection
from shared.model.accounts import Account, Summary
from shared.model.entities import Findings
from shared.model.listed import ListedUsers
from shared.model.scan import Progress, SourceProgress
from shared.planning.accounts import fact
from shared.planning.snapshots import Position
from tests.fakes.blobs import FakeContainer
from tests.fakes.faults import Faults
from tests.fakes.snapshots import FakeAccountStore
from tests.in_memory.snapshots.histories import CONNECTION
from tests.in_memory.snapshots.listings import PEOPLE, READING, Listings, pages
from tests.in_memory.snapshots.test_histories import (
    agree,
    everything,
    follow,
    in_words,
    stage,
    told,
)

pytestmark = pytest.mark.requirement("X-15", "N-21", "D-34")

BEGUN = datetime(2026, 1, 5, 9, tzinfo=UTC)
USERS = SourceProgress(key="user?", kind="entity", id="user", name="user", state="complete")
REPORT = replace(USERS, key="registration?", id="registration")
PROGRESS = Progress(operation="o1", connection=CONNECTION, started=BEGUN, sources=(USERS, REPORT))
SUMMARY = Summary(
    operation="o1",
    connection=CONNECTION,
    state="succeeded",
    mode="all",
    started=BEGUN,
    finished=BEGUN,
)


def listed(seed: int, people: list[str]) -> Findings:
    """A page that is taken as it came."""
    history = Listings(seed)
    while True:
        found = selection(READING).decode(history.text(people)).found
        if isinstance(found, ListedUsers):
            return Findings(rows=found)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(24))
async def test_listed_users_agree_with_plain_dicts(store: BlobAccounts, seed: int) -> None:
    model, history = FakeAccountStore(Faults()), Listings(seed)
    followed: dict[tuple[str, str], bytes] = {}
    for _ in range(5):
        run = history.next()
        before = await store.position(CONNECTION)
        for each in (store, model):
            await stage(each, run, random.Random(seed))  # noqa: S311 - repeatable
        done = await store.publish(run.summary, removals=run.removals)
        assert asdict(done) == asdict(await model.publish(run.summary, removals=run.removals))
        await agree(store, model)
        for id_ in PEOPLE[:4]:
            assert await store.account(CONNECTION, id_) == await model.account(CONNECTION, id_)
        new = await told(store, before)
        assert in_words(new) == in_words(await told(model, before))
        follow(followed, new)


def test_most_histories_have_pages_that_are_taken_as_they_came() -> None:
    histories = [Listings(seed) for seed in range(24)]
    assert sum(any(pages(history.next()) for _ in range(5)) for history in histories) > 18


async def scan(store: BlobAccounts | FakeAccountStore, *found: Findings | None) -> Summary:
    """A first run: None is a checkpoint. Facts are of the report, all else of the list."""
    staging = await store.staging(CONNECTION, "o1")
    for each in found:
        if each is None:
            await staging.checkpoint(PROGRESS)
        else:
            facts = any(isinstance(row, Account) and row.state == "fact" for row in each.rows)
            await staging.stage("registration?" if facts else "user?", each)
    await staging.checkpoint(PROGRESS)
    return await store.publish(SUMMARY, removals="apply")


FACTS = Findings(rows=tuple(fact(id_, mfa="yes") for id_ in (*PEOPLE[3:5], PEOPLE[25])))
GONE = Findings(gone=(PEOPLE[2],))
RUNS = {
    "one page": (listed(1, PEOPLE[:20]),),
    "somebody on two pages": (listed(1, PEOPLE[:9]), listed(2, PEOPLE[5:20])),
    "somebody in two runs": (listed(1, PEOPLE[:9]), None, listed(2, PEOPLE[5:20])),
    "facts of some, and of somebody else": (listed(1, PEOPLE[:20]), FACTS),
    "facts in each run": (FACTS, listed(1, PEOPLE[::2]), None, FACTS, listed(2, PEOPLE[1::2])),
    "facts in a run of their own": (listed(1, PEOPLE[:20]), None, FACTS),
    "nobody": (listed(1, PEOPLE[:1]), None, None),
    "gone before it ended": (listed(1, PEOPLE[:9]), GONE, listed(2, PEOPLE[5:9])),
    "gone in a later run": (listed(1, PEOPLE[:9]), None, GONE),
    "one came otherwise": (
        listed(1, PEOPLE[:9]),
        Findings(rows=list(listed(3, PEOPLE[4:6]).rows)),
        listed(2, PEOPLE[5:9]),
    ),
}


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("found", RUNS.values(), ids=RUNS)
async def test_a_first_run_is_as_by_the_slow_rule(
    store: BlobAccounts, found: tuple[Findings | None, ...]
) -> None:
    model = FakeAccountStore(Faults())
    assert asdict(await scan(store, *found)) == asdict(await scan(model, *found))
    assert await everything(store) == await everything(model)
    assert in_words(await told(store, Position())) == in_words(await told(model, Position()))


async def test_a_first_run_is_stored_once(store: BlobAccounts, container: FakeContainer) -> None:
    """The table that was staged becomes the snapshot's; the end of the run lets it be."""
    await scan(store, listed(1, PEOPLE[:20]), FACTS)
    tables = {name for name in container.blobs if "/tables/" in name or "/stage/" in name}
    assert len(tables) == 1
    await store.discard(CONNECTION, "o1")
    await store.publish(SUMMARY, removals="apply")
    assert len([row async for row in store.accounts(CONNECTION)]) == 20


async def test_it_can_be_read_on_from_behind_any_account(store: BlobAccounts) -> None:
    await scan(store, listed(1, PEOPLE[:20]), FACTS)
    for at, id_ in enumerate(PEOPLE[:20]):
        behind = [row.id async for row in store.accounts(CONNECTION, id_)]
        assert behind == PEOPLE[at + 1 : 20]
