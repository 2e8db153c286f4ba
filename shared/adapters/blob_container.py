"""Whether a blob container is there and may be read."""

from typing import TYPE_CHECKING

from shared.adapters.blob_lines import storage_errors
from shared.errors import NeedsHuman

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient


async def require_container(container: "ContainerClient") -> None:
    """Raise `NeedsHuman` STORAGE_MISSING where it is not there, else `TryLater`."""
    from azure.core.exceptions import ResourceNotFoundError

    with storage_errors(f"looking at the container {container.container_name}"):
        try:
            async for _ in container.list_blobs(results_per_page=1):
                return
        except ResourceNotFoundError as error:
            raise NeedsHuman(
                "STORAGE_MISSING",
                f"There is no container {container.container_name}.",
                "Make it: azd provision does.",
            ) from error
