"""What steps need from the outside, in our words; `shared.adapters` implements it with the SDKs.

Readings answer None for "not there": absent and not yet replicated look alike, and only a
planner that knows the object's age can tell them apart. Every method may raise `TryLater`
(the service is not ready) or `NeedsHuman` (it refused).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from shared.messages import Event, StepMessage
from shared.model.accounts import Account, Origin, Summary
from shared.model.connection import Condition, Connection, Operation, Spec
from shared.model.credential import (
    FederatedTrust,
    HeldSecret,
    IssuedToken,
    Masked,
    NewSecret,
    ReadFacts,
    SecretRules,
    StoredSecret,
    TokenFacts,
)
from shared.model.directory import (
    GRAPH_APP_ID,
    Application,
    DelegatedGrant,
    Grant,
    KnownId,
    PermissionKey,
    Principal,
    Resource,
    RoleAssignment,
    Tenant,
    WantedApplication,
    WantedPrincipal,
)
from shared.model.entities import Change, Entity, Findings, Link, Reading
from shared.model.imports import (
    AccessPolicy,
    GroupLine,
    ImportRequest,
    ImportRow,
    ImportSummary,
    UserStore,
)
from shared.model.membership import Member
from shared.model.privilege import Privileges, ResetAnswer, ResetTarget
from shared.planning.changes import Patch
from shared.planning.snapshots import Position


class Clock(Protocol):
    def now(self) -> datetime:
        """The present time, aware, in UTC."""


class Directory(Protocol):
    """Facts about the tenant and about the automation's own identity."""

    async def tenant(self) -> Tenant:
        """Raises `NeedsHuman` TENANT_MISMATCH when it is not the configured one."""

    async def own_roles(self, *, fresh: bool = False) -> frozenset[str]:
        """Application permissions that the automation's own token holds.

        A token lives for an hour or more: only a *fresh* one knows what was granted meanwhile.
        """

    async def own_principal(self) -> str:
        """Object id of the automation's own service principal."""

    async def resource(self, app_id: str, *, fresh: bool = False) -> Resource | None:
        """An API and what it offers; *fresh* reads it anew although it is known."""

    async def hybrid(self) -> bool:
        """Whether any user is synchronised from a local directory."""

    async def user_id(self, name: str) -> str | None:
        """Object id of a user given by it or by the user principal name."""


class Applications(Protocol):
    """Application registrations and their service principals."""

    async def find(self, unique_name: str) -> Application | None: ...
    async def of_client(self, client_id: str) -> Application | None: ...
    async def ensure(self, wanted: WantedApplication) -> None:
        """Create it, or update the one of this unique name; both may be repeated."""

    async def update(self, object_id: str, wanted: WantedApplication) -> None:
        """Make an application that is there as *wanted*, whatever its unique name."""

    async def configure(self, object_id: str, configured: frozenset[PermissionKey]) -> None:
        """Replace the permissions that it is configured with, and nothing else."""

    async def namesakes(self, display_name: str) -> frozenset[str]:
        """Client ids of the applications of this display name; empty where it may not look."""

    async def remove(self, object_id: str) -> None:
        """Delete it, and its service principal with it; Entra ID keeps both for 30 days.

        One that is gone already is success.
        """

    async def identify(self, id_: str) -> KnownId | None:
        """Which application an object id belongs to, its own or its service principal's."""

    async def deleted(self, object_id: str) -> datetime | None:
        """When it was deleted; None when it is not among the deleted objects."""

    async def settled(self, object_id: str) -> Application | None:
        """Read until several consecutive reads agree that it is there; None when one does not."""

    async def owners(self, object_id: str) -> frozenset[str]: ...
    async def add_owner(self, object_id: str, principal_id: str) -> None: ...
    async def lock(self, object_id: str) -> None:
        """Forbid secrets on its service principals (servicePrincipalLockConfiguration)."""

    async def principal(self, client_id: str) -> Principal | None: ...
    async def ensure_principal(self, client_id: str, wanted: WantedPrincipal) -> None:
        """Create it, or update it; its tags become exactly those wanted."""

    async def add_api(self, app_id: str) -> None:
        """Add the service principal of an API of Microsoft's to the tenant."""

    async def settled_principal(self, client_id: str) -> Principal | None: ...


