"""What the tenant shows of applications, permissions and roles."""

from datetime import datetime
from enum import StrEnum

from shared.model.connection import Value

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
"""Microsoft Graph's application id, the same in every tenant."""


class Kind(StrEnum):
    """How a permission is used: by the application itself or for a signed-in user."""

    APPLICATION = "application"  # Graph: resourceAccess type "Role"
    DELEGATED = "delegated"  # Graph: resourceAccess type "Scope"


class PermissionKey(Value, frozen=True):
    """Identity of a permission; the id alone is not enough, one guid serves both kinds."""

    resource: str  # application id of the resource
    kind: Kind
    id: str


class Permission(Value, frozen=True):
    """A permission that the resource really offers, in its canonical spelling."""

    key: PermissionKey
    name: str


class Resource(Value, frozen=True):
    """The service principal of an API and the permissions it offers."""

    app_id: str
    principal_id: str
    permissions: tuple[Permission, ...]


class Application(Value, frozen=True):
    """An application registration as the tenant shows it."""

    object_id: str
    client_id: str
    display_name: str
    audience: str
    public_client: bool
    web_redirects: tuple[str, ...]
    native_redirects: tuple[str, ...]
    spa_redirects: tuple[str, ...]
    configured: frozenset[PermissionKey]
    tags: tuple[str, ...]
    locked: bool  # no secrets on its service principals
    created: datetime | None


class WantedApplication(Value, frozen=True):
    """An application registration as the profile wants it."""

    unique_name: str
    display_name: str
    audience: str
    public_client: bool
    web_redirects: tuple[str, ...]
    native_redirects: tuple[str, ...]
    spa_redirects: tuple[str, ...]
    configured: frozenset[PermissionKey]
    tags: tuple[str, ...]
    tolerated: frozenset[PermissionKey] = frozenset()  # may be configured or granted besides
    accepted: frozenset[tuple[str, str]] = frozenset()  # parts that may be there besides, values
    adopts: str = ""  # client id of an application that was there before: it is only added to


class Principal(Value, frozen=True):
    """A service principal."""

    object_id: str
    client_id: str
    enabled: bool
    assignment_required: bool = False
    tags: tuple[str, ...] = ()


class WantedPrincipal(Value, frozen=True):
    """A service principal as the profile wants it."""

    display_name: str
    enabled: bool = True
    assignment_required: bool = False  # only assigned users may sign in
    tags: tuple[str, ...] = ()


class KnownId(Value, frozen=True):
    """What an id is that was given where a client id belongs."""

    what: str  # for people: "the application's object id"
    client_id: str  # of the same application


class Grant(Value, frozen=True):
    """An application permission granted to a service principal (app role assignment)."""

    id: str
    resource_id: str  # service principal of the resource
    permission_id: str
    created: datetime | None = None


class DelegatedGrant(Value, frozen=True):
    """Delegated permissions granted on one resource, for everybody or for one user."""

    id: str
    resource_id: str
    scopes: tuple[str, ...]
    everybody: bool
    user: str = ""  # object id of the one user, where it is not for everybody


class RoleAssignment(Value, frozen=True):
    """A directory role held by a principal."""

    id: str
    role_id: str  # template id of the role
    scope: str  # "/" is the whole directory
    principal_type: str = ""  # ServicePrincipal | User | Group; empty when Graph does not say

    @property
    def everywhere(self) -> bool:
        """Whether it holds for the whole directory; a narrower one does not count."""
        return self.scope == "/"


class Tenant(Value, frozen=True):
    """The tenant that the automation acts in."""

    id: str
    name: str
    initial_domain: str
    domains: tuple[str, ...] = ()  # verified ones
