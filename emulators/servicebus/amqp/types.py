"""Python types that keep the AMQP type of a value, so that it can be echoed unchanged.

Plain ``int`` stands for AMQP int, ``float`` for double, ``str`` for string, ``bytes`` for binary,
``UUID`` for uuid, ``list`` for list and ``dict`` for map.
"""

from typing import Any, NamedTuple


class Symbol(str):
    """ASCII name from a constrained domain."""

    __slots__ = ()


class Char(str):
    """A single Unicode character."""

    __slots__ = ()


class Timestamp(int):
    """Milliseconds since 1970."""


class UByte(int):
    """Unsigned, 8 bits."""


class UShort(int):
    """Unsigned, 16 bits."""


class UInt(int):
    """Unsigned, 32 bits."""


class ULong(int):
    """Unsigned, 64 bits."""


class Byte(int):
    """Signed, 8 bits."""


class Short(int):
    """Signed, 16 bits."""


class Long(int):
    """Signed, 64 bits."""


class Float32(float):
    """IEEE 754 binary32."""

    __slots__ = ()


class Decimal(bytes):
    """A decimal32, decimal64 or decimal128, kept as its raw 4, 8 or 16 bytes."""

    __slots__ = ()


class Raw(bytes):
    """An already encoded value, written as it is."""

    __slots__ = ()


class Array(list[Any]):
    """Values of one type; *code* is the constructor they are written with."""

    def __init__(self, code: int, items: list[Any]) -> None:
        super().__init__(items)
        self.code = code


class Described(NamedTuple):
    """A value with a descriptor."""

    descriptor: Any
    value: Any
