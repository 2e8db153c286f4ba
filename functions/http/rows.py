"""Rows of a snapshot: a page of them, and tables that are safe to open."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

PAGE = {"json": 100, "csv": 50_000, "ndjson": 50_000}
"""Rows of an answer unless the caller limits it: pages for programs, files for people."""

LONGEST = {"json": 1000, "csv": 50_000, "ndjson": 50_000}


async def page(rows: AsyncIterator[T], limit: int) -> tuple[list[T], bool]:
    """Up to *limit* of the rows, and whether there are more."""
    found: list[T] = []
    async for row in rows:
        if len(found) == limit:
            return found, True
        found.append(row)
    return found, False


def table(columns: Mapping[str, str] | Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """CSV with these columns: names of members, or titles with the member that each shows."""
    members = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(members)
    writer.writerows([cell(row.get(member)) for member in members.values()] for row in rows)
    return text.getvalue()


def cell(value: object) -> str:
    """Text that a spreadsheet does not run: users choose their own display names."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list | tuple):
        return msgspec.json.encode(value).decode() if value else ""
    written = str(value)
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def lines(rows: Iterable[Any]) -> str:
    return msgspec.json.Encoder().encode_lines(list(rows)).decode()