class Consents(Protocol):
    """Granted permissions. Every write may be repeated: what is done already is success."""

    async def granted(self, principal_id: str) -> list[Grant]: ...
    async def delegated(self, principal_id: str) -> list[DelegatedGrant]: ...
    async def grant(self, principal_id: str, resource_id: str, permission_id: str) -> None:
        """Grant one application permission."""

    async def revoke(self, grant: Grant) -> None: ...
    async def grant_scopes(
        self, principal_id: str, resource_id: str, scopes: tuple[str, ...]
    ) -> None:
        """Grant delegated permissions of one API for everybody.

        Raises `TryLater` ALREADY_THERE when there is such a grant: read it, and set its scopes.
        """

    async def set_scopes(self, grant: DelegatedGrant, scopes: tuple[str, ...]) -> None:
        """Replace the scopes of a grant; none left removes it."""


class Roles(Protocol):
    async def role_id(self, name: str) -> str | None:
        """Template id of a built-in directory role."""

    async def names(self) -> dict[str, str]:
        """Name of every directory role, by its id."""

    async def assigned(self, principal_id: str) -> list[RoleAssignment]: ...
    async def assign(self, principal_id: str, role_id: str) -> None:
        """Assign at the scope of the whole directory; one that is there is success."""

    async def unassign(self, assignment: RoleAssignment) -> None:
        """Take one assignment away; one that is gone already is success."""

    async def settled_assignment(self, principal_id: str, role_id: str) -> RoleAssignment | None:
        """The assignment for the whole directory once several reads in a row show it."""


class Credentials(Protocol):
    async def held(self, object_id: str) -> list[HeldSecret] | None: ...
    async def add(self, object_id: str, name: str, ends: datetime) -> NewSecret:
        """Add a secret, sending the request exactly once.

        Raises `TryLater` with code ``ANSWER_LOST`` when it may have been made all the same.
        """

    async def remove(self, object_id: str, key_id: str) -> None:
        """Remove by id; one that is gone already is success."""

    async def rules(self) -> SecretRules:
        """What the tenant's policy allows of secrets."""

    async def longest_lifetime(self) -> float | None:
        """Days that the tenant's policy allows a secret to live; None without such a policy."""


class Federation(Protocol):
    """Federated identity credentials of applications."""

    async def trusted(self, object_id: str) -> list[FederatedTrust]: ...
    async def add(self, object_id: str, wanted: FederatedTrust) -> None:
        """Add it; one of that name that is there already is success."""

    async def correct(self, object_id: str, trust_id: str, wanted: FederatedTrust) -> None:
        """Replace everything but its name, which never changes."""

    async def remove(self, object_id: str, trust_id: str) -> None:
        """Remove it; one that is gone already is success."""


class Tokens(Protocol):
    """The token endpoint, seen as the product sees it."""

    async def obtain(
        self, client_id: str, secret: NewSecret, api: str = GRAPH_APP_ID
    ) -> TokenFacts | None:
        """One token for an API (its application id) over a fresh connection.

        None while the secret is not known everywhere.
        """

    async def read_as(self, client_id: str, secret: NewSecret, what: str) -> ReadFacts | None:
        """One harmless read that a permission allows, or that a profile's check names.

        None when there is none for it.
        """

    async def issue(self, client_id: str, secret: NewSecret, api: str) -> IssuedToken | None:
        """A token for *api*, an application id; None while the secret is not known everywhere.

        Raises `NeedsHuman` SCOPE_UNKNOWN when the tenant has no such API.
        """


