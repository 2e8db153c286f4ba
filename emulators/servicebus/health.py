"""``GET /health``, as Microsoft's emulator answers it."""

import asyncio
import json

_HEALTHY = json.dumps({"status": "healthy", "message": "Service is healthy."}).encode()
_LONGEST_REQUEST = 8192


async def serve_health(host: str, port: int) -> asyncio.Server:
    """Answer health requests until the server is closed."""
    return await asyncio.start_server(_answer, host, port, limit=_LONGEST_REQUEST)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        request = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        writer.close()
        return
    found = request.startswith((b"GET /health ", b"GET /health?"))
    status, body = (b"200 OK", _HEALTHY) if found else (b"404 Not Found", b"{}")
    writer.write(
        b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        b"Connection: close\r\n\r\n%s" % (status, len(body), body),
    )
    try:
        await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
