"""Opens table and blob storage, by connection string or by identity."""

import asyncio
import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared import telemetry
from shared.adapters.blob_accounts import BlobAccounts
from shared.adapters.blob_imports import BlobImports
from shared.adapters.blob_lines import PARTS
from shared.adapters.ledger.errors import storage_errors
from shared.adapters.table_ledger import TableLedger
from shared.errors import TryLater
from shared.ports import Clock
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

WRITE_SPACING = timedelta(seconds=10)
"""Between two writes to one application: closer ones are refused as concurrent."""

ACCOUNTS = "accounts"
IMPORTS = "imports"


async def open_storage(
    settings: Settings, credential: "AsyncTokenCredential", clock: Clock
) -> tuple[TableLedger, BlobAccounts, BlobImports]:
    from azure.core.exceptions import ResourceExistsError
    from azure.data.tables.aio import TableServiceClient
    from azure.storage.blob.aio import BlobServiceClient

    from shared.adapters.traced_transport import TracedTransport

    # Each has its own, as each closes it.
    ways: list[dict[str, Any]] = [{"transport": TracedTransport("storage")} for _ in range(2)]
    rows, options = ways[0], dict(PARTS) | ways[1]
    if settings.storage_connection:
        tables = TableServiceClient.from_connection_string(settings.storage_connection, **rows)
        blobs = BlobServiceClient.from_connection_string(settings.storage_connection, **options)
    else:
        tables = TableServiceClient(settings.table_uri, credential=credential, **rows)
        blobs = BlobServiceClient(settings.blob_uri, credential=credential, **options)
    ledger = TableLedger(tables, clock, write_spacing=WRITE_SPACING * settings.pace)
    containers = [blobs.get_container_client(name) for name in (ACCOUNTS, IMPORTS)]
    if settings.storage_connection:
        # By identity we may not create anything: the deployment has made it all.
        try:
            await ledger.ensure_tables()
            for container in containers:
                with (
                    contextlib.suppress(ResourceExistsError),
                    storage_errors(f"creating container {container.container_name}"),
                ):
                    await container.create_container()
        except TryLater as down:
            # What an earlier start has made is there, and calls say so when it is not. A message
            # that came now would otherwise use up its deliveries within a second.
            telemetry.event("storage.unchecked", why=down.message)
        except BaseException:
            # The next invocation opens it all again; this attempt must not keep its connections.
            await asyncio.gather(tables.close(), blobs.close())
            raise
    accounts, imports = containers
    return ledger, BlobAccounts(accounts), BlobImports(imports)
