"""Rows of a snapshot: a page of them, and tables that are safe to open."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from functions.http import answers

T = TypeVar("T")

PAGE = {"json": 100, "csv": 50_000, "ndjson": 50_000}
"""Rows of an answer unless the caller limits it: pages for programs, files for people."""

LONGEST = {"json": 1000, "csv": 50_000, "ndjson": 50_000}


async def page(
    rows: AsyncIterator[T], wanted: Callable[[T], bool], after: str, limit: int, what: str
) -> tuple[list[T], bool]:
    """Up to *limit* rows behind the one with the id *after*, and whether there are more."""
    found: list[T] = []
    reached = not after
    async for row in rows:
        if not reached:
            reached = getattr(row, "id") == after  # noqa: B009 - rows have it, T says no more
        elif wanted(row):
            if len(found) == limit:
                return found, True
            found.append(row)
    if not reached:
        message = f"the {what} that the page follows is not in the latest discovery"
        hint = "a newer discovery replaced it; start again without after"
        raise answers.fault(409, "PAGE_GONE", message, hint, field="after")
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
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode() if value else ""
    written = str(value)
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def lines(rows: Iterable[Any]) -> str:
    return msgspec.json.Encoder().encode_lines(list(rows)).decode()
