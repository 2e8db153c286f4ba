"""Keeps when each timer ran last: what was missed while the host was down is made up for."""

import asyncio
import contextlib
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

CONTAINER = "azure-webjobs-hosts"


@dataclass(frozen=True)
class Status:
    """Times of a timer: last run, next occurrence, and when this was written."""

    last: datetime
    next: datetime
    updated: datetime

    def payload(self) -> dict[str, str]:
        """As the Azure host stores it, and as it hands it to the function."""
        return {
            "Last": _text(self.last),
            "Next": _text(self.next),
            "LastUpdated": _text(self.updated),
        }

    @classmethod
    def parse(cls, text: str | bytes) -> "Status":
        values = json.loads(text)
        return cls(*(_time(values[name]) for name in ("Last", "Next", "LastUpdated")))


NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""``Last`` of a timer that has not run yet (DateTime.MinValue)."""


def _text(at: datetime) -> str:
    return at.isoformat()


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


class Monitor(Protocol):
    """Where the status of timers is kept."""

    async def read(self, timer: str) -> Status | None: ...

    async def write(self, timer: str, status: Status) -> None: ...

    async def close(self) -> None: ...


class FolderMonitor:
    """One JSON file for each timer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def read(self, timer: str) -> Status | None:
        try:
            return Status.parse((self._folder / f"{timer}.json").read_text())
        except FileNotFoundError:
            return None

    async def write(self, timer: str, status: Status) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f"{timer}.new"
        fresh.write_text(json.dumps(status.payload()))
        fresh.replace(self._folder / f"{timer}.json")

    async def close(self) -> None:
        """Nothing is open."""


class BlobMonitor:
    """Blobs where the Azure host keeps them: ``timers/{host id}/{timer}/status``."""

    def __init__(self, connection_string: str, host_id: str) -> None:
        from azure.storage.blob.aio import BlobServiceClient

        self._service = BlobServiceClient.from_connection_string(connection_string)
        self._host_id = host_id
        self._lock = asyncio.Lock()
        self._made = False

    def _path(self, timer: str) -> str:
        return f"timers/{self._host_id}/{timer}/status"

    async def read(self, timer: str) -> Status | None:
        from azure.core.exceptions import ResourceNotFoundError

        blob = self._service.get_blob_client(CONTAINER, self._path(timer))
        try:
            return Status.parse(await (await blob.download_blob()).readall())
        except ResourceNotFoundError:
            return None

    async def write(self, timer: str, status: Status) -> None:
        from azure.core.exceptions import ResourceExistsError

        async with self._lock:
            if not self._made:
                with contextlib.suppress(ResourceExistsError):
                    await self._service.create_container(CONTAINER)
                self._made = True
        blob = self._service.get_blob_client(CONTAINER, self._path(timer))
        await blob.upload_blob(json.dumps(status.payload()), overwrite=True)

    async def close(self) -> None:
        await self._service.close()


def host_id(settings: Mapping[str, str], app: str) -> str:
    """Id under which an app keeps its state; the setting is the one of the Azure host."""
    given = settings.get("AzureFunctionsWebHost__hostid")
    return given or "local-" + hashlib.sha256(app.encode()).hexdigest()[:16]


def open_monitor(settings: Mapping[str, str], app: str, folder: Path | None) -> Monitor:
    """Blob storage when AzureWebJobsStorage is a connection string, else a folder."""
    storage = settings.get("AzureWebJobsStorage", "")
    if folder is None and ("AccountName=" in storage or storage == "UseDevelopmentStorage=true"):
        return BlobMonitor(storage, host_id(settings, app))
    fallback = Path(tempfile.gettempdir()) / "functions-host"
    return FolderMonitor((folder or fallback) / "timers" / host_id(settings, app))
