"""Import of users and groups into a product: what is asked, what became of it, who is in there."""

from datetime import datetime
from typing import Any

import msgspec

from shared.model.connection import Value
from shared.model.schedule import ImportRequest, ImportSchedule, Option

__all__ = [
    "AccessPolicy",
    "Edge",
    "GroupLine",
    "ImportRequest",
    "ImportRow",
    "ImportSchedule",
    "ImportSummary",
    "ImportedGroup",
    "ImportedUser",
    "Membership",
    "Option",
    "UserStore",
    "Warned",
    "as_row",
    "row_fields",
]


class ImportedUser(Value, frozen=True, omit_defaults=False):
    """A user of the product; never deleted, only marked removed."""

    id: str
    user_principal_name: str  # verbatim
    display_name: str
    mail: str
    enabled: bool
    guest: bool
    role: str
    since: datetime  # of the state
    state: str = "imported"  # imported | removed
    mfa: bool = False
    synced: bool = False  # came by the schedule, which may mark it removed


class ImportedGroup(Value, frozen=True, omit_defaults=False):
    id: str
    name: str


class Edge(Value, frozen=True):
    """A group directly in a group."""

    parent: str
    child: str


class Membership(Value, frozen=True):
    """A user directly in a group."""

    group: str
    user: str


class UserStore(Value, frozen=True, omit_defaults=False):
    """The users and groups that a product got, with the group structure exactly as it was."""

    users: tuple[ImportedUser, ...] = ()
    groups: tuple[ImportedGroup, ...] = ()
    edges: tuple[Edge, ...] = ()
    memberships: tuple[Membership, ...] = ()

    def present(self) -> tuple[ImportedUser, ...]:
        return tuple(user for user in self.users if user.state == "imported")


class ImportRow(Value, frozen=True, omit_defaults=False):
    """One line of an import: a user or a name that became none, a group, or a link."""

    kind: str  # user | group | membership | edge
    state: str  # imported | failed | skipped | duplicate | removed
    id: str = ""
    user_principal_name: str = ""
    display_name: str = ""
    mail: str = ""
    enabled: bool | None = None
    guest: bool | None = None
    role: str = ""
    group: str = ""  # of a membership or an edge: id of the group that holds it
    asked: str = ""  # the name that was asked for
    reason: str = ""  # code
    message: str = ""

    @property
    def counted(self) -> bool:
        """Whether it is one of the import's inputs: a user, or a name that could not be read."""
        return self.state != "removed" and (self.kind == "user" or self.state == "failed")


class Warned(Value, frozen=True, omit_defaults=False):
    """Something that did not stop the work, and what a person can do about it."""

    code: str
    message: str
    next_step: str


class ImportSummary(Value, frozen=True, omit_defaults=False):
    """The result of one import: imported + failed + skipped + duplicate = input."""

    operation: str
    connection: str
    state: str  # running | succeeded | partial | failed
    started: datetime
    finished: datetime | None = None
    asked_by: str = ""
    scheduled: bool = False  # a synchronisation: users that are gone are marked removed
    input: int = 0
    imported: int = 0
    failed: int = 0
    skipped: int = 0
    duplicate: int = 0
    removed: int = 0
    groups: int = 0
    edges: int = 0
    memberships: int = 0
    reasons: dict[str, int] = msgspec.field(default_factory=dict)  # code: rows that have it
    warnings: tuple[Warned, ...] = ()
    options: dict[str, Option] = msgspec.field(default_factory=dict)
    problem: str = ""  # why it failed as a whole


class AccessPolicy(Value, frozen=True):
    """A Conditional Access policy, as far as it is looked at; `applications` may hold "All"."""

    id: str
    name: str
    state: str
    controls: bool  # whether it demands or blocks anything at sign-in
    client_types: tuple[str, ...] = ()
    applications: frozenset[str] = frozenset()
    excluded_applications: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    excluded_users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()


class GroupLine(Value, frozen=True, omit_defaults=False):
    """A group to tick, with its place among the others; `members` counts direct users."""

    id: str
    name: str
    members: int
    parents: tuple[str, ...]
    children: tuple[str, ...]


def row_fields() -> tuple[str, ...]:
    return tuple(field.name for field in msgspec.structs.fields(ImportRow))


def as_row(user: ImportedUser, **more: Any) -> ImportRow:
    """A user's line."""
    return ImportRow(
        kind="user",
        state=str(more.pop("state", user.state)),
        id=user.id,
        user_principal_name=user.user_principal_name,
        display_name=user.display_name,
        mail=user.mail,
        enabled=user.enabled,
        guest=user.guest,
        role=user.role,
        **more,
    )
