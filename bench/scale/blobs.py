"""What is sent to and fetched from blob storage, counted at the SDK's transport."""

from typing import Any


class Storage:
    """Requests and bytes of bodies; of the process, so one at a time counts."""

    def __init__(self) -> None:
        self.requests = self.written = self.fetched = 0

    def watch(self) -> None:
        from azure.core.pipeline.transport import AioHttpTransport

        plain = AioHttpTransport.send

        async def counted(transport: Any, request: Any, **options: Any) -> Any:
            answer = await plain(transport, request, **options)
            if "/devstoreaccount1/" in request.url:
                self.requests += 1
                self.written += _size(request.data)
                self.fetched += int(answer.headers.get("Content-Length") or 0)
            return answer

        setattr(AioHttpTransport, "send", counted)  # noqa: B010 - it has no hook for this

    def clear(self) -> None:
        self.requests = self.written = self.fetched = 0

    def view(self) -> dict[str, int]:
        return {
            "storage_requests": self.requests,
            "bytes_written": self.written,
            "bytes_fetched": self.fetched,
        }


def _size(data: Any) -> int:
    if data is None:
        return 0
    if isinstance(data, bytes | bytearray | memoryview | str):
        return len(data)
    position = getattr(data, "tell", None)
    return int(position()) if position else 0  # a stream has been read to its end
