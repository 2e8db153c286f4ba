"""Users as the directory's own list writes them: kept as they came, decoded when asked for.

Of a large tenant's scan most rows are only sorted, compared and stored. So a page of the list is
checked as a whole, and cut into its rows without making an object of each.

Source: Graph v1.0 "List users".
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any, overload

import msgspec

from shared.model.accounts import Account, Origin

EVERYBODY = (Origin(kind="tenant", id="users", name="All users"),)
"""Why whoever is in the list is in scope."""

NOTHING: dict[str, Any] = {}
"""Attributes of whoever has none; shared, as rows are never changed."""

ID = 36
"""Letters of an id; the directory's ids are GUIDs."""

FIRST, BETWEEN, LAST = b'"value":[{"id":"', b'},{"id":"', b"}]"


class UserRow(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """Not for the garbage collector: a row holds nothing that could hold it."""

    id: str
    user_principal_name: str | None = None
    display_name: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    mail: str | None = None
    on_premises_sync_enabled: bool | None = None

    def value(self, origins: tuple[Origin, ...], *, eligible: bool = False) -> Account:
        return accounts((self,), origins, eligible=eligible)[0]


class _Plain(UserRow, frozen=True, gc=False, forbid_unknown_fields=True):
    """A user of whom nothing else was selected."""


FIELDS = frozenset(field.encode_name for field in msgspec.structs.fields(UserRow))
"""What every user's row has, by Graph's names."""


def accounts(
    rows: Iterable[UserRow],
    origins: tuple[Origin, ...],
    chosen: Callable[[Any], dict[str, Any]] | None = None,
    *,
    eligible: bool = False,
) -> list[Account]:
    """Accounts of *rows*; *chosen* makes their attributes. One expression without calls: fast."""
    return [
        Account(
            id=row.id,
            user_principal_name=row.user_principal_name or "",
            display_name=row.display_name or "",
            enabled=row.account_enabled is not False,
            guest=row.user_type == "Guest" or (row.user_type is None and _is_marked(row)),
            mail=row.mail or "",
            origins=origins,
            eligible=eligible,
            attributes=chosen(row) if chosen else NOTHING,
            synced=row.on_premises_sync_enabled is True,
        )
        for row in rows
    ]


class Counts(msgspec.Struct, frozen=True):
    """How many users there are among some rows, and of which kinds."""

    accounts: int = 0
    guests: int = 0
    disabled: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.accounts + other.accounts,
            self.guests + other.guests,
            self.disabled + other.disabled,
        )

    def __sub__(self, other: "Counts") -> "Counts":
        return self + Counts(-other.accounts, -other.guests, -other.disabled)


class ListedUsers(Sequence[Account]):
    """The users of a page, each as its text: from behind the opening ``{"id":"`` to its end."""

    __slots__ = ("counts", "lines", "size")

    def __init__(self, lines: list[bytes], size: int, counts: Counts) -> None:
        self.lines, self.counts = lines, counts
        self.size = size
        """Bytes of all of them."""

    def __len__(self) -> int:
        return len(self.lines)

    def __iter__(self) -> Iterator[Account]:
        return map(account_of, self.lines)

    @overload
    def __getitem__(self, at: int) -> Account: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Account]: ...
    def __getitem__(self, at: int | slice) -> Account | Sequence[Account]:
        if isinstance(at, slice):
            return [account_of(line) for line in self.lines[at]]
        return account_of(self.lines[at])


def listed(page: bytes, rows: Sequence[UserRow]) -> ListedUsers | None:
    """The rows of *page* as they came, of which *rows* were decoded; None when it is no such page.

    What rows are parted by cannot be part of a text, as quotes in there have a backslash. Nor does
    any brace stand in a row, so none opens an object within it. And each row begins with its id,
    as the comparison with what was decoded shows.
    """
    start, end = page.find(FIRST), page.rfind(LAST)
    if start < 0 or end < start:
        return None
    text = page[start + len(FIRST) : end]
    lines = text.split(BETWEEN)
    ids = "".join([row.id for row in rows])
    if len(lines) != len(rows) or len(ids) != ID * len(rows):
        return None
    if b"".join(ids_of(lines)) != ids.encode():
        return None
    rest = b"".join(lines)
    if b"{" in rest or b"}" in rest or b"\n" in rest:
        return None
    return ListedUsers(lines, len(text), _counts(rows))


def ids_of(lines: Iterable[bytes]) -> "map[bytes]":
    return map(_id, lines)


def account_of(line: bytes) -> Account:
    """The user of one row as it came; what else was selected of it are its attributes."""
    text = b'{"id":"%b}' % line
    try:
        row: UserRow = _plain.decode(text)
    except msgspec.ValidationError:
        row, more = _rows.decode(text), _everything.decode(text)
        attributes = {
            name: value
            for name, value in more.items()
            if name not in FIELDS and "@" not in name and value is not None and value != []
        }
        return accounts((row,), EVERYBODY, lambda _: attributes)[0]
    return accounts((row,), EVERYBODY)[0]


def counts_of(lines: Sequence[bytes]) -> Counts:
    """Of rows as they came."""
    text = b'}\n{"id":"'.join(lines)
    return _counts(_rows.decode_lines(b'{"id":"%b}' % text) if lines else [])


def _counts(rows: Sequence[UserRow]) -> Counts:
    types = [row.user_type for row in rows]
    guests = types.count("Guest")
    if None in types:
        guests += sum(_is_marked(row) for row in rows)
    return Counts(len(rows), guests, [row.account_enabled for row in rows].count(False))


def _is_marked(row: UserRow) -> bool:
    """Users from before 2014 have no type; the mark in the name is then all there is."""
    return row.user_type is None and "#EXT#" in (row.user_principal_name or "")


_id = itemgetter(slice(ID))
_plain = msgspec.json.Decoder(_Plain)
_rows = msgspec.json.Decoder(UserRow)
_everything = msgspec.json.Decoder(dict[str, Any])
