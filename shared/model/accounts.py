"""Discovered accounts and the account of a discovery run."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from shared.model.connection import Value

USER = "user"
SERVICE_PRINCIPAL = "servicePrincipal"

EVERYWHERE = "/"
"""Scope of a role that holds for the whole directory."""

Registered = Literal["yes", "no", "unknown"]
"""Unknown where nobody said: the report was not granted, or does not name the account."""


class Through(Value, frozen=True):
    """A group on the way from a reason to an account."""

    id: str
    name: str


class Origin(Value, frozen=True):
    """One reason why an account is in scope: what was searched, and the way to the account.

    `chain` are the groups on the way, outermost first; empty for who is directly in the group or
    holds the role directly. Of a group that was searched it begins behind that group, of a role
    with the group that holds it. Its last group is the one that the account is directly in.
    """

    kind: str  # group | role | user, named by itself | tenant, when all users are
    id: str
    name: str
    chain: tuple[Through, ...] = ()
    scope: str = ""  # of a role: "/", or the id of the administrative unit or object
    scope_name: str = ""  # of the administrative unit
    eligible: bool = False  # may activate the role (PIM), does not hold it
    since: datetime | None = None  # of an eligibility
    until: datetime | None = None  # of an eligibility; None has no end

    @property
    def way(self) -> tuple[Any, ...]:
        """What tells two reasons apart; names and dates may change without it."""
        chain = tuple(step.id for step in self.chain)
        return (self.kind, self.id, self.scope, self.eligible, chain)


class Account(Value, frozen=True, omit_defaults=False, gc=False):
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
    kind: str = USER  # or servicePrincipal, where these are wanted
    synced: bool = False  # its home is a directory on premises
    mfa: Registered = "unknown"  # whether a method for multi-factor authentication is registered


class Source(Value, frozen=True, omit_defaults=False):
    """How completely one group, one role, or one kind of entity was read."""

    kind: str  # group | role | entity
    id: str
    name: str
    status: str  # complete | failed; of a run that goes on, waiting | reading, too
    accounts: int
    reason: str = ""
    read: str = "full"  # or "changes": only what is new since the run before
    missing: str = ""  # permission that it lacks


class Summary(Value, frozen=True, omit_defaults=False):
    """The result of one discovery run; the counts are of its snapshot's rows."""

    operation: str
    connection: str
    state: str  # running | succeeded | partial | failed
    mode: str
    started: datetime
    finished: datetime | None = None
    published: datetime | None = None  # when its accounts could be read, if that was before its end
    accounts: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    held: int = 0  # rows whose removal waits for a person's word
    guests: int = 0
    disabled: int = 0
    sources: tuple[Source, ...] = ()
    more_sources: dict[str, int] = msgspec.field(default_factory=dict)
    """Status: sources that are not named in *sources*, as there are too many."""
    snapshot: str = ""  # blob that holds the accounts
    read: str = "full"  # "changes" when no kind of entity was read in full
    why: str = ""  # why it was read in full, or why it failed
    entities: dict[str, int] = msgspec.field(default_factory=dict)  # kind: how many
    links: int = 0
    changes: int = 0  # rows inserted, updated or deleted since the snapshot before
    changed_attributes: dict[str, int] = msgspec.field(default_factory=dict)  # of users: how often
    removed_for_good: int = 0  # of those removed, as far as Graph said; the others are restorable
    skipped: dict[str, int] = msgspec.field(default_factory=dict)  # reason: accounts left out
    scope: str = ""  # mark of what was searched: other marks mean other rows
    moved: datetime | None = None  # when it last came further
    slowed: datetime | None = None  # since when it waits because Graph asked it to
    requests: int = 0  # to Graph
    throttled: int = 0  # of these, refused for a while as they were too many
    units: int = 0  # resource units that they cost
    waited: float = 0.0  # seconds that it has waited because Graph asked it to
