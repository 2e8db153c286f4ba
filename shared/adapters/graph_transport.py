"""Carries long pages for the SDK's request adapter, over aiohttp.

With httpx and the SDK's middleware a page of a thousand users costs two milliseconds of Python
before its first byte is decoded, four times what it takes here. The SDK still builds and
authenticates the requests and maps their errors; of its middleware only retries
would matter, and those are `graph_sending`'s. Redirects are not followed: no list has any.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.adapters.graph_spans import told

if TYPE_CHECKING:
    import aiohttp
    from multidict import CIMultiDictProxy

CONNECTIONS = 32
OPTION = "HeadersInspectionHandlerOption"
"""Of a request that wants to see its answer's headers, as with the SDK's own middleware."""


@dataclass
class Request:
    """As much of a request as the SDK's adapter looks at."""

    method: str
    url: str
    headers: dict[str, str]
    content: bytes | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """As much of an answer as the SDK's adapter looks at."""

    status_code: int
    headers: "CIMultiDictProxy[str]"
    content: bytes
    http_version: str = "HTTP/1.1"

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def is_redirect(self) -> bool:
        return 300 <= self.status_code < 400 and "location" in self.headers


class PageClient:
    """What the SDK's adapter uses of ``httpx.AsyncClient``; *timeout* in seconds."""

    base_url = ""

    def __init__(self, timeout: float, proxy: str | None = None) -> None:
        self._timeout, self._proxy = timeout, proxy
        self._session: aiohttp.ClientSession | None = None

    def build_request(
        self,
        *,
        method: str,
        url: str,
        headers: dict[str, str],
        content: Any,
        extensions: dict[str, Any],
    ) -> Request:
        options: dict[str, Any] = next(iter(extensions.values()), {})
        return Request(method, url, headers, content or None, options)

    async def send(self, request: Request) -> Answer:
        """Raises the errors of httpx, as its callers know them."""
        import aiohttp
        import httpx
        from yarl import URL

        try:
            async with self._open().request(
                request.method,
                URL(request.url, encoded=True),
                headers=request.headers,
                data=request.content,
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer in {self._timeout:.0f} s") from error
        except aiohttp.ClientConnectorError as error:
            raise httpx.ConnectError(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx.ReadError(repr(error)) from error
        told(answer.status, answer.headers)
        if (wanted := request.options.get(OPTION)) is not None:
            for name in answer.headers:
                if name.lower().startswith("x-ms-"):
                    wanted.response_headers.add(name, answer.headers[name])
        return Answer(answer.status, answer.headers, content)

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> "aiohttp.ClientSession":
        """With the first request: a session belongs to the loop that it is made in."""
        import aiohttp
        import httpx

        if self._session is None:
            from isal import isal_zlib

            # Graph packs its pages; this takes a fourth of the time to unpack them.
            aiohttp.set_zlib_backend(isal_zlib)
            # Trust as httpx has it, so that both ways to Graph meet the same authorities.
            context = httpx.create_ssl_context()
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS, ssl=context),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=self._proxy,
            )
        return self._session
