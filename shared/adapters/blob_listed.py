"""Listed users on their way into a snapshot: sorted, told apart, and written as they came.

All of them by one voucher, for the same reason: of two rows with the same id the later one counts
(`shared.planning.merging.again`), so none has to be decoded.
"""

from collections.abc import Sequence
from itertools import chain, compress, islice
from operator import eq

from shared.adapters.tables import Segment
from shared.adapters.tables_ranges import Rows, merging
from shared.adapters.tables_rows import FOR_GOOD, GONE, spoken
from shared.adapters.tables_write import TableWriter
from shared.model.listed import Counts, ListedUsers, counts_of, ids_of


class Listed:
    """Pages of one voucher, in the order in which they were read."""

    def __init__(self) -> None:
        self.size = 0  # bytes
        self._rows = 0
        self._pages: list[list[bytes]] = []
        self._counts = Counts()

    def __len__(self) -> int:
        return self._rows

    def add(self, found: ListedUsers) -> None:
        self.size += found.size
        self._rows += len(found)
        self._counts += found.counts
        self._pages.append(found.lines)

    def rows(self) -> dict[str, bytes]:
        """By id."""
        return by_id(self._pages)

    def in_order(self) -> tuple[list[bytes], Counts]:
        """Each once; and how many there are."""
        return in_order(self._pages, self._counts)


def by_id(pages: Sequence[Sequence[bytes]]) -> dict[str, bytes]:
    rows = list(chain.from_iterable(pages))
    return dict(zip(map(bytes.decode, ids_of(rows)), rows, strict=True))


def in_order(pages: Sequence[Sequence[bytes]], counts: Counts) -> tuple[list[bytes], Counts]:
    """The rows of *pages*, of which there are *counts*, by id and each once: the later one."""
    rows = sorted(chain.from_iterable(pages))
    ids = list(ids_of(rows))
    if not any(map(eq, ids, islice(ids, 1, None))):
        return rows, counts
    once = sorted(by_id(pages).values())
    return once, counts + counts_of(once) - counts_of(rows)


async def merge(runs: Sequence[Rows], by: str, counts: Counts, into: TableWriter) -> Counts:
    """Write what several *runs* have, oldest first; answers how many users there are.

    They are those that *by* has listed; others say something of them and vouch for nobody.
    """
    async for taken in merging(runs):
        pages: list[Sequence[bytes]] = []
        others: list[list[Segment]] = []
        for segment in chain.from_iterable(taken):
            if segment.by:
                pages.append(segment.rows)
            else:
                users, rest = _parted(segment, by)
                pages.append(users)
                others.append([rest])
        rows, counts = in_order(pages, counts)
        said = spoken("accounts", others)
        keys = sorted(key for key, row in said.items() if row not in (GONE, FOR_GOOD))
        rest = Segment(keys, list(map(said.__getitem__, keys)))
        await into.add_listed(Segment([], rows, by), sum(map(len, rows)), rest)
    return counts


def _parted(segment: Segment, by: str) -> tuple[list[bytes], Segment]:
    """The listed users among rows that others say something of, too; and what these say."""
    mine = [key.partition("\t")[2] == by for key in segment.keys]
    users = list(compress(segment.rows, mine))
    rest = [at for at, is_mine in enumerate(mine) if not is_mine]
    keys, rows = segment.keys, segment.rows
    return users, Segment([keys[at] for at in rest], [rows[at] for at in rest])
