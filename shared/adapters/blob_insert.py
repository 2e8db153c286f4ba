"""The first rows of a part of a snapshot: nothing to compare them with, so few are decoded."""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from shared.adapters.blob_merge import Outcome, Rules
from shared.adapters.tables import Segment
from shared.adapters.tables_ranges import Rows, merging
from shared.adapters.tables_rows import (
    FOR_GOOD,
    GONE,
    Lines,
    decoding,
    ends,
    is_gone,
    kinds_of,
    spoken,
    targets_of,
)
from shared.model.entities import USER
from shared.model.listed import Counts, counts_of
from shared.model.scan import CHOSEN, family
from shared.planning.counting import Count
from shared.planning.merging import joined

GUEST = b',"guest":true,"mail":'
DISABLED = b',"enabled":false,"guest":'
OTHER = b',"kind":"servicePrincipal","synced":'
FACT = b',"state":"fact","attributes":'
"""As rows of accounts are encoded; in a string, the quotes would have a backslash before them."""


class Insert:
    """Rows of a part that was empty."""

    def __init__(self, part: str, says: Mapping[str, bool], rules: Rules, into: Outcome) -> None:
        self._part, self._into = part, into
        self._unread, self._parted = rules.coverage.unread, rules.parted
        self._says = says
        # Then no id comes twice.
        self._single = sum(says.values()) <= 1 and not any(by.endswith(CHOSEN) for by in says)
        self._facts = not all(says.values())
        self._decode = decoding(part)

    async def run(self, said: Sequence[Rows]) -> None:
        async for taken in merging(said):
            keys, rows = self._taken(taken)
            self._count(keys, rows)
            if self._into.rows is not None:
                await self._into.rows.add(keys, rows)
            if self._part == "links" and self._into.targets is not None:
                await self._into.targets.add(targets_of(keys))

    def _taken(self, taken: Sequence[Sequence[Segment]]) -> tuple[list[str], list[bytes]]:
        """What is there now, in order: of one table that has no tombstones, as it comes."""
        parted = self._part == "links" and bool(self._parted)
        if len(taken) == 1 and not parted:
            there = list(chain.from_iterable(segment.rows for segment in taken[0]))
            if GONE not in there and FOR_GOOD not in there:
                return list(chain.from_iterable(segment.keys for segment in taken[0])), there
        rows = spoken(self._part, taken)
        if GONE in rows.values() or FOR_GOOD in rows.values():
            rows = self._present(rows)
        if parted:
            rows = {key: row for key, row in rows.items() if self._parted.isdisjoint(ends(key))}
        keys = sorted(rows)
        return keys, list(map(rows.__getitem__, keys))

    def _present(self, rows: Lines) -> Lines:
        """Without tombstones; links go with what came and went while it was read."""
        there = {key: row for key, row in rows.items() if row not in (GONE, FOR_GOOD)}
        if self._part != "links":
            split = (key.partition("\t") for key in there)
            ids = {id_ for id_, _, by in split if self._says.get(family(by))}
            for key in rows.keys() - there.keys():
                id_, _, by = key.partition("\t")
                if id_ not in ids and is_gone(self._part, {by: rows[key]}, self._unread):
                    self._into.parted.add(id_)
        return there

    def _count(self, keys: list[str], rows: list[bytes]) -> None:
        count = self._into.count
        if not self._single:
            ids = Counter(key.partition("\t")[0] for key in keys)
            several = {id_ for id_, times in ids.items() if times > 1}
            if several:
                rows = self._count_several(keys, rows, several)
        if self._part == "links":
            count.linked(len(rows))
        elif self._part == "entities":
            count.inserted(kinds_of(rows))
        else:
            count_accounts(count, rows, facts=self._facts)

    def _count_several(self, keys: list[str], rows: list[bytes], several: set[str]) -> list[bytes]:
        """Count the ids that come more than once; answers the rows of the others."""
        said: dict[str, dict[str, Any]] = {}
        others: list[bytes] = []
        for key, row in zip(keys, rows, strict=True):
            id_, _, by = key.partition("\t")
            if id_ in several:
                said.setdefault(id_, {})[by] = self._decode(row)
            else:
                others.append(row)
        for each in said.values():
            self._into.count.differ(None, joined(each, self._unread))
        return others


def count_accounts(count: Count, rows: Sequence[bytes], *, facts: bool) -> None:
    """By the text of the rows: decoding them takes ten times as long."""
    listed = [row for row in rows if not row.startswith(b"{")]
    if listed:
        count_listed(count, counts_of(listed))
        rows = [row for row in rows if row.startswith(b"{")]
    text = b"".join(rows)
    principals = text.count(OTHER)
    accounts = len(rows) - (text.count(FACT) if facts else 0)
    kinds = {USER: accounts - principals, "servicePrincipal": principals}
    count.inserted(
        {kind: found for kind, found in kinds.items() if found},
        accounts=accounts,
        guests=text.count(GUEST),
        disabled=text.count(DISABLED),
    )


def count_listed(count: Count, found: Counts) -> None:
    count.inserted(
        {USER: found.accounts},
        accounts=found.accounts,
        guests=found.guests,
        disabled=found.disabled,
    )
