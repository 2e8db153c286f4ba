"""Graph through the SDK's builders, authentication and retries; answers decoded with msgspec.

The SDK's model classes run over two thousand import statements for each object they decode;
typed decoding of the same bytes costs next to nothing. Models are used for sending only.

The SDK's own retries are off: they repeat every verb, also a POST whose answer was lost, and
sleep for up to three minutes. Short ones are made here, longer ones are `TryLater`.
"""

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlsplit

import msgspec

from shared import telemetry
from shared.adapters import proxies
from shared.adapters.graph_errors import graph_errors, retry_after
from shared.adapters.graph_limiter import Limiter
from shared.adapters.graph_refusals import explained
from shared.adapters.graph_spans import request_span, told
from shared.adapters.graph_transport import PageClient
from shared.adapters.identity import claims
from shared.errors import NeedsHuman
from shared.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from httpx import Response

T = TypeVar("T")

RETRIES = (1.0, 2.0, 4.0)  # seconds, at pace 1
PATIENCE = 10.0  # the longest wait that an answer may ask for without leaving the step
TIMEOUT = 100.0  # Graph's own, for slow reads
CHALLENGE = '{"access_token":{"nbf":{"essential":true,"value":"0"}}}'
"""Claims that every new token fulfils. Source: "Claims challenges, claims requests"."""

PASSING = (429, 503, 504)
EXPLAINED = frozenset({"AUTOMATION_PRIVILEGE", "EMPTY_403", "GRAPH_REFUSED"})


