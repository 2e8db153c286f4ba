"""The wire itself: what malformed, hostile and unusual peers get to see."""

import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emulators.servicebus.amqp.decode import decode
from emulators.servicebus.amqp.encode import encode
from emulators.servicebus.amqp.types import Described, Symbol, UInt, ULong
from emulators.servicebus.broker.message import sections
from emulators.servicebus.server import Server, serving
from tests.emulators.servicebus.entities import config_text
from tests.emulators.servicebus.peer import SASL, Peer, frame, message

ACCEPTED, REJECTED = 0x24, 0x25
CLOSE, END, DETACH, FLOW, TRANSFER, DISPOSITION = 0x18, 0x17, 0x16, 0x13, 0x14, 0x15


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    async with serving(config_text()) as server:
        yield server


async def _still_serves(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_sender("q1")
        await peer.expect(FLOW)
        peer.transfer(0, message(b"x"))
        disposition = await peer.expect(DISPOSITION)
        assert disposition[4].descriptor == ACCEPTED


_NESTED = b"\x00\x53\x10" + b"\xc0\xff\x01" * 40
MALFORMED = {
    "truncated value": (frame(b"\x00\x53\x10\xc0\x0a\x01\xa1\x20abc"), "amqp:decode-error"),
    "unknown performative": (frame(b"\x00\x53\x99\x45"), "amqp:decode-error"),
    "not described": (frame(b"\x41"), "amqp:decode-error"),
    "unknown type": (frame(b"\x00\x53\x10\xc0\x02\x01\x3f"), "amqp:decode-error"),
    "giant count": (
        frame(b"\x00\x53\x10\xd0\x00\x00\x00\x04\xff\xff\xff\xff"),
        "amqp:decode-error",
    ),
    "giant array": (
        frame(b"\x00\x53\x10\xc0\x0b\x01\xf0\x00\x00\x00\x05\xff\xff\xff\xff\x40"),
        "amqp:decode-error",
    ),
    "nested too deeply": (frame(_NESTED), "amqp:decode-error"),
    "odd map": (frame(b"\x00\x53\x10\xc0\x04\x01\xc1\x02\x01\x40"), "amqp:decode-error"),
    "list as a key": (frame(b"\x00\x53\x10\xc0\x05\x01\xc1\x03\x02\x45\x40"), "amqp:decode-error"),
    "bad text": (frame(b"\x00\x53\x10\xc0\x04\x01\xa1\x01\xff"), "amqp:decode-error"),
    "wrong field": (frame(b"\x00\x53\x13\xc0\x03\x01\xa1\x00"), "amqp:decode-error"),
    "tiny frame": (b"\x00\x00\x00\x04", "amqp:connection:framing-error"),
    "giant frame": (b"\x7f\xff\xff\xff\x02\x00\x00\x00", "amqp:connection:framing-error"),
    "data offset": (b"\x00\x00\x00\x08\x09\x00\x00\x00", "amqp:connection:framing-error"),
    "unknown channel": (
        frame(encode(Described(ULong(0x16), [UInt(0)])), channel=77),
        "amqp:connection:framing-error",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_input_is_answered_and_survived(server: Server, name: str) -> None:
    data, condition = MALFORMED[name]
    async with Peer(server.port) as peer:
        await peer.open()
        peer.write(data)
        close = await peer.expect(CLOSE)
        assert close[0].value[0] == condition
        assert len(close[0].value) == 3
        await peer.closed()
    await _still_serves(server)


async def test_wrong_header(server: Server) -> None:
    async with Peer(server.port) as peer:
        peer.write(b"GET / HTTP/1.1\r\n\r\n")
        assert await peer._read(8) == SASL  # noqa: SLF001  the header is no frame
        await peer.closed()
    await _still_serves(server)


async def test_random_bytes(server: Server) -> None:
    chance = random.Random(7)  # noqa: S311  repeatable, no secret
    good = frame(encode(Described(ULong(0x11), [None, UInt(0), UInt(9), UInt(9)])))
    for _ in range(60):
        async with Peer(server.port) as peer:
            await peer.open()
            broken = bytearray(good * 2)
            for _ in range(chance.randint(1, 6)):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            peer.write(bytes(broken) + chance.randbytes(chance.randint(0, 40)))
            peer._writer.write_eof()  # noqa: SLF001  nothing else comes
            await peer.closed()
    assert not server.connections
    await _still_serves(server)


async def test_random_messages(server: Server) -> None:
    """Broken message bytes refuse the message, and the link stays usable."""
    chance = random.Random(8)  # noqa: S311  repeatable, no secret
    good = (
        encode(Described(ULong(0x72), {Symbol("x-opt-partition-key"): "p"}))
        + encode(Described(ULong(0x73), ["id"]))
        + message(b"hello")
    )
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_sender("q1")
        for number in range(300):
            broken = bytearray(good)
            broken[chance.randrange(len(good))] = chance.randrange(256)
            peer.transfer(number, bytes(broken[: chance.randint(1, len(broken))]))
        peer.transfer(300, good)
        settled = 0
        while settled < 301:
            disposition = await peer.expect(DISPOSITION)
            settled += disposition[2] - disposition[1] + 1
            assert disposition[4].descriptor in {ACCEPTED, REJECTED}
        assert disposition[4].descriptor == ACCEPTED


async def test_duplicate_handle_ends_the_session_only(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_sender("q1")
        peer.send(
            0x12, "other", UInt(0), False, None, None,  # noqa: FBT003  the role
            Described(ULong(0x28), []), Described(ULong(0x29), ["q1"]), None, None, UInt(0),
        )  # fmt: skip
        end = await peer.expect(END)
        assert end[0].value[0] == "amqp:session:handle-in-use"
        peer.send(0x17)
        peer.send(0x11, None, UInt(0), UInt(10), UInt(10))
        await peer.expect(0x11)


async def test_unattached_handle(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        peer.transfer(0, message(b"x"), handle=9)
        end = await peer.expect(END)
        assert end[0].value[0] == "amqp:session:unattached-handle"


async def test_peer_given_ranges_are_not_walked(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_receiver("q1")
        peer.send(0x15, True, UInt(0), UInt(2**32 - 1), False, Described(ULong(0x24), []))  # noqa: FBT003
        peer.credit(1)
        await _still_serves(server)
        assert (await peer.expect(TRANSFER))[1] == 0


async def test_heartbeats(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.open(idle_time_out=400)
        await peer.heartbeat()
        await peer.heartbeat()


async def test_session_window_is_honoured(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin(window=2)
        await peer.attach_sender("q1")
        await peer.attach_receiver("q1", handle=1)
        for number in range(5):
            peer.transfer(number, message(b"%d" % number))
        peer.credit(100, handle=1, window=2)
        first, second = await peer.expect(TRANSFER), await peer.expect(TRANSFER)
        assert (first[1], second[1]) == (0, 1)
        fields = (UInt(2), UInt(10), UInt(5), UInt(10))
        peer.send(0x13, *fields, None, None, None, None, None, True)  # noqa: FBT003  echo
        codes = [(await peer.next())[0] for _ in range(4)]
        assert sorted(codes) == [FLOW, TRANSFER, TRANSFER, TRANSFER]


async def test_drain_consumes_the_credit(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_receiver("q1")
        peer.credit(7, drain=True)
        flow = await peer.expect(FLOW)
        assert (flow[5], flow[6], flow[8]) == (7, 0, True)


async def test_competing_receivers_take_turns(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_receiver("q1", handle=0)
        await peer.attach_receiver("q1", handle=1)
        peer.credit(6, handle=0)
        peer.credit(6, handle=1)
        await peer.attach_sender("q1", handle=2)
        for number in range(8):
            peer.transfer(number, message(b"x"), handle=2)
        handles = [(await peer.expect(TRANSFER))[0] for _ in range(8)]
        assert sorted(handles) == [0] * 4 + [1] * 4


@pytest.mark.parametrize(
    ("operation", "body", "status", "condition"),
    [
        ("com.microsoft:add-rule", {}, 501, "amqp:not-implemented"),
        ("nonsense", {}, 501, "amqp:not-implemented"),
        ("com.microsoft:renew-lock", {}, 400, "com.microsoft:argument-error"),
        ("com.microsoft:renew-lock", None, 400, "com.microsoft:argument-error"),
        ("com.microsoft:peek-message", {"from-sequence-number": 1, "message-count": 1}, 204, None),
        ("com.microsoft:renew-session-lock", {"session-id": "a"}, 400, "amqp:not-allowed"),
    ],
)
async def test_management_answers(
    server: Server, operation: str, body: object, status: int, condition: str | None
) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_sender("q1/$management", handle=0)
        await peer.attach_receiver("q1/$management", handle=1)
        request = (
            encode(Described(ULong(0x73), [ULong(77)]))
            + encode(Described(ULong(0x74), {"operation": operation}))
            + encode(Described(ULong(0x77), body))
        )
        peer.transfer(0, request)
        peer.credit(1, handle=1)  # the answer has waited for it
        code, _, payload = await peer.next()
        while code != TRANSFER:
            code, _, payload = await peer.next()
        found = {code: decode(payload, at)[0] for code, _, at, _ in sections(payload)}
        assert found[0x73][5] == 77
        assert isinstance(found[0x73][5], ULong)
        assert found[0x74]["statusCode"] == status
        assert found[0x74].get("errorCondition") == condition


async def test_lock_token_is_the_tag_in_guid_order(server: Server) -> None:
    await _still_serves(server)
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_receiver("q1")
        peer.credit(1)
        found, fields, payload = await peer.next()
        while found != TRANSFER:
            found, fields, payload = await peer.next()
        (token,) = [m.lock for m in server.namespace.find("q1").messages.values()]
        assert fields[2] == token.bytes_le
        assert token.bytes in payload


async def test_a_long_message_in_pieces_is_capped(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_sender("q1")
        for number in range(10):
            peer.transfer(0, b"\x00" * 60_000, more=number < 9)
        disposition = await peer.expect(DISPOSITION)
        assert disposition[4].value[0].value[0] == "amqp:link:message-size-exceeded"
        peer.transfer(1, message(b"x"))
        assert (await peer.expect(DISPOSITION))[4].descriptor == ACCEPTED


@pytest.mark.parametrize(
    ("address", "receiver", "condition"),
    [
        ("nowhere", False, "amqp:not-found"),
        ("t1", True, "amqp:not-allowed"),
        ("t1/Subscriptions/s1", False, "amqp:not-allowed"),
        ("q1/$DeadLetterQueue", False, "amqp:not-allowed"),
        ("qsess", True, "amqp:not-allowed"),
        ("nowhere/$management", True, "amqp:not-found"),
    ],
)
async def test_refused_attach(
    server: Server, address: str, receiver: bool, condition: str  # noqa: FBT001  a parameter
) -> None:  # fmt: skip
    async with Peer(server.port) as peer:
        await peer.begin()
        attach = peer.attach_receiver if receiver else peer.attach_sender
        answer = await attach(address)
        assert answer[5] is None
        assert answer[6] is None
        detach = await peer.expect(DETACH)
        assert detach[1] is True
        assert detach[2].value[0] == condition


async def test_entity_paths_in_any_form(server: Server) -> None:
    async with Peer(server.port) as peer:
        await peer.begin()
        for handle, path in enumerate(
            ("Q1", "amqps://host:1/q1/", "T1/subscriptions/S1", "q1/$deadletterqueue")
        ):
            assert (await peer.attach_receiver(path, handle=handle))[5] is not None
