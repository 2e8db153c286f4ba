"""AMQP values: known encodings, and round trips that keep the AMQP type."""

from typing import Any
from uuid import UUID

import pytest

from emulators.servicebus.amqp.decode import decode, skip, spans
from emulators.servicebus.amqp.encode import encode
from emulators.servicebus.amqp.errors import DecodeError
from emulators.servicebus.amqp.types import (
    Array,
    Byte,
    Char,
    Decimal,
    Described,
    Float32,
    Long,
    Short,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)

KNOWN: list[tuple[Any, str]] = [
    (None, "40"), (True, "41"), (False, "42"), (UInt(0), "43"), (ULong(0), "44"), ([], "45"),
    (UByte(7), "5007"), (Byte(-1), "51ff"), (UInt(7), "5207"), (ULong(7), "5307"), (-2, "54fe"),
    (Long(-2), "55fe"), (UShort(258), "600102"), (Short(-2), "61fffe"), (UInt(256), "7000000100"),
    (1000, "71000003e8"), (Float32(1.5), "723fc00000"), (Char("A"), "7300000041"),
    (ULong(2**32), "800000000100000000"), (Long(2**32), "810000000100000000"),
    (1.5, "823ff8000000000000"), (Timestamp(1), "830000000000000001"),
    (UUID(int=1), "9800000000000000000000000000000001"), (b"ab", "a0026162"), ("ab", "a1026162"),
    (Symbol("ab"), "a3026162"), (["a", None], "c00502a1016140"), ({"a": True}, "c10502a1016141"),
    (Described(ULong(0x24), []), "00532445"), (Decimal(b"\1\2\3\4"), "7401020304"),
    (Array(0x83, [1]), "f00000000d00000001830000000000000001"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "encoded"), KNOWN)
def test_known_encodings(value: Any, encoded: str) -> None:
    data = bytes.fromhex(encoded)
    assert encode(value) == data
    found, end = decode(data)
    assert (found, type(found), end) == (value, type(value), len(data))
    assert skip(data, 0) == len(data)


@pytest.mark.parametrize(
    "value",
    [
        "x" * 300, b"x" * 70_000, Symbol("s" * 256), [UInt(n) for n in range(300)],
        {Symbol(str(n)): n * 1000 for n in range(200)}, {"a": [{"b": [None, True]}, "é"]},
        Array(0x98, [UUID(int=n) for n in range(5)]), Array(0xB1, ["a", "é"]), Array(0x81, []),
        Array(0xB3, [b"a"]), 2**40, Described(Symbol("a:b"), {"x": 1}),
    ],
)  # fmt: skip
def test_round_trips(value: Any) -> None:
    data = encode(value)
    found, end = decode(data)
    assert end == skip(data, 0) == len(data)
    expected = [each.decode() for each in value] if value == [b"a"] else value
    assert found == expected


def test_lists_are_split_without_decoding() -> None:
    data = encode([UInt(1), "two", [3]])
    places, end = spans(data, 0)
    assert [decode(data[start:stop])[0] for start, stop in places] == [1, "two", [3]]
    assert end == len(data)


@pytest.mark.parametrize("encoded", [encoded for _, encoded in KNOWN if len(encoded) > 2])
def test_cut_off_values_are_refused(encoded: str) -> None:
    data = bytes.fromhex(encoded)
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            decode(data[:length])


@pytest.mark.parametrize(
    "encoded",
    [
        "3f", "c0020241", "c1030140", "c103024540", "a101ff", "a301ff", "7300110000",
        "f000000005ffffffff40", "f000000005ffffffff83", "d000000004ffffffff", "e0020100",
        "c0ff", "00" * 40, "c00401c00201" * 20,
    ],
)  # fmt: skip
def test_impossible_values_are_refused(encoded: str) -> None:
    with pytest.raises(DecodeError):
        decode(bytes.fromhex(encoded))


def test_nesting_is_limited() -> None:
    value: Any = None
    for _ in range(40):
        value = [value]
    with pytest.raises(DecodeError, match="nested"):
        decode(encode(value))
