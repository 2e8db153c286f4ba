"""What is found in the tenant, and where it is kept."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

from shared.model.accounts import Account, Origin, Summary
from shared.model.entities import Change, Entity, Findings, Link, Page, Reading, Row
from shared.model.imports import (
    AccessPolicy,
    GroupLine,
    ImportRequest,
    ImportRow,
    ImportSummary,
    UserStore,
)
from shared.model.scan import Held, Losses, Progress, Removals
from shared.planning.snapshots import Latest, Position


class AccountReader(Protocol):
    """Reads accounts of the tenant, page by page."""

    async def resolve_groups(self, names: Sequence[str]) -> dict[str, list[Origin]]:
        """Groups for each name or id; an ambiguous name has several."""

    async def all_groups(self) -> list[Origin]: ...
    async def resolve_roles(self, names: Sequence[str]) -> dict[str, list[Origin]]: ...
    async def all_roles(self) -> list[Origin]: ...
    def member_pages(self, group: Origin, link: str = "") -> AsyncIterator[Page]:
        """Users in a group, directly or through nested groups; *link* is a page's `next_link`.

        The rows' origins say through which groups. Raises `NeedsHuman` as `EntityReader.pages`
        does, and with code ``SOURCE_GONE`` when there is no such group.
        """

    def holder_pages(
        self, role: Origin, link: str = "", *, eligible: bool = False
    ) -> AsyncIterator[Page]:
        """Users who hold a role, or who may activate it, directly or through groups."""

    async def unit_names(self) -> dict[str, str]:
        """Names of the administrative units, by id."""


class EntityReader(Protocol):
    """Whole kinds of directory objects, or what has changed of them."""

    def pages(self, wanted: Reading, link: str = "") -> AsyncIterator[Page]:
        """Everything without a *link*; else from where that link, of an earlier page, stands.

        A `delta_link` reads what is new since it was given, a `next_link` goes on with the
        reading that it comes from. Items may repeat and come in any order. The reading is whole
        when a page without `next_link` has come, and not before.

        Raises `TryLater` when Graph is throttling or not available: go on from the same link.
        Raises `NeedsHuman` with code ``PAGE_TOKEN_EXPIRED`` when a `next_link` is no longer good:
        start this source again. With ``DELTA_EXPIRED`` when a delta link is not: read everything.
        With ``NOT_LICENSED`` or ``AUTOMATION_PRIVILEGE`` when the tenant or the automation may not
        read it.
        """


class Staging(Protocol):
    """What one attempt at a run reads; rows that follow the last checkpoint die with it.

    Of two attempts at the same run one gets no further: a checkpoint raises `TryLater` with code
    ``SNAPSHOT_CONFLICT`` when it does not follow the one that this attempt began with.
    """

    @property
    def progress(self) -> Progress | None:
        """The last checkpoint; None when there was none."""

    async def stage(self, source_key: str, found: Findings) -> None:
        """Add a page of a source.

        The same row twice is one row, and the later one counts. Memory is bounded: what has been
        buffered is written from time to time, and counts from the next checkpoint on.
        """

    async def restart(self, source_key: str) -> None:
        """What was staged of a source so far counts no more: it is read from its start again."""

    async def checkpoint(self, progress: Progress) -> None:
        """Make what was staged durable, and with it how far the run is."""


class AccountStore(Protocol):
    """Snapshots and summaries of discovery; a snapshot becomes visible as a whole."""

    async def progress(self, connection: str, operation: str) -> Progress | None:
        """How far a run was at its last checkpoint."""

    async def staging(self, connection: str, operation: str) -> Staging:
        """Where an attempt at a run puts what it reads, from the last checkpoint on."""

    async def losses(self, connection: str, operation: str) -> Losses:
        """What publishing the last checkpoint would take away; nothing becomes visible."""

    async def publish(self, summary: Summary, *, removals: Removals) -> Summary:
        """A snapshot of the one before and what its operation staged until the last checkpoint.

        By the rules of `shared.planning.merging`. Rows, changes and cookies become visible in
        one write; the answer has all counts. Safe to repeat: an operation makes one snapshot.
        With *removals* ``hold`` nothing is taken away: what would go is parked until `release`,
        or until a later run finds it again.
        """

    async def discard(self, connection: str, operation: str) -> None:
        """Drop what a run has staged; safe to repeat."""

    async def held(self, connection: str) -> Held | None:
        """Removals that wait for a person's word."""

    def held_rows(self, connection: str) -> AsyncIterator[Row]:
        """The rows that they would take away, or that a source no longer names."""

    async def release(self, connection: str, *, approve: bool, now: datetime) -> Summary | None:
        """Take the parked rows away, or let them stay until a run decides anew: the next one, which
        reads everything, as no link to go on from is left.

        The counts of the snapshot that this makes; None when nothing is held.
        """

    async def note(self, summary: Summary) -> None:
        """Store a summary without accounts: a run that is going on, or failed."""

    async def summaries(self, connection: str) -> list[Summary]:
        """The latest fifty, newest first."""

    async def recent(self, connection: str, operation: str) -> list[Summary]:
        """Newest first, back to the latest with a snapshot that *operation* has not made.

        However many have failed since. Of a connection without a snapshot, only a few.
        """

    def accounts(self, connection: str, after: str = "") -> AsyncIterator[Account]:
        """The accounts of the latest finished snapshot by id, from behind the id *after* on."""

    async def account(self, connection: str, id_: str) -> Account | None: ...
    def entities(self, connection: str, after: str = "") -> AsyncIterator[Entity]:
        """Its groups, directory roles and service principals by id."""

    async def entity(self, connection: str, id_: str) -> Entity | None: ...
    def links(self, connection: str, after: str = "") -> AsyncIterator[Link]:
        """Its links by their ids."""

    def links_of(self, connection: str, kind: str, source: str) -> AsyncIterator[Link]:
        """The members or owners of one object."""

    def links_to(self, connection: str, target: str) -> AsyncIterator[Link]:
        """What one object is a member or an owner of."""

    async def cookies(self, connection: str) -> dict[str, str]:
        """From where each kind is read on, by the reading's key."""

    async def latest(self, connection: str) -> Latest | None:
        """What readers see: none before the first snapshot is published."""

    async def position(self, connection: str) -> Position:
        """The end of its changes."""

    def changes(self, connection: str, after: Position) -> AsyncIterator[tuple[Position, Change]]:
        """Changes with their places; LookupError when those after *after* are not known."""

    def made_by(self, connection: str, operation: str) -> AsyncIterator[tuple[Position, Change]]:
        """The changes of the latest snapshot, none unless this operation has made it."""


