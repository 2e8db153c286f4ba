"""Graph through the SDK's builders, authentication and retries; answers decoded with msgspec.

The SDK's model classes run over two thousand import statements for each object they decode;
typed decoding of the same bytes costs next to nothing. Models are used for sending only.
"""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from shared.adapters.graph_errors import graph_errors
from shared.errors import NeedsHuman
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T]):
    """One page of a list."""

    value: list[T]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class Graph:
    """Sends requests that the SDK's builders made and decodes what comes back."""

    def __init__(self, settings: Settings, credential: "AsyncTokenCredential") -> None:
        from kiota_authentication_azure.azure_identity_authentication_provider import (
            AzureIdentityAuthenticationProvider,
        )
        from msgraph import GraphRequestAdapter, GraphServiceClient

        # Without allowed hosts the SDK would send the token wherever a link points.
        provider = AzureIdentityAuthenticationProvider(
            credential,
            scopes=["https://graph.microsoft.com/.default"],
            allowed_hosts=[settings.graph_host, urlsplit(settings.graph).hostname or ""],
        )
        adapter = GraphRequestAdapter(provider)
        adapter.base_url = settings.graph
        self.client = GraphServiceClient(request_adapter=adapter)
        self._adapter = adapter
        self._host = settings.graph_host

    async def get(self, info: Any, type_: type[T], *, doing: str = "reading") -> T | None:
        """Answer None for 404: absent and not replicated yet look alike, the caller decides."""
        with graph_errors(doing) as outcome:
            data = await self._send(info)
        if outcome.missing or data is None:
            return None
        return msgspec.json.decode(data, type=type_)

    async def post(
        self, info: Any, type_: type[T], *, doing: str, already: Sequence[str] = ()
    ) -> T | None:
        """Send a write; None when there was no content, or the answer meant "done already"."""
        with graph_errors(doing, writing=True, already=already) as outcome:
            data = await self._send(info)
        if outcome.done_already or not data:
            return None
        return msgspec.json.decode(data, type=type_)

    async def write(self, info: Any, *, doing: str, already: Sequence[str] = ()) -> None:
        """Send a write whose answer is of no interest."""
        with graph_errors(doing, writing=True, already=already):
            await self._send(info)

    async def pages(
        self, info: Any, type_: type[T], *, doing: str = "reading"
    ) -> AsyncIterator[Page[T]]:
        """Follow a list to its end; a missing list has no pages."""
        while info is not None:
            page = await self.get(info, Page[type_], doing=doing)  # type: ignore[valid-type] # decoded at run time
            if page is None:
                return
            yield page
            info = self._following(page.next_link)

    async def everything(self, info: Any, type_: type[T], *, doing: str = "reading") -> list[T]:
        return [row async for page in self.pages(info, type_, doing=doing) for row in page.value]

    def _following(self, link: str | None) -> Any:
        if link is None:
            return None
        if urlsplit(link).netloc.lower() != self._host.lower():
            raise NeedsHuman(
                "FOREIGN_LINK",
                f"Graph sent a next link to another host, {urlsplit(link).netloc}.",
                "Check the Graph endpoint setting and what stands between it and this app.",
            )
        return self.client.users.with_url(link).to_get_request_information()

    async def _send(self, info: Any) -> bytes | None:
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError

        data: bytes | None = await self._adapter.send_primitive_async(
            info, "bytes", {"4XX": ODataError, "5XX": ODataError}
        )
        return data
