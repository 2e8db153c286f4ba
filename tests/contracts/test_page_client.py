"""Pages that arrive packed, and those that cannot be unpacked."""

import gzip
import uuid

import httpx
import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.adapters.graph_transport import PageClient

PAGE = msgspec.json.encode(
    {"value": [{"id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))} for number in range(1000)]}
)
PACKED = gzip.compress(PAGE)
BROKEN = {
    "another format": PAGE,
    "broken in the middle": PACKED[:600] + bytes(20) + PACKED[620:],
    "another checksum": PACKED[:-8] + bytes(4) + PACKED[-4:],
}


async def read(body: bytes) -> bytes:
    """What the client makes of a body that is said to be packed."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    app = web.Application()
    app.router.add_get("/users", answer)
    client = PageClient(timeout=5)
    try:
        async with TestServer(app) as server:
            url = str(server.make_url("/users"))
            request = client.build_request(
                method="GET", url=url, headers={}, content=None, extensions={}
            )
            return (await client.send(request)).content
    finally:
        await client.aclose()


async def test_a_packed_page() -> None:
    assert await read(PACKED) == PAGE


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
async def test_one_that_cannot_be_unpacked_is_asked_for_again(body: bytes) -> None:
    with pytest.raises(httpx.ReadError):
        await read(body)


@pytest.mark.parametrize("missing", [20, 1000, 20_000])
async def test_one_that_ends_too_soon_is_no_page(missing: int) -> None:
    """aiohttp hands on what has come: no JSON, so that it is asked for again as well."""
    with pytest.raises(msgspec.DecodeError):
        msgspec.json.decode(await read(PACKED[:-missing]))
