"""Values as JSON in columns, cut in parts where one property could not hold them."""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

PART = 16_000
"""Characters in one property: at most 64,000 of the 65,536 bytes of UTF-16 that it may have."""

MOST_PARTS = 8
"""Of one value; a row may have 1 MiB in all."""

CUT = "+"
"""Starts a column whose value is in numbered columns beside it; no JSON starts so."""


def pack(name: str, value: Any) -> dict[str, str]:
    """The columns that hold *value*; raises ValueError when it is too large for a row."""
    text = msgspec.json.encode(value).decode()
    if len(text) <= PART:
        return {name: text}
    parts = [text[start : start + PART] for start in range(0, len(text), PART)]
    if len(parts) > MOST_PARTS:
        raise ValueError(
            f"{name} has {len(text)} characters; the ledger holds {PART * MOST_PARTS} at most"
        )
    return {name: f"{CUT}{len(parts)}", **{f"{name}_{n}": part for n, part in enumerate(parts)}}


def unpack(columns: dict[str, Any], name: str, type_: type[T]) -> T:
    """The value of a column that is always there."""
    text = str(columns[name])
    if text.startswith(CUT):
        text = "".join(columns[f"{name}_{n}"] for n in range(int(text[len(CUT) :])))
    return msgspec.json.decode(text, type=type_)


def unpack_or(columns: dict[str, Any], name: str, type_: type[T], default: T) -> T:
    return unpack(columns, name, type_) if name in columns else default


def stamp(at: datetime) -> str:
    """A time whose text sorts as the time does."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
