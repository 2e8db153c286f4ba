"""Discovered accounts and the account of a discovery run."""

from datetime import datetime

from shared.model.connection import Value


class Origin(Value, frozen=True):
    """Why an account is in scope: the group or role searched, and the way to it."""

    kind: str  # group | role
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


class Source(Value, frozen=True, omit_defaults=False):
    """How completely one group or role of a run was read."""

    kind: str
    id: str
    name: str
    status: str  # complete | failed
    accounts: int
    reason: str = ""


class Summary(Value, frozen=True, omit_defaults=False):
    """The result of one discovery run."""

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
