"""What the tenant shows and takes: applications, consents, roles."""

from datetime import datetime
from typing import Protocol

from shared.model.credential import (
    Masked,
)
from shared.model.directory import (
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
from shared.model.finding import AuditEntry
from shared.model.membership import Member
from shared.model.privilege import Privileges


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
    async def principal_owners(self, principal_id: str) -> frozenset[str]:
        """Owners of the service principal; it may have others than its application."""

    async def add_owner(self, object_id: str, principal_id: str) -> None: ...
    async def lock(self, object_id: str) -> None:
        """Forbid secrets on its service principals (servicePrincipalLockConfiguration)."""

    async def principal(self, client_id: str) -> Principal | None: ...
    async def ensure_principal(self, client_id: str, wanted: WantedPrincipal) -> None:
        """Create it, or update it; its tags become exactly those wanted."""

    async def allow_sign_in(self, client_id: str, *, allowed: bool) -> None:
        """Enable or disable the service principal; everything else of it stays as it is."""

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


class AuditLog(Protocol):
    async def entries(self, target: str, since: datetime) -> list[AuditEntry]:
        """The latest changes of one object, by its id."""


class PrivilegeReader(Protocol):
    """Who holds what decides who may reset their password."""

    async def privileges(self) -> Privileges:
        """Everybody in the tenant who holds something; parts that are refused are named."""


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
