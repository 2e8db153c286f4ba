"""Objects of the directory and the links between them, as an export hands them on."""

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


class Link(Value, frozen=True, omit_defaults=False):
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


class Reading(Value, frozen=True):
    """What is to be read of one kind of entity; tracked when its changes are wanted later."""

    kind: str
    navigation: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    tracked: bool = False

    @property
    def key(self) -> str:
        """Under which its cookie is kept: the selection is part of a delta link."""
        return f"{self.kind}?{','.join((*self.navigation, *self.attributes))}"


class Findings(Value, frozen=True):
    """One page of what is new of a kind; the last page of a tracked reading has the cookie."""

    rows: tuple[Account | Entity, ...] = ()
    gone: tuple[str, ...] = ()  # ids of objects that were deleted
    for_good: tuple[str, ...] = ()  # those of them that Graph cannot restore any more
    links: tuple[Link, ...] = ()
    unlinked: tuple[Link, ...] = ()
    cookie: str = ""
