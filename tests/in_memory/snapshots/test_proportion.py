"""A run of changes reads what it needs, though some of its sources name everything anew."""

import pytest

from shared.adapters.blob_accounts import BlobAccounts
from shared.model.accounts import Summary
from shared.model.entities import Findings
from shared.planning.accounts import fact
from tests.fakes.blobs import FakeContainer
from tests.fakes.published import publish, source
from tests.in_memory.snapshots.conftest import shrink
from tests.in_memory.snapshots.histories import CONNECTION
from tests.in_memory.snapshots.test_parted import USERS, run, user

pytestmark = pytest.mark.requirement("X-15", "N-21")

REPORT = "registration?"
PEOPLE = [f"u-{number:05}" for number in range(3000)]
SMALL = {"tables_write.BLOCK": 4000, "tables_blocks.GAP": 100, "tables_read.FIRST_CHUNK": 700}


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch) -> FakeContainer:
    shrink(monkeypatch, SMALL)
    return FakeContainer()


@pytest.fixture
async def store(container: FakeContainer) -> BlobAccounts:
    made = BlobAccounts(container)  # type: ignore[arg-type] # as much of it as is used
    everybody = Findings(rows=tuple(map(user, PEOPLE)))
    await publish(made, run(1), {USERS: everybody, REPORT: told(10, 1500, 2900)})
    return made


def told(*numbers: int) -> Findings:
    return Findings(rows=tuple(fact(PEOPLE[number], mfa="yes") for number in numbers))


async def of_changes(store: BlobAccounts, number: int, *reported: int) -> Summary:
    """Of the users nothing is told; the report is read whole, as always."""
    pages = {USERS: Findings(), REPORT: told(*reported)}
    return await publish(store, run(number), pages, source(USERS, full=False), source(REPORT))


async def test_what_nobody_speaks_of_is_not_fetched(
    store: BlobAccounts, container: FakeContainer
) -> None:
    table = max(len(blob.body) for name, blob in container.blobs.items() if "accounts" in name)
    container.requests.clear()
    done = await of_changes(store, 2, 10, 1500, 2900)
    fetched = sum(size for verb, _, size in container.requests if verb == "get")
    assert 0 < fetched < table / 4
    assert (done.accounts, done.changed, done.removed) == (len(PEOPLE), 0, 0)


async def test_what_a_source_no_longer_names_is_found_in_whichever_table(
    store: BlobAccounts,
) -> None:
    done = await of_changes(store, 2, 10, 1500, 2000)
    assert (done.accounts, done.changed, done.removed) == (len(PEOPLE), 2, 0)
    done = await of_changes(store, 3, 10)  # 2000 is in a table of its own by now
    assert (done.accounts, done.changed, done.removed) == (len(PEOPLE), 2, 0)
    known = [row async for row in store.accounts(CONNECTION)]
    assert [row.id for row in known if row.mfa == "yes"] == [PEOPLE[10]]
    assert len(known) == len(PEOPLE)


async def test_what_is_weighed_is_not_fetched_again_to_be_published(
    store: BlobAccounts, container: FakeContainer
) -> None:
    container.requests.clear()
    await of_changes(store, 2, 10, 1500, 2000)
    blocks = [size for verb, name, size in container.requests if verb == "get" and "tables" in name]
    # Around 10, 1500, 2000 and 2900, of which the last is to be found; and the index.
    assert len(blocks) == 5
