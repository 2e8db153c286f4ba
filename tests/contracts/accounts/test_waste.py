"""What nobody needs any more is really gone, and what cannot be deleted holds nobody up."""

import logging
from datetime import timedelta

import pytest
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from shared.adapters import blob_waste
from shared.adapters.blob_accounts import BlobAccounts
from tests.contracts.accounts.rows import account, accounts, failed, finished, read, save

pytestmark = [
    pytest.mark.asyncio(loop_scope="package"),  # one Azurite for all of them
    pytest.mark.requirement("N-21"),
]


async def names(container: ContainerClient, folder: str) -> list[str]:
    return [name async for name in container.list_blob_names(name_starts_with=f"pam/{folder}/")]


async def test_many_blobs_are_deleted(container: ContainerClient) -> None:
    made = [f"pam/tables/{number}" for number in range(3 * blob_waste.AT_ONCE)]
    for name in made:
        await container.upload_blob(name, b"row")
    await blob_waste.delete(container, [*made[:5], "pam/tables/never-there"])
    assert len(await names(container, "tables")) == len(made) - 5
    assert await blob_waste.clear(container, made) == 0
    assert await names(container, "tables") == []


async def test_a_publication_leaves_nothing_of_what_was_staged(
    container: ContainerClient, store: BlobAccounts
) -> None:
    await save(store, finished("o1"), *range(50))
    assert await names(container, "stage") == []
    assert await names(container, "tables") != []


@pytest.fixture
def a_short_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Azurite's clock cannot be moved: what no list names is waste at once."""
    monkeypatch.setattr(blob_waste, "READ", timedelta(seconds=-1))


async def test_what_cannot_be_deleted_is_told_and_tried_again(
    container: ContainerClient, store: BlobAccounts, caplog: pytest.LogCaptureFixture
) -> None:
    await save(store, finished("o1"), *range(50))
    (table,) = [name for name in await names(container, "tables") if "accounts" in name]
    lease = BlobLeaseClient(container.get_blob_client(table))
    await lease.acquire()
    caplog.set_level(logging.WARNING)
    assert await blob_waste.clear(container, [table]) == 1
    assert "waste.left blobs=1" in caplog.text
    assert table in caplog.text
    await lease.release()
    assert await blob_waste.clear(container, [table]) == 0
    assert table not in await names(container, "tables")


@pytest.mark.usefixtures("a_short_day")
async def test_an_orphan_that_was_locked_goes_with_a_later_run(
    container: ContainerClient, store: BlobAccounts, caplog: pytest.LogCaptureFixture
) -> None:
    await save(store, finished("o0"), 1)
    orphan = "pam/tables/o0-accounts-of-a-run-that-died"
    await container.upload_blob(orphan, b"row")
    lease = BlobLeaseClient(container.get_blob_client(orphan))
    await lease.acquire()
    caplog.set_level(logging.WARNING)
    saved = await save(store, finished("o1", 1), 1)
    assert saved.accounts == 1  # no failure of the run
    assert await read(store) == accounts(1)
    assert orphan in await names(container, "tables")
    assert caplog.text.count("waste.left") == 1
    await lease.release()
    await save(store, finished("o2", 2), 2)
    assert orphan not in await names(container, "tables")
    assert await read(store) == [account(2)]


async def test_a_summary_that_is_locked_holds_no_note_up(
    container: ContainerClient, store: BlobAccounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.adapters.blob_history.KEPT", 1)
    await store.note(failed("o0"))
    (oldest,) = await names(container, "runs")
    lease = BlobLeaseClient(container.get_blob_client(oldest))
    await lease.acquire()
    await store.note(failed("o1", 1))
    assert len(await store.summaries("pam")) == 2
    await lease.release()
    await store.note(failed("o2", 2))
    assert [run.operation for run in await store.summaries("pam")] == ["o2"]
