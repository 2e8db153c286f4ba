"""Sudden losses: believed only when a second scan finds the same.

An answer of 200 with too few rows has made other tools suspend whole directories; nothing in
such an answer shows that it is wrong.
"""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from shared.model.accounts import Source, Summary

DOUBTED = "MASS_REMOVAL"

LEAST, SHARE = 10, 0.5
"""A loss of at least so many accounts, and of more than this share of them, is doubted."""


def doubted(read: Sequence[Source], earlier: Iterable[Summary]) -> list[Source]:
    """Mark as failed what lost most of its accounts since it was last read; newest first.

    A loss is doubted once: the scan after it compares with what was found then.
    """
    last: dict[tuple[str, str], int] = {}
    for summary in earlier:
        for source in summary.sources:
            if source.status == "complete" or is_doubt(source):
                last.setdefault((source.kind, source.id), source.accounts)
    return [_checked(source, last.get((source.kind, source.id), 0)) for source in read]


def is_doubt(source: Source) -> bool:
    return source.reason.startswith(DOUBTED)


def _checked(source: Source, before: int) -> Source:
    lost = before - source.accounts
    if source.status != "complete" or lost < LEAST or lost <= before * SHARE:
        return source
    why = (
        f"{DOUBTED}: {source.accounts} accounts where the scan before found {before}; "
        "believed when the next scan finds the same"
    )
    return replace(source, status="failed", reason=why)
