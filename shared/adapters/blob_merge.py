"""Merges one part of a snapshot with what was staged of it, a range of keys at a time.

Rows that are as they were are compared as bytes and never decoded; the rule for the others is
`shared.planning.merging`.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from shared.adapters.tables_ranges import Rows, merging
from shared.adapters.tables_rows import (
    ANYBODY,
    FOR_GOOD,
    GONE,
    Lines,
    decoding,
    is_gone,
    latest,
    spoken,
    target_key,
)
from shared.adapters.tables_write import TableWriter
from shared.model.accounts import Account
from shared.model.entities import Row
from shared.model.scan import CHOSEN, Removals, family
from shared.planning.counting import Count
from shared.planning.merging import Coverage, Losing, Settled, joined, settle


class Sink(Protocol):
    """Takes rows that come in any order."""

    async def add(self, lines: Lines) -> None: ...


@dataclass(frozen=True)
class Rules:
    """How a run changes a part."""

    coverage: Coverage
    removals: Removals
    stale: tuple[frozenset[str], frozenset[str]]  # vouchers that are unread, before and after
    parted: frozenset[str] | set[str] = frozenset()  # objects that are no more, nor links to them

    def shifts(self, vouchers: Collection[str]) -> bool:
        """Whether one of several is stale now and was not before, or the other way round."""
        before, after = self.stale
        several = len(vouchers) > 1 or any(by.endswith(CHOSEN) for by in vouchers)
        return several and not {family(by) for by in before ^ after}.isdisjoint(vouchers)

    def lets_stay(self, voucher: str) -> bool:
        """Whether rows that it vouched for may outlast the run, though it names none."""
        coverage = self.coverage
        kept = coverage.keeps(voucher) or voucher in map(family, coverage.unread)
        return kept or self.removals == "hold" or bool(coverage.gaps)


@dataclass
class Outcome:
    """What a merge finds; without writers it is only counted."""

    count: Count
    losing: Losing = field(default_factory=Losing)  # what went
    waiting: Losing = field(default_factory=Losing)  # what is parked
    parted: set[str] = field(default_factory=set)
    rows: TableWriter | None = None
    parked: TableWriter | None = None
    changes: TableWriter | None = None
    targets: Sink | None = None
    weighed: bool = False  # chosen sources are weighed one by one


@dataclass
class Found:
    """The outcome of one range, before it is written."""

    rows: Lines = field(default_factory=dict)
    parked: list[str] = field(default_factory=list)
    changes: list[tuple[str, bytes]] = field(default_factory=list)
    targets: Lines = field(default_factory=dict)


class PartMerge:
    """One part: what was known, what is said now, and the keys that wait for a person."""

    def __init__(self, part: str, rules: Rules, into: Outcome) -> None:
        self._part, self._rules, self._into = part, rules, into
        self._decode = decoding(part)
        self._encoder = msgspec.json.Encoder()

    async def run(
        self, known: Sequence[Rows], said: Sequence[Rows], parked: Sequence[Rows]
    ) -> None:
        async for taken in merging([*known, *said, *parked]):
            before = latest(taken[: len(known)])
            now = spoken(self._part, taken[len(known) : len(known) + len(said)])
            held = {
                key for found in taken[len(known) + len(said) :] for s in found for key in s.keys
            }
            await self._write(self._merged(before, now, held))

    def _merged(self, before: Lines, now: Lines, held: set[str]) -> Found:
        found = Found()
        if self._into.weighed:
            self._into.losing.known(before)
        touched = self._touched(before, now, held)
        found.parked = [key for key in held if key.partition("\t")[0] not in touched]
        of_before, of_now = _by_id(before, touched), _by_id(now, touched)
        of_held = _by_id(dict.fromkeys(held, b""), touched)
        for id_ in sorted(touched):
            said = of_now.get(id_, {})
            self._settle(id_, of_before.get(id_, {}), said, frozenset(of_held.get(id_, ())), found)
        return found

    def _touched(self, before: Lines, now: Lines, held: set[str]) -> set[str]:
        """Ids of which somebody says something new, or nothing where that means something."""
        new = {key for key, row in now.items() if before.get(key) != row}
        new |= {
            key
            for key in before.keys() - now.keys()
            if not self._rules.coverage.keeps(key.partition("\t")[2])
        }
        new |= {key for key in held if key in now}
        ids = {key.partition("\t")[0] for key in new}
        if self._part == "accounts" and self._rules.stale[0] != self._rules.stale[1]:
            times = Counter(key.partition("\t")[0] for key in before)
            ids |= {id_ for id_, vouchers in times.items() if vouchers > 1}
        return ids

    def _settle(
        self, id_: str, before: Lines, said: Lines, held: frozenset[str], found: Found
    ) -> None:
        now = self._settled(id_, before, said, held)
        old, new = self._joined(before, 0), self._joined(now.after, 1)
        self._into.losing.lost(old, new, now.lost)
        for waiting, rows, sign in ((held, before, -1), (now.held, now.after, 1)):
            if waiting:
                rest = {by: row for by, row in rows.items() if by not in waiting}
                row = self._joined(rows, 0)
                self._into.waiting.lost(row, self._joined(rest, 0), waiting, sign)
        for by in sorted(before.keys() | now.after.keys()):
            line = now.after.get(by)
            if line != before.get(by):
                found.rows[f"{id_}\t{by}"] = line or GONE
        found.parked += [f"{id_}\t{by}" for by in now.held]
        if new is None and isinstance(old, Account):
            self._into.count.for_good += FOR_GOOD in said.values()
        if self._part != "links" and new is None:
            unread = self._rules.coverage.unread
            if old is not None or is_gone(self._part, said, unread):
                self._into.parted.add(id_)
        self._tell(id_, old, new, found)

    def _settled(
        self, id_: str, before: Lines, said: Lines, held: frozenset[str]
    ) -> Settled[bytes]:
        coverage = self._rules.coverage
        if self._part == "links":
            source, _, target, *_ = id_.split("/")
            if ANYBODY in said or not self._rules.parted.isdisjoint((source, target)):
                return Settled(after={}, lost=frozenset(before), held=frozenset())
            coverage = coverage.at(source)
        staged = {by: None if row in (GONE, FOR_GOOD) else row for by, row in said.items()}
        return settle(before, staged, coverage, removals=self._rules.removals, held=held)

    def _tell(self, id_: str, old: Row | None, new: Row | None, found: Found) -> None:
        if self._part == "links" and (old is None) != (new is None):
            found.targets[target_key(id_)] = GONE if new is None else b""
        change = self._into.count.differ(old, new)
        if change is not None:
            found.changes.append((f"{change.kind}\t{change.id}", self._encoder.encode(change)))

    def _joined(self, rows: Mapping[str, bytes], when: int) -> Row | None:
        said = {by: self._decode(row) for by, row in rows.items()}
        return joined(said, self._rules.stale[when])

    async def _write(self, found: Found) -> None:
        into = self._into
        if into.rows is not None:
            await into.rows.add(list(found.rows), list(found.rows.values()))
        if into.parked is not None:
            await into.parked.add(sorted(found.parked), [GONE] * len(found.parked))
        if into.changes is not None:
            await into.changes.add(
                [key for key, _ in found.changes], [row for _, row in found.changes]
            )
        if into.targets is not None:
            await into.targets.add(found.targets)


def _by_id(lines: Mapping[str, bytes], ids: set[str]) -> dict[str, Lines]:
    found: dict[str, Lines] = {}
    if not ids:
        return found
    for key, row in lines.items():
        id_, _, by = key.partition("\t")
        if id_ in ids:
            found.setdefault(id_, {})[by] = row
    return found
