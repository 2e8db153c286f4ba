"""Rows of accounts: merged from several sources, kept when one fails, compared."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec.structs import replace

from shared.model.accounts import Account, Origin, Source, Summary

STALE = "stale"
"""State of an account whose source could not be read this time: last known facts."""

ELIGIBLE = "eligible"
"""`Origin.via` of a role that is only eligible through PIM."""

Row = TypeVar("Row")


def merged(known: Account | None, seen: Account) -> Account:
    """One row an account, with every reason why it is in scope (D-30)."""
    if known is None:
        return replace(seen, origins=_ordered(seen.origins))
    return replace(
        seen,
        origins=_ordered((*known.origins, *seen.origins)),
        eligible=known.eligible and seen.eligible,
    )


def kept(before: Account, seen: Account | None, failed: Iterable[Source]) -> Account | None:
    """The account with what an unread source said of it last time; None when it said nothing.

    Nothing disappears because a source could not be read: an account goes only when every
    source that vouched for it was read whole and no longer names it.
    """
    unread = {(source.kind, source.id) for source in failed}
    vouched = tuple(origin for origin in before.origins if (origin.kind, origin.id) in unread)
    if not vouched:
        return None
    if seen is None:
        return replace(before, origins=vouched, eligible=_only_eligible(vouched), state=STALE)
    return replace(
        seen,
        origins=_ordered((*vouched, *seen.origins)),
        eligible=seen.eligible and _only_eligible(vouched),
    )


def closed(summary: Summary, read: Sequence[Source], now: datetime) -> Summary:
    """The summary of a run that is over, but for the counts of its snapshot."""
    full = [source for source in read if source.read == "full"]
    return replace(
        summary,
        state="partial" if any(source.status == "failed" for source in read) else "succeeded",
        finished=now,
        sources=tuple(read),
        read="full" if full or not read else "changes",
    )


def facts(row: Row) -> Row:
    """What counts as a change: of an account neither our state, nor that a group was renamed."""
    if not isinstance(row, Account):
        return row
    ways = {(origin.kind, origin.id, origin.via): origin for origin in row.origins}
    origins = tuple(replace(ways[way], name="") for way in sorted(ways))
    return replace(row, origins=origins, state="")


def _only_eligible(origins: Iterable[Origin]) -> bool:
    return all(origin.via == ELIGIBLE for origin in origins)


def _ordered(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    once = {(origin.kind, origin.id, origin.via): origin for origin in origins}
    return tuple(once[way] for way in sorted(once))