class Vault(Protocol):
    async def current(self, name: str) -> StoredSecret | None:
        """The current version of *name*; None when there is none or it is disabled."""

    async def reveal(self, stored: StoredSecret) -> NewSecret | None:
        """That version with its value."""

    async def put(self, name: str, secret: NewSecret, tags: dict[str, str]) -> StoredSecret:
        """Make a new current version that expires with the secret, and read it back."""

    async def keep(
        self, name: str, value: Masked, tags: dict[str, str], expires: datetime | None
    ) -> StoredSecret:
        """The same for what a product reads by a name of its own; None: it does not expire."""

    async def retag(self, stored: StoredSecret, tags: dict[str, str]) -> None:
        """Replace the tags of a version."""

    async def disable(self, stored: StoredSecret) -> None: ...
    async def all_versions(self, name: str) -> list[StoredSecret]:
        """Every version, disabled ones too, the newest last; none when there is no such secret."""

    async def remove(self, name: str) -> None:
        """Delete it with all versions; the vault keeps it for its retention, it is never purged.

        One that is gone already is success.
        """

    def reference(self, name: str, version: str) -> str:
        """URL by which people and products refer to that version."""


class Organisations(Protocol):
    """Azure DevOps: organisations and who is in them."""

    async def connected_tenant(self, org: str) -> str | None:
        """Id of the tenant that it is connected to, empty for none; None: no such organisation."""

    async def member(self, org: str, member_id: str) -> Member | None:
        """By the id that `add` answered. Raises `NeedsHuman` DEVOPS_NEEDS_PCA."""

    async def add(self, org: str, wanted: Member) -> Member:
        """Raises `NeedsHuman` DEVOPS_NEEDS_PCA, DEVOPS_WRONG_ID, DEVOPS_LICENCE."""

    async def change(self, org: str, known: Member, wanted: Member) -> Member:
        """Give the access level and the projects that are missing; raises as `add`."""

    async def remove(self, org: str, member_id: str) -> None:
        """Take a member out; one that is gone already is success. Raises DEVOPS_NEEDS_PCA."""

    async def admits(self, org: str, token: Masked) -> bool:
        """Whether the holder of an access token is a user of the organisation."""


class Outbox(Protocol):
    async def send(self, step: str, message: StepMessage, *, at: datetime | None = None) -> None:
        """Queue a message for a step, at once or at a time."""

    async def provision(self, body: bytes, message_id: str) -> None:
        """Queue an onboarding request as other systems do."""

    async def publish(self, event: Event) -> None: ...
    async def set_aside(self, body: bytes, message_id: str, reason: str) -> None:
        """Keep a refused message, as it came, in the ``refused`` queue."""


class Turn(Protocol):
    """The right to work on one connection; held by one step at a time."""

    def before_write(self) -> None:
        """Raise `TryLater` while the last write to the application is too recent."""

    def after_write(self) -> None:
        """Note that the application was written to just now."""


class Ledger(Protocol):
    """State that outlives messages."""

    async def create(self, connection: Connection) -> bool:
        """Insert; False when a connection of that name is there."""

    async def renew(self, connection: Connection) -> bool:
        """Put it in the place of one of its name that is offboarded; False when there is none."""

    async def connection(self, name: str) -> Connection | None: ...
    async def connections(self) -> list[Connection]: ...
    async def amend(self, name: str, **parts: Any) -> None:
        """Replace fields of a connection; writers of different fields never undo one another."""

    async def exchange(self, name: str, known: Spec, **parts: Any) -> bool:
        """Replace fields while the spec still is *known*; False when somebody changed it."""

    async def set_condition(self, name: str, condition: Condition) -> None: ...

    async def begin(self, operation: Operation) -> bool:
        """Make *operation* the one in flight; False while another one is running.

        Beginning the operation that is in flight already is success.
        """

    async def operation(self, connection: str, operation: str) -> Operation | None: ...
    async def operations(self, connection: str) -> list[Operation]: ...
    async def advance(self, operation: Operation) -> None:
        """Store an operation's state and step."""

    async def forget(self, operation: Operation) -> None:
        """Remove the row of a finished operation; one that is gone already is success."""

    async def record(self, connection: str, at: datetime, what: str, data: dict[str, Any]) -> None:
        """Append to the audit history, which is never changed or deleted."""

    async def history(self, connection: str) -> list[dict[str, Any]]: ...
    async def refuse(self, message_id: str, at: datetime, data: dict[str, Any]) -> None:
        """Record a refused message; repeated refusals of one message are one row."""

    async def refusals(self) -> list[dict[str, Any]]: ...
    async def set_due(self, kind: str, connection: str, due: datetime | None) -> None:
        """Note when *kind* of work is due for a connection; None takes it off the index."""

    async def due(self, kind: str, now: datetime, limit: int) -> list[str]:
        """Connections whose *kind* of work is due, the longest overdue first."""

    async def due_times(self, connection: str) -> dict[str, datetime]: ...
    def turn(self, connection: str) -> AbstractAsyncContextManager[Turn]:
        """Take the connection's lease, or raise `TryLater` while another step holds it."""


