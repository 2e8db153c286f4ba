"""Kinds of directory objects with delta queries, in memory."""

from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from shared.errors import NeedsHuman, StepError
from shared.model.accounts import Account, Origin
from shared.model.entities import (
    ELIGIBLE_ROLES,
    HELD_ROLES,
    KINDS,
    MEMBERSHIP,
    REGISTRATION,
    Entity,
    Findings,
    Link,
    Page,
    Reading,
    Unread,
)
from shared.planning.accounts import fact
from tests.fakes.faults import fallible
from tests.fakes.tenant import FakeTenant

HOLDS = {
    MEMBERSHIP: ("group", ("members",)),
}
"""Kind of the objects that a source lists, and their links."""


@dataclass
class Directory:
    """Objects and links by id, and what happened to them, in order."""

    rows: dict[str, Account | Entity] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    log: list[tuple[str, Findings]] = field(default_factory=list)  # kind, what changed
    expired: set[str] = field(default_factory=set)  # kinds whose cookies are no longer good
    dead: set[str] = field(default_factory=set)  # next links that are refused, once each
    refused: dict[str, StepError] = field(default_factory=dict)  # kind: why it cannot be read
    unread: dict[str, str] = field(default_factory=dict)  # group whose members fail: why
    registered: dict[str, bool] = field(default_factory=dict)  # user: whether with MFA
    held: dict[str, list[Origin]] = field(default_factory=dict)  # user: roles
    eligible: dict[str, list[Origin]] = field(default_factory=dict)

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
    """Implements ``ports.EntityReader`` over `directory`."""

    def __init__(self, tenant: FakeTenant, *, page_size: int = 2) -> None:
        self.page_size = page_size
        self.faults = tenant.faults
        self.directory = Directory()
        self.asked: list[tuple[str, str]] = []  # kind, link
        self.on_page: Callable[[str, str], None] | None = None  # told kind and link; may raise

    async def pages(self, wanted: Reading, link: str = "") -> AsyncIterator[Page]:
        """A delta link is a place in the log; a next link has besides how far the reading is."""
        self.asked.append((wanted.kind, link))
        while True:
            await self._page()
            if self.on_page is not None:
                self.on_page(wanted.kind, link)
            self._refuse(wanted, link)
            since, end, after = _parsed(link, len(self.directory.log))
            found = self._changed(wanted, since, end) if since else self._listed(wanted)
            left = [(key, one) for key, one in found if key > after]
            shown, more = left[: self.page_size], len(left) > self.page_size
            link = f"{since}:{end}:{shown[-1][0]}" if more else ""
            tracked = wanted.tracked and wanted.kind in KINDS
            yield Page(
                findings=_joined(one for _, one in shown),
                next_link=link,
                delta_link=str(end) if tracked and not (since and more) else "",
            )
            if not more:
                return

    def _refuse(self, wanted: Reading, link: str) -> None:
        known = self.directory
        if wanted.kind in known.refused:
            raise known.refused[wanted.kind]
        if link in known.dead:
            known.dead.discard(link)
            raise NeedsHuman("PAGE_TOKEN_EXPIRED", "HTTP 400 Directory_ExpiredPageToken", "None.")
        if link and wanted.kind in known.expired:
            known.expired.discard(wanted.kind)
            raise NeedsHuman("DELTA_EXPIRED", "HTTP 410 syncStateNotFound", "Nothing.")

    def _changed(self, wanted: Reading, since: str, end: int) -> list[tuple[str, Findings]]:
        log = self.directory.log[int(since) : end]
        return [
            (f"{number:09}", _selected(found, wanted))
            for number, (kind, found) in enumerate(log)
            if kind == wanted.kind
        ]

    def _listed(self, wanted: Reading) -> list[tuple[str, Findings]]:
        """In the order of ids, so that a reading goes on rightly whatever changes meanwhile."""
        known, kind = self.directory, wanted.kind
        if kind in (HELD_ROLES, ELIGIBLE_ROLES):
            roles = known.eligible if kind == ELIGIBLE_ROLES else known.held
            return [
                (id_, Findings(rows=(fact(id_, origins=tuple(origins)),)))
                for id_, origins in sorted(roles.items())
            ]
        if kind == REGISTRATION:
            return [
                (id_, Findings(rows=(fact(id_, mfa="yes" if mfa else "no"),)))
                for id_, mfa in sorted(known.registered.items())
                if id_ in known.rows
            ]
        return [(id_, self._one(id_, wanted)) for id_ in sorted(known.rows) if self._has(id_, kind)]

    def _has(self, id_: str, kind: str) -> bool:
        return _kind(self.directory.rows[id_]) == HOLDS.get(kind, (kind,))[0]

    def _one(self, id_: str, wanted: Reading) -> Findings:
        known = self.directory
        names = HOLDS[wanted.kind][1] if wanted.kind in HOLDS else wanted.navigation
        links = tuple(v for v in known.links.values() if v.source == id_ and v.kind in names)
        if wanted.kind != MEMBERSHIP:
            return Findings(rows=(known.rows[id_],), links=links)
        if id_ in known.unread:
            return Findings(unread=(Unread(id=id_, reason=known.unread[id_]),))
        return Findings(links=links)

    @fallible("entity_reader.read")
    async def _page(self) -> None:
        """The call of a page that tests can make fail."""


def _parsed(link: str, now: int) -> tuple[str, int, str]:
    """Place in the log to begin at (none: everything), the place to end at, key read last."""
    if not link:
        return "", now, ""
    since, _, rest = link.partition(":")
    end, _, after = rest.partition(":")
    return since, int(end) if rest else now, after


def _joined(several: Iterable[Findings]) -> Findings:
    """One page; of an item that it has twice, the later one counts."""
    parts = list(several)
    rows: dict[str, Account | Entity | None] = {}
    links: dict[str, tuple[Link, bool]] = {}
    for part in parts:
        rows |= {row.id: row for row in part.rows} | dict.fromkeys(part.gone)
        links |= {one.id: (one, True) for one in part.links}
        links |= {one.id: (one, False) for one in part.unlinked}
    return Findings(
        rows=tuple(row for row in rows.values() if row is not None),
        gone=tuple(id_ for id_, row in rows.items() if row is None),
        links=tuple(one for one, there in links.values() if there),
        unlinked=tuple(one for one, there in links.values() if not there),
        unread=tuple(one for part in parts for one in part.unread),
    )


def _selected(found: Findings, wanted: Reading) -> Findings:
    return Findings(
        rows=found.rows,
        gone=found.gone,
        links=tuple(link for link in found.links if link.kind in wanted.navigation),
        unlinked=tuple(link for link in found.unlinked if link.kind in wanted.navigation),
    )


def _kind(row: Account | Entity) -> str:
    return "user" if isinstance(row, Account) else row.kind
