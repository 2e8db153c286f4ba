"""Objects of the directory and the links between them, as an export hands them on."""

from collections.abc import Sequence
from typing import Any

import msgspec

from shared.model.accounts import Account
from shared.model.connection import Value

USER = "user"
KINDS = ("user", "group", "directoryRole", "servicePrincipal")
"""Kinds of entities that a profile may ask for (Graph's names)."""


class Entity(Value, frozen=True, omit_defaults=False):
    """A group, a directory role or a service principal; a user is an `Account`."""

    kind: str
    id: str
    display_name: str
    attributes: dict[str, Any] = msgspec.field(default_factory=dict)


class Link(Value, frozen=True, omit_defaults=False, gc=False):
    """That one object is a member or an owner of another."""

    kind: str  # members | owners
    of: str  # kind of the source: group | directoryRole
    source: str  # id of the group or role
    target: str  # id of the member or owner
    target_kind: str = ""

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.source}/{self.target}"


Row = Account | Entity | Link


class Change(Value, frozen=True, omit_defaults=False):
    """How one row differs from the snapshot before; `row` is the new one, or the last known."""

    command: str  # insert | update | delete
    kind: str  # of the entity, or members | owners
    id: str
    row: msgspec.Raw


MEMBERSHIP = "membership"
REGISTRATION = "registration"
HELD_ROLES = "heldRoles"
ELIGIBLE_ROLES = "eligibleRoles"
SOURCES = (MEMBERSHIP, REGISTRATION, HELD_ROLES, ELIGIBLE_ROLES)
"""What else can be read whole; none of it has delta queries that serve us."""

REPORTS = (REGISTRATION, HELD_ROLES, ELIGIBLE_ROLES)
"""Those of them that say something of accounts and vouch for none."""


class Reading(Value, frozen=True):
    """What is to be read of one kind of entity; tracked when its changes are wanted later.

    Of `MEMBERSHIP` the findings are the members of all groups as links; of `REPORTS` rows that are
    facts only (`planning.accounts.fact`).
    """

    kind: str
    navigation: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    tracked: bool = False

    @property
    def key(self) -> str:
        """Under which its cookie is kept: the selection is part of a delta link."""
        return f"{self.kind}?{','.join((*self.navigation, *self.attributes))}"


class Unread(Value, frozen=True):
    """An object whose links could not be read: what was known of them stays, nothing is new."""

    id: str
    reason: str  # CODE: message


class Findings(Value, frozen=True):
    """What one page says of a kind."""

    rows: Sequence[Account | Entity] = ()  # `model.listed.ListedUsers` where nobody looks at them
    gone: tuple[str, ...] = ()  # ids of objects that were deleted
    for_good: tuple[str, ...] = ()  # those of them that Graph cannot restore any more
    links: tuple[Link, ...] = ()
    unlinked: tuple[Link, ...] = ()
    unread: tuple[Unread, ...] = ()  # the source is not complete for these, and only for these
    vanished: tuple[str, ...] = ()  # listed, and gone before their links were read


class Page(Value, frozen=True):
    """One page of a source, and from where to go on when it has been stored.

    Both links are opaque and may be followed in another process, much later.
    """

    findings: Findings
    next_link: str = ""  # empty: that was the last page
    delta_link: str = ""  # to begin the next run with; on any page, the last one seen counts
    requests: int = 0  # that were made since the page before
    refused: int = 0  # of them, because there were too many
    units: int = 0  # resource units that they cost
