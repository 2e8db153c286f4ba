"""How many runs are kept, against Azurite, through the real SDK."""

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob.aio import ContainerClient

from shared.adapters import blob_history
from shared.adapters.blob_accounts import BlobAccounts
from shared.model.accounts import Summary
from tests.contracts.blobs import blob_service

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@pytest.fixture
async def container(tmp_path: Path) -> AsyncIterator[ContainerClient]:
    async with blob_service(tmp_path) as service:
        made = service.get_container_client(f"accounts-{uuid.uuid4().hex}")
        await made.create_container()
        yield made


def run(number: int, connection: str = "pam") -> Summary:
    return Summary(
        operation=f"o{number}",
        connection=connection,
        state="failed",
        mode="groups",
        started=START + timedelta(minutes=number),
    )


async def test_only_the_newest_runs_are_kept(
    container: ContainerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blob_history, "KEPT", 3)
    store = BlobAccounts(container)
    await store.note(run(1, "pam-2"))  # another connection whose name begins alike
    for number in range(8):
        await store.note(run(number))
    assert [known.operation for known in await store.summaries("pam")] == ["o7", "o6", "o5"]
    assert [known.operation for known in await store.summaries("pam-2")] == ["o1"]
    assert await blob_history.forget_runs(container, "pam") == 0
