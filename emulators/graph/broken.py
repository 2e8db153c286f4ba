"""Connections that end before their answer does."""

from aiohttp import web


def cut(request: web.Request) -> web.Response:
    """Nothing arrives."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def half(request: web.Request, body: bytes) -> web.StreamResponse:
    """As much as arrives when a connection breaks in the middle of a page."""
    answer = web.StreamResponse(headers={"Content-Length": str(len(body))})
    await answer.prepare(request)
    await answer.write(body[: len(body) // 2])
    cut(request)
    return answer