class Page(msgspec.Struct, Generic[T]):
    """One page of a list."""

    value: list[T]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class Graph:
    """Sends requests that the SDK's builders made and decodes what comes back."""

    def __init__(self, settings: Settings, credential: "AsyncTokenCredential") -> None:
        import httpx
        from kiota_authentication_azure.azure_identity_authentication_provider import (
            AzureIdentityAuthenticationProvider,
        )
        from kiota_http.middleware.options import RetryHandlerOption
        from msgraph import GraphRequestAdapter, GraphServiceClient
        from msgraph.graph_request_adapter import options
        from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]  # has no types

        # Without allowed hosts the SDK would send the token wherever a link points.
        provider = AzureIdentityAuthenticationProvider(
            credential,
            scopes=[settings.graph_scope],
            allowed_hosts=[settings.graph_host, urlsplit(settings.graph).hostname or ""],
        )
        once = {RetryHandlerOption.get_key(): RetryHandlerOption(max_retries=0)}
        # Kept, because the SDK's client closes its middleware and not what lies below.
        proxy = proxies.towards(urlsplit(settings.graph).hostname or "")
        self._transport = httpx.AsyncHTTPTransport(http2=True, proxy=proxy)
        self._http = GraphClientFactory.create_with_default_middleware(
            client=httpx.AsyncClient(
                transport=self._transport,
                timeout=TIMEOUT,
                event_hooks={"response": [_note_write]},
            ),
            options=options | once,
        )
        self._pages = PageClient(TIMEOUT, proxy)
        self._adapter = GraphRequestAdapter(provider, client=self._http)
        self._bulk = GraphRequestAdapter(provider, client=self._pages)
        self._adapter.base_url = self._bulk.base_url = settings.graph
        self._client = GraphServiceClient(request_adapter=self._adapter)
        self.tenant_id = settings.tenant_id
        self._credential = credential
        self.scope = settings.graph_scope
        self._host = settings.graph_host
        self.base = settings.graph
        self.pace = settings.pace
        self.limiter = Limiter(settings.pace)
        self.sizes: dict[str, tuple[int, float]] = {}
        """Page sizes that lists were found to bear, and until when that is believed."""
        self.addresses: dict[tuple[str, int], str] = {}
        """Of lists that differ in an id, by what is listed and page size: see `graph_nested`."""

    @property
    def client(self) -> Any:
        """The SDK's builders, with path parameters of their own at each use.

        Builders by alternate key (``…_with_app_id``) write the key into the client's one
        dictionary, which a request reads when it is sent: of two at once, both would go to the
        object of the second.
        """
        own = copy.copy(self._client)
        own.path_parameters = dict(self._client.path_parameters)
        return own

    async def close(self) -> None:
        await self._http.aclose()
        await self._transport.aclose()
        await self._pages.aclose()

    async def get(self, info: Any, type_: type[T], *, doing: str = "reading") -> T | None:
        """Answer None for 404: absent and not replicated yet look alike, the caller decides."""
        data = await self._answer(info, doing)
        return None if data is None else _decoded(data, type_, doing)

    async def data(
        self, info: Any, *, doing: str, send: Callable[[Any], Awaitable[bytes | None]]
    ) -> bytes | None:
        """What was read, as it came; None for 404. *send* calls `send_once`, repeats and waits."""
        return await self._answer(info, doing, send=send)

    async def post(
        self, info: Any, type_: type[T], *, doing: str, already: Sequence[str] = ()
    ) -> T | None:
        """Send a write exactly once; None when it had no content, or was done already."""
        data = await self._answer(info, doing, writing=True, already=already, send=self.send_once)
        return _decoded(data, type_, doing) if data else None

    async def write(self, info: Any, *, doing: str, already: Sequence[str] = ()) -> None:
        """Send a write that may be repeated, and whose answer is of no interest."""
        await self._answer(info, doing, writing=True, already=already)

    async def roles(self, *, fresh: bool = False) -> frozenset[str]:
        """Application permissions in the automation's own token, or in a fresh one."""
        return frozenset((await self.claims(fresh=fresh)).get("roles", ()))

    async def claims(self, *, fresh: bool = False) -> dict[str, Any]:
        """Of a token that we asked for ourselves; its issuer was met over TLS."""
        # Asking for claims passes the cache by, as after a challenge of Graph's.
        challenge = CHALLENGE if fresh else None
        with graph_errors("signing in as the automation"):
            token = await self._credential.get_token(self.scope, claims=challenge)
        return claims(token.token)

    async def _answer(
        self,
        info: Any,
        doing: str,
        *,
        writing: bool = False,
        already: Sequence[str] = (),
        send: Callable[[Any], Awaitable[bytes | None]] | None = None,
    ) -> bytes | None:
        try:
            with graph_errors(doing, writing=writing, already=already) as outcome:
                return await (send or self._send_repeatedly)(info)
        except NeedsHuman as refusal:
            if refusal.code not in EXPLAINED:
                raise
            call = f"{info.http_method.value} {urlsplit(info.url).path}"
            raise explained(refusal, call, await self.roles()) from refusal
        if outcome.done_already:
            telemetry.event("graph.already-there", doing=doing)
        return None

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
        if (urlsplit(link).scheme, urlsplit(link).netloc.lower()) != ("https", self._host.lower()):
            raise NeedsHuman(
                "FOREIGN_LINK",
                f"Graph sent a next link to another host, {urlsplit(link).netloc}.",
                "Check the Graph endpoint setting and what stands between it and this app.",
            )
        return self.client.users.with_url(link).to_get_request_information()

    async def _send_repeatedly(self, info: Any) -> bytes | None:
        from kiota_abstractions.api_error import APIError

        for usual in RETRIES:
            try:
                return await self.send_once(info)
            except APIError as error:
                asked = retry_after(error.response_headers)
                pause = usual if asked is None else asked.total_seconds()
                if error.response_status_code not in PASSING or pause > PATIENCE:
                    raise
                if error.response_status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    telemetry.paused(pause * self.pace)
            await asyncio.sleep(pause * self.pace)
        return await self.send_once(info)

    async def send_once(self, info: Any, *, bulk: bool = False) -> bytes | None:
        """Send as it is; the SDK's and the transport's errors come through.

        *bulk* is for long pages, whose way is another one.
        """
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError

        adapter = self._bulk if bulk else self._adapter
        with request_span(info, self._host):
            data: bytes | None = await adapter.send_primitive_async(
                info, "bytes", {"4XX": ODataError, "5XX": ODataError}
            )
        return data


def _decoded(data: bytes, type_: type[T], doing: str) -> T:
    with graph_errors(doing):
        return msgspec.json.decode(data, type=type_)


async def _note_write(answer: "Response") -> None:
    """For the audit history: the id by which Graph's own logs know the write."""
    told(answer.status_code, answer.headers)
    reads = answer.request.method == "GET" or answer.request.url.path.endswith("/$batch")
    if answer.is_success and not reads:
        telemetry.note_write(answer.headers.get("request-id", ""))
