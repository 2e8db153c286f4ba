"""A connection: what was asked for, what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from shared.model.finding import Decision, Finding
from shared.model.schedule import ImportSchedule, Login
from shared.model.shape import Shape

KINDS = (
    "onboard",
    "rotate",
    "emergency",
    "verify",
    "discover",
    "import",
    "token",
    "retire",
    "prestage",
    "offboard",
)
"""Kinds of operation; each runs one part of the chain (`shared.messages.CHAIN`)."""


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all values: immutable, compared by content, decodable from JSON."""


FINISHED = ("succeeded", "partial")
"""States of a discovery or an import that has come to its end."""


class Aspect(StrEnum):
    """The conditions of a connection, in the order in which onboarding makes them true."""

    REGISTERED = "Registered"
    CONSENTED = "Consented"
    ROLE_ASSIGNED = "RoleAssigned"
    CREDENTIAL_READY = "CredentialReady"
    VERIFIED = "Verified"
    DISCOVERED = "Discovered"
    HANDED_OVER = "HandedOver"


class Status(StrEnum):
    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Value, frozen=True, omit_defaults=False):
    """One aspect of a connection's status; `since` changes only when `status` does."""

    type: Aspect
    status: Status
    reason: str
    message: str
    since: datetime
    remedy: str = ""


class Approval(Value, frozen=True):
    """Somebody's word that the high-risk items of a request may be granted."""

    reason: str
    by: str = ""  # name of the caller, as the platform gave it
    principal: str = ""  # the caller's object id
    at: datetime | None = None
    covers: tuple[str, ...] = ()  # names of what was high-risk then: it is good for nothing more


class Spec(Value, frozen=True, omit_defaults=False):
    """What a request asks for, with every default filled in."""

    name: str
    profile: str
    features: dict[str, bool]  # those that are computed only where the request forces them
    inputs: dict[str, Any]
    owner: str = ""
    accept_swaps: tuple[str, ...] = ()


class Facts(Value, frozen=True):
    """What the chain has learnt about the connection in the tenant."""

    object_id: str = ""  # of the application: Graph's paths need it
    client_id: str = ""  # appId: what the product signs in with
    principal_id: str = ""  # object id of the service principal
    registered: datetime | None = None  # first time the application was seen


class Credential(Value, frozen=True, omit_defaults=False):
    """Dates and ids of the published secret; never its value."""

    key_id: str
    expires: datetime
    published: datetime
    due: datetime  # when rotation starts
    vault_name: str
    vault_version: str
    hint: str = ""
    previous_key_id: str = ""
    previous_expires: datetime | None = None  # where the directory still held it
    overlap_until: datetime | None = None  # unless an acknowledgement ends it before
    earlier_until: datetime | None = None  # the same for what was replaced before the previous one
    operation: str = ""  # that made it
    shape: Shape = Shape.CLIENT_SECRET
    thumbprint: str = ""  # of a certificate


class Takeover(Value, frozen=True, omit_defaults=False):
    """Somebody's word that the product signs in with one version of the published secret."""

    version: str  # of the vault: no word for a later one
    at: datetime
    by: str
    note: str = ""
    order: str = ""  # id of the queued order that said so; a redelivery says nothing new


class Stray(Value, frozen=True, omit_defaults=False):
    """A secret or certificate on the application that we did not make; it is listed and never
    removed."""

    key_id: str
    name: str
    starts: datetime
    ends: datetime
    seen: datetime  # when it was first noticed
    came_with: bool  # it was there before the first secret of ours
    hint: str = ""
    certificate: bool = False


class Blocker(Value, frozen=True, omit_defaults=False):
    """What an account holds that a directory role cannot act on, and the accounts that hold it."""

    held: str
    accounts: tuple[str, ...]  # user principal names, the first few
    count: int


