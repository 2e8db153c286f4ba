"""Rows of a snapshot: a page of them, and tables that are safe to open."""

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
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


def table(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def cell(value: object) -> str:
    """Text that a spreadsheet does not run: users choose their own display names."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode() if value else ""
    written = str(value)
    return f"'{written}" if written.startswith(("=", "+", "-", "@", "\t", "\r")) else written


def lines(rows: Iterable[Any]) -> str:
    return msgspec.json.Encoder().encode_lines(list(rows)).decode()
