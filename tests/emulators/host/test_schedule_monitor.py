"""Timer status in blob storage, where the Azure host keeps it, through Azurite."""

import json
from datetime import UTC, datetime
from pathlib import Path

from azure.storage.blob import BlobServiceClient

from emulators.azurite.server import serving as azurite
from emulators.host.schedule_monitor import BlobMonitor, FolderMonitor, Status, open_monitor

STATUS = Status(*(datetime(2026, 2, 28, hour, 0, 1, 250000, UTC) for hour in (1, 2, 3)))


async def test_blob_path_and_content(tmp_path: Path) -> None:
    async with azurite(tmp_path) as storage:
        settings = {
            "AzureWebJobsStorage": storage.connection_string,
            "AzureWebJobsHostId": "ignored",
            "AzureFunctionsWebHost__hostid": "keyturn",
        }
        monitor = open_monitor(settings, "any", None)
        assert isinstance(monitor, BlobMonitor)
        assert await monitor.read("sweep") is None
        await monitor.write("sweep", STATUS)
        await monitor.write("sweep", STATUS)
        assert await monitor.read("sweep") == STATUS
        await monitor.close()
        with BlobServiceClient.from_connection_string(storage.connection_string) as service:
            blob = service.get_blob_client("azure-webjobs-hosts", "timers/keyturn/sweep/status")
            assert set(json.loads(blob.download_blob().readall())) == {
                "Last",
                "Next",
                "LastUpdated",
            }


async def test_folder_without_storage(tmp_path: Path) -> None:
    monitor = open_monitor({}, "any", tmp_path)
    assert isinstance(monitor, FolderMonitor)
    assert await monitor.read("sweep") is None
    await monitor.write("sweep", STATUS)
    assert await open_monitor({}, "any", tmp_path).read("sweep") == STATUS
    assert await open_monitor({}, "other", tmp_path).read("sweep") is None
