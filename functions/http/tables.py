"""Rows as CSV that a spreadsheet opens without running anything in it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

RUN = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings of what a spreadsheet takes for a formula."""


def table(columns: Mapping[str, str] | Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """CSV with these columns: names of members, or titles with the member that each shows."""
    members = columns if isinstance(columns, Mapping) else {name: name for name in columns}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(members)
    for row in rows:
        writer.writerow([cell(row.get(member)) for member in members.values()])
    return text.getvalue()


def cell(value: object) -> str:
    """Users choose their own display names: a formula in one must not run."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    written = str(value)
    return f"'{written}" if written.startswith(RUN) else written
