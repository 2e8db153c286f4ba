"""One tenant in memory, with replicas that lag behind when a test wants them to."""

import hashlib
import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from shared.model.credential import FederatedTrust
from shared.model.directory import (
    GRAPH_APP_ID,
    Kind,
    Permission,
    PermissionKey,
    Resource,
    Tenant,
    WantedApplication,
)
from shared.model.finding import AuditEntry
from shared.model.profile import RESOURCES
from tests.fakes.clock import FakeClock
from tests.fakes.faults import Faults
from tests.fakes.graph_tables import APIS, ROLES

OWN_ROLES = frozenset(
    {
        "Application.ReadWrite.OwnedBy",
        "Application.Read.All",
        "AppRoleAssignment.ReadWrite.All",
        "DelegatedPermissionGrant.ReadWrite.All",
        "RoleManagement.ReadWrite.Directory",
        "Directory.Read.All",
        "Policy.Read.All",
        "AuditLog.Read.All",
    }
)
"""Application permissions that the automation's identity holds unless a test takes them."""


@dataclass(kw_only=True)
class Row:
    """Something in the directory; the next `hidden` reads of it do not find it."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    hidden: int = 0

    def seen(self) -> bool:
        """Read it once; False while the replica that answers does not have it."""
        if self.hidden == 0:
            return True
        self.hidden -= 1
        return False


@dataclass(kw_only=True)
class SecretRow(Row):
    name: str
    value: str
    starts: datetime
    ends: datetime
    unknown: int = 0  # token requests until the token endpoint knows it
    certificate: bool = False

    @property
    def thumbprint(self) -> str:
        return hashlib.sha256(self.value.encode()).hexdigest()[:40] if self.certificate else ""

    @property
    def hint(self) -> str:
        return self.thumbprint[:8] or self.value[:3]


@dataclass(kw_only=True)
class FederatedRow(Row):
    trust: FederatedTrust


@dataclass(kw_only=True)
class ApplicationRow(Row):
    wanted: WantedApplication
    created: datetime
    client_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    locked: bool = False
    owners: set[str] = field(default_factory=set)
    secrets: list[SecretRow] = field(default_factory=list)
    federated: list[FederatedRow] = field(default_factory=list)


@dataclass(kw_only=True)
class GrantRow(Row):
    resource_id: str
    permission_id: str
    created: datetime | None = None


@dataclass(kw_only=True)
class RoleRow(Row):
    role_id: str
    scope: str = "/"
    principal_type: str = "ServicePrincipal"


@dataclass(kw_only=True)
class ScopesRow(Row):
    """Delegated permissions on one API, for everybody or for one user."""

    resource_id: str
    scopes: tuple[str, ...]
    everybody: bool = True
    user: str = ""  # where it is not for everybody


@dataclass(kw_only=True)
class PrincipalRow(Row):
    client_id: str
    name: str
    enabled: bool = True
    grants: list[GrantRow] = field(default_factory=list)
    assignment_required: bool = False
    tags: tuple[str, ...] = ()
    owners: set[str] = field(default_factory=set)
    delegated: list[ScopesRow] = field(default_factory=list)
    roles: list[RoleRow] = field(default_factory=list)


class FakeTenant:
    """State and knobs; ``lag`` and ``token_lag`` apply to what is made from then on."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.faults = Faults()
        self.fail = self.faults.fail
        self.lag = 0  # reads that do not find a new object yet
        self.token_lag = 0  # token requests that do not know a new secret yet
        self.longest_lifetime: float | None = None
        self.longest_certificate: float | None = None
        self.secrets_allowed = True  # by the tenant's app management policy
        self.roles_unknown_to_tokens: frozenset[str] = frozenset()  # granted, not yet in tokens
        self.denied_reads: dict[str, str] = {}  # reads that are refused all the same, and how
        self.own_roles = OWN_ROLES
        self.granted_lately: frozenset[str] = frozenset()  # in no token yet
        self.hybrid = False  # accounts are synchronised from a local directory
        self.own_principal = str(uuid.uuid4())
        self.configured_id = ""  # of another tenant, where a test wants that
        self.identity = Tenant(
            id=str(uuid.uuid4()),
            name="Contoso",
            initial_domain="contoso.onmicrosoft.com",
            domains=("contoso.onmicrosoft.com", "contoso.example"),
        )
        self.resources = {app_id: service(app_id) for app_id in APIS}
        self.apis = set(RESOURCES.values())  # that a token may be had for
        self.organisations: dict[str, Any] = {}  # of Azure DevOps, by name
        self.tokens: dict[str, str] = {}  # access tokens issued, and to whom
        self.role_ids = dict(ROLES)
        self.applications: dict[str, ApplicationRow] = {}  # by unique name, or client id
        self.logged: dict[str, list[AuditEntry]] = {}  # audit log by target
        self.deleted: dict[str, datetime] = {}  # object ids of applications, and when
        self.users: dict[str, str] = {}  # object ids by user principal name
        self.principals: dict[str, PrincipalRow] = {}  # by client id
        self.issued: list[str] = []  # every secret value ever made, for leak checks

    def application(self, object_id: str) -> ApplicationRow | None:
        return next((a for a in self.applications.values() if a.id == object_id), None)

    def application_of(self, client_id: str) -> ApplicationRow | None:
        return next((a for a in self.applications.values() if a.client_id == client_id), None)

    def principal(self, principal_id: str) -> PrincipalRow | None:
        return next((p for p in self.principals.values() if p.id == principal_id), None)

    def is_known(self, secret: SecretRow) -> bool:
        """Ask one node of the token endpoint; False while it has not heard of the secret."""
        if secret.unknown:
            secret.unknown -= 1
            return False
        return True

    def new_value(self, *, certificate: bool = False) -> str:
        value = f"fAk8Q~{secrets.token_urlsafe(25)}"
        if certificate:
            value = f"-----BEGIN PRIVATE KEY-----\n{value}\n-----END PRIVATE KEY-----\n"
        self.issued.append(value)
        return value

    def permission_names(self, principal: PrincipalRow, api: str = GRAPH_APP_ID) -> frozenset[str]:
        """Names of the application permissions of one API that a principal has been granted."""
        resource = self.resources.get(api)
        if resource is None:
            return frozenset()
        names = names_of(resource)
        return frozenset(
            names[grant.permission_id]
            for grant in principal.grants
            if grant.resource_id == resource.principal_id
        )


@cache
def names_of(resource: Resource) -> dict[str, str]:
    """Names of an API's application permissions, by id."""
    return {p.key.id: p.name for p in resource.permissions if p.key.kind == Kind.APPLICATION}


def service(app_id: str) -> Resource:
    """The service principal of one of Microsoft's APIs."""
    return Resource(
        app_id=app_id,
        principal_id=str(uuid.uuid4()),
        permissions=tuple(
            Permission(key=PermissionKey(resource=app_id, kind=Kind(kind), id=id_), name=name)
            for kind, name, id_ in APIS[app_id]
        ),
    )
