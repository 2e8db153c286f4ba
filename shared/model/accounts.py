"""Discovered accounts and the account of a discovery run."""

from datetime import datetime
from typing import Any

import msgspec

from shared.model.connection import Value


class Origin(Value, frozen=True):
    """Why an account is in scope: the group or role searched, and the way to it."""

    kind: str  # group | role | tenant, when all users are
    id: str
    name: str
    via: str = ""  # group through which a role is held; "eligible" for a PIM eligibility


class Account(Value, frozen=True, omit_defaults=False):
    """One discovered account; the id is the tenant's, the name is kept verbatim (D-40)."""

    id: str
    user_principal_name: str
    display_name: str
    enabled: bool
    guest: bool
    mail: str
    origins: tuple[Origin, ...]
    eligible: bool = False  # only eligible through PIM, not active
    state: str = "found"  # a scan imports nothing (D-35)
    attributes: dict[str, Any] = msgspec.field(default_factory=dict)
    """What was selected beyond the above, by Graph's names."""


class Source(Value, frozen=True, omit_defaults=False):
    """How completely one group, one role, or one kind of entity was read."""

    kind: str  # group | role | entity
    id: str
    name: str
    status: str  # complete | failed
    accounts: int
    reason: str = ""
    read: str = "full"  # or "changes": only what is new since the run before


class Summary(Value, frozen=True, omit_defaults=False):
    """The result of one discovery run; the counts are of its snapshot's rows."""

    operation: str
    connection: str
    state: str  # running | succeeded | partial | failed
    mode: str
    started: datetime
    finished: datetime | None = None
    accounts: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    guests: int = 0
    disabled: int = 0
    sources: tuple[Source, ...] = ()
    snapshot: str = ""  # blob that holds the accounts
    read: str = "full"  # "changes" when no kind of entity was read in full
    why: str = ""  # why it was read in full, or why it failed
    entities: dict[str, int] = msgspec.field(default_factory=dict)  # kind: how many
    links: int = 0
    changes: int = 0  # rows inserted, updated or deleted since the snapshot before
    slowed: datetime | None = None  # since when it waits because Graph asked it to
    waited: float = 0.0  # seconds that it has waited because Graph asked it to