class RoleAdvice(Value, frozen=True, omit_defaults=False):
    """Which directory role the accounts in scope need, by Microsoft's matrix."""

    role: str  # the profile's
    proposed: str  # the same, one it escalates to, or empty when none suffices
    least: str  # the least role that would do
    sufficient: tuple[str, ...]  # every role that can reset all of them
    blockers: tuple[Blocker, ...]
    blocked: int  # accounts that the profile's role cannot reset
    holders: int  # accounts that hold any role, or are in a role-assignable group
    accounts: int
    at: datetime
    unknown: tuple[str, ...] = ()  # facts that could not be read: not counted, not absent

    @property
    def admin_targets(self) -> bool:
        """The computed fact of this name: an account needs more than the profile's role."""
        return self.proposed != self.role


class BrokeredToken(Value, frozen=True, omit_defaults=False):
    """What the access token in the vault was answered with; never its value."""

    obtained: datetime
    expires: datetime
    scope: str
    token: str = ""  # digest that the vault's entries of one token have in common
    token_type: str = ""
    expires_in: int = 0  # seconds
    ext_expires_in: int = 0


class Membership(Value, frozen=True, omit_defaults=False):
    """The service principal as a user of an organisation outside Entra ID."""

    org: str
    object_id: str  # of the service principal
    licence: str
    projects: tuple[str, ...]
    joined: bool  # False: somebody with more rights has to add it
    member_id: str = ""  # by which the organisation knows it


class Offboarding(Value, frozen=True, omit_defaults=False):
    """The end of a connection: who asked for it and why, and how far it is."""

    by: str
    reason: str
    asked: datetime
    begun: datetime | None = None  # nothing has been removed before
    left: tuple[str, ...] = ()  # what was there at the last look, for people
    finished: datetime | None = None  # everything that Keyturn made is gone


class Operation(Value, frozen=True, omit_defaults=False):
    """One run of the chain; its id is the correlation id of everything it does."""

    id: str
    kind: str
    connection: str
    state: str  # running | succeeded | needs-attention | superseded
    step: str
    started: datetime
    changed: datetime
    asked_by: str = ""
    reason: str = ""
    options: tuple[str, ...] = ()  # what its caller allows, or decides


class Connection(Value, frozen=True, omit_defaults=False):
    """Desired spec and observed status of one onboarded product."""

    spec: Spec
    created: datetime
    facts: Facts = Facts()
    approval: Approval | None = None
    conditions: tuple[Condition, ...] = ()
    credential: Credential | None = None
    operation: str = ""  # id of the one operation in flight, or of the last
    granted: tuple[str, ...] = ()  # permissions found granted at the last check, canonical names
    roles: tuple[str, ...] = ()  # directory roles found assigned at the last check
    given: tuple[str, ...] = ()  # what Keyturn itself granted: "<api>/<kind>/<permission id>"
    advice: RoleAdvice | None = None
    hybrid: bool | None = None  # whether the tenant has accounts of a local directory
    verified: datetime | None = None  # the last verification that found everything in order
    takeover: Takeover | None = None  # by itself: a rotation writes the credential meanwhile
    strays: tuple[Stray, ...] = ()  # secrets found at the last look that we did not make
    findings: tuple[Finding, ...] = ()  # what verifications found, those closed lately too
    decisions: dict[str, Decision] = {}  # by fingerprint; written by people alone
    brokered: BrokeredToken | None = None
    membership: Membership | None = None
    handed: dict[str, str] = {}  # vault names that the product reads by itself: their version
    requested_by: str = ""  # object id of whoever asked for the present spec
    changed: datetime | None = None  # when the spec was last changed
    acknowledged: dict[str, str] = {}  # preconditions that hold outside: who said so
    import_schedule: ImportSchedule | None = None
    login: Login | None = None
    offboarding: Offboarding | None = None  # once begun it is only ever finished

    def condition(self, aspect: Aspect) -> Condition | None:
        return next((c for c in self.conditions if c.type == aspect), None)
