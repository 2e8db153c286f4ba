"""Kinds of directory objects with delta queries, in memory."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from shared.errors import NeedsHuman
from shared.model.accounts import Account
from shared.model.entities import Entity, Findings, Link, Reading
from tests.fakes.faults import fallible
from tests.fakes.tenant import FakeTenant


@dataclass
class Directory:
    """Objects and links by id, and what happened to them, in order."""

    rows: dict[str, Account | Entity] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    log: list[tuple[str, Findings]] = field(default_factory=list)  # kind, what changed
    expired: set[str] = field(default_factory=set)  # kinds whose cookies are no longer good

    def put(self, row: Account | Entity) -> str:
        """Add or change an object; returns its id."""
        self.rows[row.id] = row
        self.log.append((_kind(row), Findings(rows=(row,))))
        return row.id

    def remove(self, id_: str) -> None:
        """Delete an object; its links go without a word, as with Graph."""
        row = self.rows.pop(id_)
        self.links = {k: v for k, v in self.links.items() if id_ not in (v.source, v.target)}
        self.log.append((_kind(row), Findings(gone=(id_,))))

    def link(self, kind: str, source: str, target: str) -> None:
        made = self._link(kind, source, target)
        self.links[made.id] = made
        self.log.append((made.of, Findings(rows=(self.rows[source],), links=(made,))))

    def unlink(self, kind: str, source: str, target: str) -> None:
        made = self._link(kind, source, target)
        del self.links[made.id]
        self.log.append((made.of, Findings(rows=(self.rows[source],), unlinked=(made,))))

    def _link(self, kind: str, source: str, target: str) -> Link:
        of = _kind(self.rows[source])
        return Link(
            kind=kind, of=of, source=source, target=target, target_kind=_kind(self.rows[target])
        )


class FakeEntityReader:
    """Implements ``ports.EntityReader`` over `directory`; a cookie is a place in its log."""

    def __init__(self, tenant: FakeTenant) -> None:
        self.faults = tenant.faults
        self.directory = Directory()
        self.asked: list[tuple[str, str]] = []  # kind, cookie

    async def read(self, wanted: Reading, cookie: str) -> AsyncIterator[Findings]:
        self.asked.append((wanted.kind, cookie))
        known = self.directory
        await self._page()
        if cookie and wanted.kind in known.expired:
            known.expired.discard(wanted.kind)
            raise NeedsHuman("DELTA_EXPIRED", "HTTP 410 syncStateNotFound", "Nothing.")
        end = len(known.log)
        for kind, found in known.log[int(cookie) :] if cookie else self._everything():
            if kind == wanted.kind:
                yield _selected(found, wanted)
        yield Findings(cookie=str(end) if wanted.tracked else "")

    @fallible("entity_reader.read")
    async def _page(self) -> None:
        """The call of `read` that tests can make fail."""

    def _everything(self) -> list[tuple[str, Findings]]:
        return [
            (
                _kind(row),
                Findings(
                    rows=(row,),
                    links=tuple(v for v in self.directory.links.values() if v.source == row.id),
                ),
            )
            for row in self.directory.rows.values()
        ]


def _selected(found: Findings, wanted: Reading) -> Findings:
    return Findings(
        rows=found.rows,
        gone=found.gone,
        links=tuple(link for link in found.links if link.kind in wanted.navigation),
        unlinked=tuple(link for link in found.unlinked if link.kind in wanted.navigation),
    )


def _kind(row: Account | Entity) -> str:
    return "user" if isinstance(row, Account) else row.kind
