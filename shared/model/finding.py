"""What a verification finds to differ, one thing each, and what people decide about it.

Apart from the other values of connections, because a connection holds these.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal

import msgspec

Verdict = Literal["missing", "extra", "foreign"]
"""Wanted and not there; there for everybody and not wanted; somebody else's, not ours to touch."""

Risk = Literal["direct", "indirect", "normal"]
"""The way to Global Administrator that a thing opens."""

Choice = Literal["accept", "remove"]

State = Literal["open", "approved", "removing", "closed"]


class What(StrEnum):
    """Kinds of things that may differ."""

    APPLICATION = "application_permission"  # granted to the application itself
    DELEGATED = "delegated_permission"  # granted for everybody
    USER_CONSENT = "user_consent"  # delegated, granted for one user
    CONFIGURED = "configured_permission"  # the registration asks for it
    ROLE = "directory_role"
    REGISTRATION = "registration"
    PRINCIPAL = "service_principal"
    OWNER = "owner"
    SECRET = "secret"  # noqa: S105 - a kind of thing


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """Identity of one thing: by ids and kinds, never by names, which may change."""

    what: What
    id: str  # of the permission, role, owner or secret; the name of a registration's part
    api: str = ""  # application id of the API; its service principal's where that is unknown
    scope: str = ""  # a role's; a consent's user; a configured permission's kind; a part's value


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who changed something, as the tenant's audit log has it."""

    name: str
    id: str  # object id of the user or service principal
    activity: str
    at: datetime


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the tenant's audit log, as far as it says who did what to which object."""

    activity: str
    at: datetime
    name: str  # of who did it; empty when the log does not say
    id: str
    about: str  # ids, names and values of what was changed, in lower case


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What an approver decided about one finding; good for that very opening of it."""

    choice: Choice
    reason: str
    by: str
    principal: str  # the approver's object id
    at: datetime
    opened: datetime  # when the finding that it is about was first seen
    until: date | None = None  # last day of an acceptance


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs, as one look shows it."""

    item: Item
    verdict: Verdict
    code: str
    name: str  # for people
    remedy: str
    risk: Risk = "normal"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that differs, over time."""

    fingerprint: str  # of connection, verdict and item: the same at every look
    item: Item
    verdict: Verdict
    code: str
    name: str
    remedy: str
    risk: Risk
    first_seen: datetime
    last_seen: datetime
    told: date | None = None  # the last day on which the world was told
    put_back: datetime | None = None  # when the profile's policy began to repair it
    decision: Decision | None = None
    actor: Actor | None = None
    closed: datetime | None = None
    closed_why: str = ""  # repaired | removed | gone
