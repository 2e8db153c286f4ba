"""A connection that has had many runs: none of them costs the next one anything."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.adapters import blob_history
from shared.adapters.blob_accounts import BlobAccounts
from shared.model.entities import Findings
from shared.ports import AccountStore
from tests.fakes.blobs import FakeContainer
from tests.fakes.faults import Faults
from tests.fakes.published import publish
from tests.fakes.snapshots import FakeAccountStore
from tests.in_memory.snapshots.histories import CONNECTION
from tests.in_memory.snapshots.test_parted import USERS, run, user

pytestmark = pytest.mark.requirement("X-15", "N-21")


def in_blobs(container: FakeContainer) -> BlobAccounts:
    return BlobAccounts(container)  # type: ignore[arg-type] # as much of it as is used


@pytest.fixture(params=["blobs", "fake"])
def store(request: pytest.FixtureRequest, container: FakeContainer) -> AccountStore:
    if request.param == "fake":
        return FakeAccountStore(Faults())
    return in_blobs(container)


async def succeeded(store: AccountStore, number: int) -> None:
    await publish(store, run(number), {USERS: Findings(rows=(user("u-1"),))})


async def failed(store: AccountStore, *numbers: int) -> None:
    for number in numbers:
        await store.note(replace(run(number), state="failed", snapshot=""))


async def recent(store: AccountStore, operation: str) -> list[str]:
    return [known.operation for known in await store.recent(CONNECTION, operation)]


async def test_the_last_snapshot_is_found_behind_however_many_failures(
    store: AccountStore,
) -> None:
    await succeeded(store, 1)
    await failed(store, *range(2, 72))
    found = await store.recent(CONNECTION, "o99")
    assert [known.operation for known in found][:2] == ["o71", "o70"]
    assert (found[-1].operation, bool(found[-1].snapshot)) == ("o1", True)
    assert not any(known.snapshot for known in found[:-1])


async def test_what_the_operation_has_shown_is_not_what_it_is_compared_with(
    store: AccountStore,
) -> None:
    await succeeded(store, 1)
    await failed(store, 2)
    await succeeded(store, 3)
    assert (await recent(store, "o3"))[:3] == ["o3", "o2", "o1"]


async def test_the_last_snapshot_is_known_when_its_run_is_forgotten(
    container: FakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_history, "KEPT", 3)
    store = in_blobs(container)
    await succeeded(store, 1)
    await failed(store, *range(2, 9))
    assert await recent(store, "o99") == ["o8", "o7", "o6", "o1"]


async def test_of_many_runs_only_the_latest_are_read(container: FakeContainer) -> None:
    store = in_blobs(container)
    for number in range(1, 40):
        await succeeded(store, number)
    container.requests.clear()
    assert (await recent(store, "o99"))[0] == "o39"
    assert len([verb for verb, _, _ in container.requests if verb == "get"]) <= 6


async def test_orphans_are_looked_for_once_a_day(
    container: FakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Among the tables of a thousand runs; and old runs are forgotten with them."""
    monkeypatch.setattr(blob_history, "KEPT", 3)
    store = in_blobs(container)
    await succeeded(store, 0)
    orphan = f"{CONNECTION}/tables/o0-accounts-of-an-attempt-that-died"
    await container.get_blob_client(orphan).upload_blob(b"row")
    container.now += timedelta(days=1, minutes=1)  # by the clock of the service it is old enough
    container.requests.clear()
    for number in range(1, 24):
        await succeeded(store, number)
    assert orphan in container.blobs
    assert not [name for verb, name, _ in container.requests if verb == "list" and "tab" in name]
    await succeeded(store, 24)
    assert orphan not in container.blobs
    assert len(await store.summaries(CONNECTION)) == 3
