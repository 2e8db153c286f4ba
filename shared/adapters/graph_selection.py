"""Rows with just what one reading selects, decoded at the speed of C.

The SDK's models run over two thousand import statements for each object that they decode; a
struct that is made for one selection takes a millionth of a second. Neither these rows nor what
is made of them can be part of a cycle, so that the garbage collector leaves them alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec

from shared.adapters.graph_client import Page
from shared.adapters.graph_rows import Row
from shared.model.accounts import Account
from shared.model.entities import USER, Entity, Findings, Link, Reading
from shared.model.listed import EVERYBODY, FIELDS, NOTHING, UserRow, accounts, listed

T = TypeVar("T")

MODEL = "#microsoft.graph."
FOR_GOOD = "deleted"


class DeltaPage(Page[T], Generic[T], gc=False):
    """A page of a delta query; the last one has the link to go on from."""

    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")


class UserPage(Page[Any], gc=False):
    """A page of the list of users."""

    found: Sequence[Account] = ()


class Removed(Row, frozen=True, gc=False):
    reason: str = ""  # changed: it can be restored; deleted: it cannot


class TargetRow(Row, frozen=True, gc=False):
    """The other end of a link that a delta query tells of."""

    id: str
    type: str = msgspec.field(default="", name="@odata.type")
    removed: Removed | None = msgspec.field(default=None, name="@removed")


class PersonRow(UserRow, frozen=True, gc=False):
    removed: Removed | None = msgspec.field(default=None, name="@removed")


class ObjectRow(Row, frozen=True, gc=False):
    id: str
    display_name: str | None = None
    removed: Removed | None = msgspec.field(default=None, name="@removed")


class Selection:
    """What one reading selects: how its pages are decoded, and what they say."""

    def __init__(self, wanted: Reading) -> None:
        self._wanted = wanted
        base = PersonRow if wanted.kind == USER else ObjectRow
        fields = [*_attributes(base, wanted), *_links(wanted)]
        row = msgspec.defstruct("SelectedRow", fields, bases=(base,), frozen=True, gc=False)
        self.decoder: msgspec.json.Decoder[DeltaPage[Any]] = msgspec.json.Decoder(DeltaPage[row])  # type: ignore[valid-type] # decoded at run time
        names = {field.encode_name: field.name for field in msgspec.structs.fields(row)}
        self._plain = FIELDS.isdisjoint(wanted.attributes)  # else a field would be both
        self._chosen = _chooser([(name, names[name]) for name in wanted.attributes])

    def decode(self, data: bytes) -> UserPage:
        """A page of a plain list of users: nothing is removed, nothing repeats.

        Its rows are decoded to see that they are right, and handed on as they came.
        """
        page = self.decoder.decode(data)
        found: Sequence[Account] | None = listed(data, page.value) if self._plain else None
        if found is None:
            found = accounts(page.value, EVERYBODY, self._chosen)
        return UserPage(value=[], next_link=page.next_link, found=found)

    def changed(self, rows: Sequence[Any]) -> Findings:
        """Of a delta query: of an item that a page has twice, the later one counts."""
        found: dict[str, Any] = {row.id: row for row in rows}
        links: dict[tuple[str, str, str], TargetRow] = {}
        for number, navigation in enumerate(self._wanted.navigation):
            name = f"link{number}"
            for row in rows:
                for target in getattr(row, name):
                    links[navigation, row.id, target.id] = target
        gone = [row for row in found.values() if row.removed is not None]
        return Findings(
            rows=self._made(row for row in found.values() if row.removed is None),
            gone=tuple(row.id for row in gone),
            for_good=tuple(row.id for row in gone if row.removed.reason == FOR_GOOD),
            links=tuple(self._links(links, there=True)),
            unlinked=tuple(self._links(links, there=False)),
        )

    def _made(self, rows: Iterable[Any]) -> tuple[Account | Entity, ...]:
        if self._wanted.kind == USER:
            return tuple(accounts(rows, EVERYBODY, self._chosen))
        return tuple(
            Entity(
                kind=self._wanted.kind,
                id=row.id,
                display_name=row.display_name or "",
                attributes=self._chosen(row) if self._chosen else NOTHING,
            )
            for row in rows
        )

    def _links(
        self, found: Mapping[tuple[str, str, str], TargetRow], *, there: bool
    ) -> Iterator[Link]:
        for (kind, source, target), row in found.items():
            if (row.removed is None) == there:
                yield Link(
                    kind=kind,
                    of=self._wanted.kind,
                    source=source,
                    target=target,
                    target_kind=row.type.removeprefix(MODEL),
                )


@lru_cache(maxsize=64)
def selection(wanted: Reading) -> Selection:
    return Selection(wanted)


def _attributes(base: type[msgspec.Struct], wanted: Reading) -> list[Any]:
    known = {field.encode_name for field in msgspec.structs.fields(base)}
    return [
        (f"attribute{number}", Any, msgspec.field(name=name, default=None))
        for number, name in enumerate(wanted.attributes)
        if name not in known
    ]


def _links(wanted: Reading) -> list[Any]:
    return [
        (f"link{number}", tuple[TargetRow, ...], msgspec.field(name=f"{name}@delta", default=()))
        for number, name in enumerate(wanted.navigation)
    ]


def _chooser(names: Sequence[tuple[str, str]]) -> Callable[[Any], dict[str, Any]] | None:
    """What has a value: Graph leaves some empty ones out and answers null or [] for others."""
    if not names:
        return None
    shown = [name for name, _ in names]
    get = attrgetter(*(field for _, field in names))

    def chosen(row: Any) -> dict[str, Any]:
        values = get(row) if len(shown) > 1 else (get(row),)
        return {
            name: value
            for name, value in zip(shown, values, strict=True)
            if value is not None and value != []
        }

    return chosen
