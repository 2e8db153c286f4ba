"""Tables so small that a few rows make many of them."""

from collections.abc import Mapping

import pytest

from shared.adapters.blob_accounts import BlobAccounts
from tests.fakes.blobs import FakeContainer

SMALL = {
    "tables_write.BLOCK": 600,
    "tables_write.PART": 2000,
    "tables_cursor.CHUNK": 1500,
    "tables_ranges.CHUNK": 1500,
    "tables_ranges.FIRST_CHUNK": 700,
    "tables_read.FIRST_CHUNK": 700,
    "tables_read.WRITTEN": 900,
    "tables_read.MEMORY": 2000,
    "tables_ranges.MEMORY": 3000,
    "tables_blocks.GAP": 100,
    "tables_blocks.KEPT": 2000,
    "tables_ranges.RANGE": 7,
    "tables_ranges.PAGE": 3,
    "tables_spill.BUFFER": 5,
    "blob_progress.PART": 2,
    "blob_snapshot.RANGE": 7,
    "blob_staging.BUFFER": 4000,
}


@pytest.fixture
def container() -> FakeContainer:
    return FakeContainer()


@pytest.fixture
def store(container: FakeContainer) -> BlobAccounts:
    return BlobAccounts(container)  # type: ignore[arg-type] # as much of it as is used


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of a few rows have many blocks, ranges and requests, as large ones do."""
    shrink(monkeypatch, SMALL)


def shrink(monkeypatch: pytest.MonkeyPatch, sizes: Mapping[str, int]) -> None:
    for name, value in sizes.items():
        monkeypatch.setattr(f"shared.adapters.{name}", value)
