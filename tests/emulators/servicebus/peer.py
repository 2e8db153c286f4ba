"""A bare AMQP client: says exactly what a test wants said, also what no SDK would say."""

import asyncio
from typing import Any, Self

from emulators.servicebus.amqp.decode import decode
from emulators.servicebus.amqp.encode import encode
from emulators.servicebus.amqp.types import Described, Symbol, UByte, UInt, ULong

SASL = b"AMQP\x03\x01\x00\x00"
AMQP = b"AMQP\x00\x01\x00\x00"
LIMIT = 2**24


class Peer:
    """Sends raw bytes and performatives, and reads what comes back."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, limit=LIMIT
        )
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return  # the server may have closed first

    def write(self, data: bytes) -> None:
        self._writer.write(data)

    def send(self, code: int, *fields: Any, payload: bytes = b"", channel: int = 0) -> None:
        self.write(frame(encode(Described(ULong(code), list(fields))) + payload, channel))

    async def open(self, idle_time_out: int | None = None) -> None:
        """Shake hands up to the answer to open."""
        self.write(SASL)
        assert await self._reader.readexactly(8) == SASL
        await self.expect(0x40)
        init = encode(Described(ULong(0x41), [Symbol("ANONYMOUS")]))
        self.write(frame(init, kind=1))
        await self.expect(0x44)
        self.write(AMQP)
        assert await self._reader.readexactly(8) == AMQP
        timeout = None if idle_time_out is None else UInt(idle_time_out)
        self.send(0x10, "peer", None, None, None, timeout)
        await self.expect(0x10)

    async def begin(self, window: int = 2048) -> None:
        await self.open()
        self.send(0x11, None, UInt(0), UInt(window), UInt(2048))
        await self.expect(0x11)

    async def attach_sender(self, address: str, handle: int = 0) -> list[Any]:
        return await self._attach(False, handle, [None], [address], UInt(0))  # noqa: FBT003 role

    def ask_for_session(self, address: str, handle: int, wait: int | None = None) -> None:
        """Ask for the next available session; the answer may take its time."""
        source = [address] + [None] * 6 + [{Symbol("com.microsoft:session-filter"): None}]
        properties = {} if wait is None else {Symbol("com.microsoft:timeout"): UInt(wait)}
        role = True
        self.send(
            0x12, f"link-{handle}", UInt(handle), role, UByte(0), UByte(1),
            Described(ULong(0x28), source), Described(ULong(0x29), []), None, None, None, None,
            None, None, properties,
        )  # fmt: skip

    def detach(self, handle: int) -> None:
        closed = True
        self.send(0x16, UInt(handle), closed)

    async def attach_receiver(self, address: str, handle: int = 0) -> list[Any]:
        return await self._attach(True, handle, [address], [None], None)  # noqa: FBT003  the role

    async def _attach(self, role: bool, handle: int, source: Any, target: Any, count: Any) -> Any:  # noqa: FBT001
        self.send(
            0x12, f"link-{handle}", UInt(handle), role, UByte(0), UByte(1),
            Described(ULong(0x28), source), Described(ULong(0x29), target), None, None, count,
        )  # fmt: skip
        return await self.expect(0x12)

    def transfer(self, number: int, payload: bytes, handle: int = 0, *, more: bool = False) -> None:
        tag = number.to_bytes(4)
        settled = False
        fields = (UInt(handle), UInt(number), tag, UInt(0), settled, more)
        self.send(0x14, *fields, payload=payload)

    def credit(
        self, credit: int, handle: int = 0, window: int = 2048, *, drain: bool = False
    ) -> None:
        self.send(
            0x13, UInt(0), UInt(window), UInt(0), UInt(2048), UInt(handle), UInt(0),
            UInt(credit), None, drain,
        )  # fmt: skip

    async def next(self) -> tuple[int, list[Any], bytes]:
        """Answer the next frame that is no heartbeat: code, fields, payload."""
        while True:
            size = int.from_bytes(await self._read(4))
            rest = await self._read(size - 4)
            if len(rest) > 4:
                performative, end = decode(rest, 4)
                return int(performative.descriptor), performative.value, rest[end:]

    async def expect(self, code: int) -> list[Any]:
        """Answer the next performative of this kind, padded; skip others."""
        while True:
            found, fields, _ = await self.next()
            if found == code:
                return fields + [None] * (14 - len(fields))

    async def heartbeat(self) -> None:
        assert await self._read(8) == b"\x00\x00\x00\x08\x02\x00\x00\x00"

    async def closed(self) -> None:
        """Wait until the server has closed the connection."""
        async with asyncio.timeout(10):
            while await self._reader.read(LIMIT):
                pass

    async def _read(self, count: int) -> bytes:
        async with asyncio.timeout(10):
            return await self._reader.readexactly(count)


def frame(body: bytes, channel: int = 0, kind: int = 0) -> bytes:
    return (len(body) + 8).to_bytes(4) + bytes((2, kind)) + channel.to_bytes(2) + body


def message(text: bytes) -> bytes:
    """Answer an encoded message with a data section."""
    return encode(Described(ULong(0x75), text))