class DirectoryReader(Protocol):
    """Reads what an import into a product needs to know of the tenant."""

    async def users_called(self, name: str) -> list[Account]:
        """Users whose id, principal name, mail or display name is *name*."""

    async def groups_called(self, name: str) -> list[Origin]:
        """Groups whose id or display name is *name*."""

    def users_in(self, group: Origin) -> AsyncIterator[list[Account]]:
        """Users directly in a group, page by page."""

    async def groups_in(self, group: Origin) -> list[Origin]:
        """Groups directly in a group."""

    def everyone(self) -> AsyncIterator[list[Account]]:
        """All users of the tenant, page by page."""

    async def existing(self, ids: Sequence[str]) -> frozenset[str]:
        """Those of the users that the tenant still has."""

    async def mfa_registered(self) -> frozenset[str]:
        """Ids of users who have registered a method for multi-factor authentication."""

    async def verified_domains(self) -> tuple[str, ...]: ...
    async def policies(self) -> list[AccessPolicy]:
        """Conditional Access policies; they are read and never changed."""

    async def group_lines(
        self, prefix: str, after: str, limit: int
    ) -> tuple[list[GroupLine], bool]:
        """Groups by name, behind the one with the id *after*, and whether there are more."""


class ImportStore(Protocol):
    """A product's users, and the imports that made them; a change becomes visible as a whole."""

    async def keep(self, connection: str, operation: str, request: ImportRequest) -> None:
        """Store what an operation is to import, before it is started."""

    async def request(self, connection: str, operation: str) -> ImportRequest | None: ...
    async def load(self, connection: str) -> tuple[UserStore, str]:
        """The product's users, and the tag that a change of them must name."""

    async def save(
        self,
        connection: str,
        store: UserStore,
        tag: str,
        summary: ImportSummary | None = None,
        rows: Sequence[ImportRow] = (),
    ) -> None:
        """Replace the users, with the import that did it if one did.

        Raises `TryLater` with code ``CONFIG_CONFLICT`` when they are not those of *tag* any more.
        """

    async def note(self, summary: ImportSummary) -> None:
        """Store the summary of an import that is going on, or failed."""

    async def summaries(self, connection: str) -> list[ImportSummary]:
        """Newest first."""

    def rows(self, connection: str, operation: str) -> AsyncIterator[ImportRow]:
        """The lines of a finished import, in order."""
