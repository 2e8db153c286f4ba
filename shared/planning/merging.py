"""What was staged, merged with the snapshot before: a pure rule for each row.

A row is vouched for by the sources that named it, and the store keeps what each of them said of
it. It goes only when every one of them was read completely in this run and names it no more, or
says that it is gone; what an unread source said stays as it was (discovery: completeness per
source). So neither a failed source nor a half-read one ever removes a row.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from msgspec import structs

from shared.model.accounts import Account
from shared.model.entities import Link, Row
from shared.model.scan import CHOSEN, Losses, Progress, Removals
from shared.planning.accounts import STALE, is_vouched, merged

T = TypeVar("T")
"""A row, or the bytes of its line."""


@dataclass(frozen=True)
class Coverage:
    """How the sources of a run were read, by voucher; what is named nowhere is read no longer."""

    whole: frozenset[str]  # in full, to the end
    changes: frozenset[str]  # what is new, to the end
    unread: frozenset[str]  # failed, or not to the end
    gaps: Mapping[str, frozenset[str]]  # object: vouchers that could not read its links
    alone: bool = False  # what is named nowhere is let alone

    @classmethod
    def of(cls, progress: Progress, gaps: Mapping[str, frozenset[str]]) -> "Coverage":
        done = [source for source in progress.sources if source.state == "complete"]
        return cls(
            whole=frozenset(source.voucher for source in done if source.full),
            changes=frozenset(source.voucher for source in done if not source.full),
            unread=frozenset(
                source.voucher for source in progress.sources if source.state != "complete"
            ),
            gaps=gaps,
        )

    def at(self, source: str) -> "Coverage":
        """The same, for the links of one object."""
        unread = self.gaps.get(source)
        return replace(self, unread=self.unread | unread) if unread else self

    def keeps(self, voucher: str) -> bool:
        """Whether silence about a row means that nothing has changed."""
        return self.alone or voucher in self.changes or voucher in self.unread


@dataclass(frozen=True)
class Settled(Generic[T]):
    """What becomes of one key, by voucher."""

    after: dict[str, T]
    lost: frozenset[str]  # vouchers that said something of it and do not any more
    held: frozenset[str]  # vouchers in *after* whose removal waits for a person


def settle(
    before: Mapping[str, T],
    staged: Mapping[str, T | None],
    coverage: Coverage,
    *,
    removals: Removals = "apply",
    held: Collection[str] = (),
) -> Settled[T]:
    """The row of one key after a run; None in *staged* says that it is gone.

    *held* are the vouchers whose removal an earlier run parked: a run that reads them again
    decides anew, another one leaves them parked.
    """
    after: dict[str, T] = {}
    lost: set[str] = set()
    for voucher, row in before.items():
        said = staged.get(voucher) if voucher in staged else row
        if said is not None and (voucher in staged or coverage.keeps(voucher)):
            after[voucher] = said
        elif voucher in coverage.unread:
            after[voucher] = row  # even one that is said to be gone: that is said again
        else:
            lost.add(voucher)
    after |= {voucher: said for voucher, said in staged.items() if said is not None}
    parked = {v for v in held if v in after and v not in staged and coverage.keeps(v)}
    if removals == "hold":
        after |= {voucher: before[voucher] for voucher in lost}
        return Settled(after=after, lost=frozenset(), held=frozenset(parked | lost))
    return Settled(after=after, lost=frozenset(lost), held=frozenset(parked))


class Losing:
    """Counts what a set of removals means, from what an earlier count came to."""

    def __init__(self, known: Losses | None = None) -> None:
        self.accounts = known.accounts if known else 0
        self.links = known.links if known else 0
        self.entities = dict(known.entities) if known else {}
        self.sources = dict(known.sources) if known else {}
        self.before = Counter[str]()  # rows of each chosen source

    def lost(
        self, before: Row | None, after: Row | None, vouchers: Collection[str], sign: int = 1
    ) -> None:
        """These do not name it any more; without *after* nobody does. *sign* -1 takes it back."""
        for voucher in vouchers:
            self.sources[voucher] = self.sources.get(voucher, 0) + sign
        if after is not None:
            return
        if isinstance(before, Account):
            self.accounts += sign
        elif isinstance(before, Link):
            self.links += sign
        elif before is not None:
            self.entities[before.kind] = self.entities.get(before.kind, 0) + sign

    def known(self, keys: Iterable[str]) -> None:
        """Rows as they were; a key is ``<id>\\t<voucher>``."""
        vouchers = (key.rpartition("\t")[2] for key in keys)
        self.before.update(voucher for voucher in vouchers if CHOSEN in voucher)

    def clear(self) -> None:
        self.accounts = self.links = 0
        self.entities, self.sources = {}, {}

    def losses(self) -> Losses:
        return Losses(
            accounts=self.accounts,
            entities={kind: rows for kind, rows in sorted(self.entities.items()) if rows},
            links=self.links,
            sources={by: rows for by, rows in sorted(self.sources.items()) if rows},
            before={by: self.before[by] for by in sorted(self.sources) if self.before[by]},
        )


def joined(said: Mapping[str, Row], unread: Collection[str] = ()) -> Row | None:
    """One row of what each source said; of an account, with every reason why it is in scope.

    What only sources in *unread* say is stale. None when nobody vouches for it: a report may say
    something of accounts that are not in scope.
    """
    if len(said) == 1 and not unread:
        (only,) = said.values()
        return only if _vouches(only) else None
    old = [said[voucher] for voucher in sorted(said) if voucher in unread]
    fresh = [said[voucher] for voucher in sorted(said) if voucher not in unread]
    rows = (*old, *fresh)
    accounts = [row for row in rows if isinstance(row, Account)]
    row = merged(accounts) if len(accounts) > 1 else rows[-1] if rows else None
    if not isinstance(row, Account):
        return row
    if not is_vouched(row):
        return None
    return row if any(map(_vouches, fresh)) else structs.replace(row, state=STALE)


def again(known: Row, seen: Row) -> Row:
    """What a source means that names a row twice: the later facts, and both ways to it."""
    if not (isinstance(known, Account) and isinstance(seen, Account)):
        return seen
    if known.origins == seen.origins:
        return seen
    both = merged((known, seen))
    return structs.replace(seen, origins=both.origins, eligible=both.eligible)


def key_of(row: Row) -> str:
    """Under which the store keeps a row, and in whose order; links of one object are together."""
    if isinstance(row, Link):
        return f"{row.source}/{row.kind}/{row.target}"
    return row.id


def key_of_link(id_: str) -> str:
    kind, source, target = id_.split("/", 2)
    return f"{source}/{kind}/{target}"


def _vouches(row: Row) -> bool:
    return not isinstance(row, Account) or is_vouched(row)


def next_cookies(progress: Progress, known: Mapping[str, str]) -> dict[str, str]:
    """From where each source is read on; one that was not read to its end is read again."""
    cookies = {
        source.key: source.cookie if source.state == "complete" else known.get(source.key, "")
        for source in progress.sources
    }
    return {key: cookie for key, cookie in cookies.items() if cookie}