class AccountReader(Protocol):
    """Reads accounts of the tenant, page by page."""

    async def resolve_groups(self, names: Sequence[str]) -> dict[str, list[Origin]]:
        """Groups for each name or id; an ambiguous name has several."""

    async def all_groups(self) -> list[Origin]: ...
    async def resolve_roles(self, names: Sequence[str]) -> dict[str, list[Origin]]: ...
    async def all_roles(self) -> list[Origin]: ...
    def members(self, group: Origin) -> AsyncIterator[list[Account]]:
        """Users in a group, directly or through nested groups."""

    def holders(self, role: Origin) -> AsyncIterator[list[Account]]:
        """Users who hold a role, actively or eligibly, directly or through groups."""


class EntityReader(Protocol):
    """Whole kinds of directory objects, or what has changed of them."""

    def read(self, wanted: Reading, cookie: str) -> AsyncIterator[Findings]:
        """Everything without a *cookie*, else what is new since it was given.

        Items may repeat and come in any order. Raises `NeedsHuman` with code ``DELTA_EXPIRED``
        when the cookie is no longer good: then everything has to be read.
        """


class AccountStore(Protocol):
    """Snapshots and summaries of discovery; a snapshot becomes visible as a whole."""

    async def save(self, summary: Summary, accounts: Sequence[Account]) -> Summary:
        """A snapshot of exactly these accounts; answers the summary with all counts."""

    async def apply(self, summary: Summary, patch: Patch, cookies: Mapping[str, str]) -> Summary:
        """A snapshot that differs from the one before by *patch*.

        It, the rows that changed and the cookies become visible in one write.
        """

    async def note(self, summary: Summary) -> None:
        """Store a summary without accounts: a run that is going on, or failed."""

    async def summaries(self, connection: str) -> list[Summary]:
        """Newest first."""

    def accounts(self, connection: str) -> AsyncIterator[Account]:
        """The accounts of the latest finished snapshot."""

    def entities(self, connection: str) -> AsyncIterator[Entity]:
        """Its groups, directory roles and service principals."""

    def links(self, connection: str) -> AsyncIterator[Link]: ...
    async def cookies(self, connection: str) -> dict[str, str]:
        """From where each kind is read on, by the reading's key."""

    async def position(self, connection: str) -> Position:
        """The end of its changes."""

    def changes(self, connection: str, after: Position) -> AsyncIterator[tuple[Position, Change]]:
        """Changes with their places; LookupError when those after *after* are not known."""


class PrivilegeReader(Protocol):
    """Who holds what decides who may reset their password."""

    async def privileges(self) -> Privileges:
        """Everybody in the tenant who holds something; parts that are refused are named."""


class ResetTrial(Protocol):
    """Resets one password as the product would, to learn whether it can."""

    async def target(self, account: str) -> ResetTarget | None:
        """The account of exactly this id or user principal name."""

    async def reset(self, client_id: str, secret: NewSecret, user_id: str) -> ResetAnswer | None:
        """Set a password that nobody learns; None while the secret is not known everywhere."""


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
