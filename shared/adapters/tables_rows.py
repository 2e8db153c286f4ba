"""What the rows of discovery's tables mean: a key is ``<id>\\t<voucher>``, a row is JSON.

A listed user's row is what the directory wrote, from its id on (`shared.model.listed`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from shared.adapters.tables import Segment
from shared.model.accounts import Account
from shared.model.entities import USER, Entity, Link, Row
from shared.model.listed import account_of
from shared.planning.merging import again

PARTS = ("accounts", "entities", "links")
"""Of a snapshot, in the order in which they are merged: links depend on the others."""

TYPES: dict[str, Any] = {"accounts": Account, "entities": Entity, "links": Link}

GONE, FOR_GOOD = b"null", b"false"
"""In the place of a row that is gone."""

ANYBODY = ""
"""Voucher of a tombstone that takes a row from all who vouch for it."""

Lines = dict[str, bytes]
"""Rows by key; or, of one id, by voucher."""


def latest(tables: Iterable[Iterable[Segment]], *, tombstones: bool = False) -> Lines:
    """Rows by key; of several tables the last one that has the key counts."""
    rows: Lines = {}
    for table in tables:
        for segment in table:
            rows.update(zip(segment.keys, segment.rows, strict=True))
    if tombstones or GONE not in rows.values():
        return rows
    return {key: row for key, row in rows.items() if row != GONE}


def spoken(part: str, tables: Sequence[Sequence[Segment]]) -> Lines:
    """What was staged, by key, with tombstones; of accounts, all that a source said in the run."""
    rows = latest(tables, tombstones=True)
    if part == "accounts" and len(rows) < sum(len(s.keys) for table in tables for s in table):
        rows = {}
        for table in tables:
            for segment in table:
                add_again(rows, dict(zip(segment.keys, segment.rows, strict=True)))
    return rows


def add_again(known: Lines, lines: Lines) -> None:
    """Add rows of accounts, some of which are there already."""
    for key in known.keys() & lines.keys():
        old, new = known[key], lines[key]
        if old != new and GONE not in (old, new) and FOR_GOOD not in (old, new):
            row = again(_account(old), _account(new))
            lines[key] = msgspec.json.encode(row)
    known.update(lines)


def keyed(sources: Mapping[str, Lines]) -> tuple[list[str], list[bytes]]:
    """The rows of each voucher by id, as keys and rows of a table."""
    keys: list[str] = []
    rows: list[bytes] = []
    for by, lines in sources.items():
        ids = sorted(lines)
        keys += f"\t{by}\n".join((*ids, "")).split("\n")[:-1]
        rows += map(lines.__getitem__, ids)
    if len(keys) != len(rows):
        raise ValueError("an id has a line break in it")
    if len(sources) > 1:
        both = dict(zip(keys, rows, strict=True))
        keys = sorted(both)
        rows = list(map(both.__getitem__, keys))
    return keys, rows


def ends(link: str) -> tuple[str, str]:
    """Ids of the two objects of a link, by its id or key."""
    source, _, target = link.partition("\t")[0].split("/", 2)
    return source, target


def is_gone(part: str, said: Lines, unread: Collection[str]) -> bool:
    """Whether a source tells that an object is no more, of which nobody tells anything else.

    Also of one that no snapshot has had: it came and went between two readings, and another source
    may have named it meanwhile. What a source in *unread* says is said again. Any source's
    tombstone is among the accounts, as accounts may be of any kind; there, that of users counts.
    """
    return any(
        row in (GONE, FOR_GOOD) and by not in unread and (part != "accounts" or by == USER)
        for by, row in said.items()
    )


def kinds_of(rows: Iterable[bytes]) -> dict[str, int]:
    """How many entities of each kind there are; tombstones are none."""
    there = [row for row in rows if row not in (GONE, FOR_GOOD)]
    return dict(Counter(row.kind for row in _kinds.decode_lines(b"\n".join(there))))


def target_key(link: str) -> str:
    """Key of a link in the table by target."""
    return f"{link.split('/')[2]}\t{link}"


def targets_of(keys: Iterable[str]) -> Lines:
    """The rows that links have in the table by target."""
    ids = dict.fromkeys(key.partition("\t")[0] for key in keys)
    return {target_key(id_): b"" for id_ in ids}


def decoding(part: str) -> Callable[[bytes], Row]:
    """What makes the object of a row."""
    decode: Callable[[bytes], Row] = msgspec.json.Decoder(TYPES[part]).decode
    if part != "accounts":
        return decode
    return lambda row: decode(row) if row.startswith(b"{") else account_of(row)


class _Kind(msgspec.Struct):
    kind: str


_account = decoding("accounts")
_kinds = msgspec.json.Decoder(_Kind)
