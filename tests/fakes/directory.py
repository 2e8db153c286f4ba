"""Directory, applications, consents, roles, credentials and tokens over one `FakeTenant`."""

from datetime import datetime, timedelta
from typing import TypeVar

from shared.errors import NeedsHuman, TryLater
from shared.model.credential import HeldSecret, NewSecret, TokenFacts
from shared.model.directory import (
    Application,
    DelegatedGrant,
    Grant,
    Principal,
    Resource,
    RoleAssignment,
    Tenant,
    WantedApplication,
)
from tests.fakes.faults import Faults, fallible
from tests.fakes.tenant import (
    ApplicationRow,
    FakeTenant,
    GrantRow,
    PrincipalRow,
    RoleRow,
    SecretRow,
)

T = TypeVar("T")

READABLE = {
    "User.Read.All": {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All"},
    "Group.Read.All": {"Group.Read.All", "Directory.Read.All"},
    "RoleManagement.Read.Directory": {
        "RoleManagement.Read.Directory",
        "RoleManagement.ReadWrite.Directory",
        "Directory.Read.All",
    },
    "RoleManagement.ReadWrite.Directory": {"RoleManagement.ReadWrite.Directory"},
}
"""Permissions that have a harmless read, and which granted ones allow it."""


class Part:
    """Base of the fakes below: they share the tenant and its faults."""

    def __init__(self, tenant: FakeTenant) -> None:
        self._tenant = tenant

    @property
    def faults(self) -> Faults:
        return self._tenant.faults


class FakeDirectory(Part):
    """Implements ``ports.Directory``."""

    @fallible("directory.tenant")
    async def tenant(self) -> Tenant:
        return self._tenant.identity

    @fallible("directory.own_roles")
    async def own_roles(self) -> frozenset[str]:
        return self._tenant.own_roles

    @fallible("directory.own_principal")
    async def own_principal(self) -> str:
        return self._tenant.own_principal

    @fallible("directory.resource")
    async def resource(self, app_id: str) -> Resource | None:
        return self._tenant.resources.get(app_id)


class FakeApplications(Part):
    """Implements ``ports.Applications``."""

    @fallible("applications.find")
    async def find(self, unique_name: str) -> Application | None:
        return _application(self._tenant.applications.get(unique_name))

    @fallible("applications.ensure")
    async def ensure(self, wanted: WantedApplication) -> None:
        row = self._tenant.applications.get(wanted.unique_name)
        if row is None:
            self._tenant.applications[wanted.unique_name] = ApplicationRow(
                wanted=wanted, created=self._tenant.clock.now(), hidden=self._tenant.lag
            )
        else:
            row.wanted = wanted

    @fallible("applications.settled")
    async def settled(self, object_id: str) -> Application | None:
        return _application(self._tenant.application(object_id))

    @fallible("applications.owners")
    async def owners(self, object_id: str) -> frozenset[str]:
        row = self._tenant.application(object_id)
        return frozenset(row.owners) if row and row.seen() else frozenset()

    @fallible("applications.add_owner")
    async def add_owner(self, object_id: str, principal_id: str) -> None:
        _written(self._tenant.application(object_id), object_id).owners.add(principal_id)

    @fallible("applications.lock")
    async def lock(self, object_id: str) -> None:
        _written(self._tenant.application(object_id), object_id).locked = True

    @fallible("applications.principal")
    async def principal(self, client_id: str) -> Principal | None:
        return _principal(self._tenant.principals.get(client_id))

    @fallible("applications.ensure_principal")
    async def ensure_principal(self, client_id: str, display_name: str) -> None:
        _written(self._tenant.application_of(client_id), client_id)
        row = self._tenant.principals.get(client_id)
        if row is None:
            self._tenant.principals[client_id] = PrincipalRow(
                client_id=client_id, name=display_name, hidden=self._tenant.lag
            )
        else:
            row.name, row.enabled = display_name, True

    @fallible("applications.settled_principal")
    async def settled_principal(self, client_id: str) -> Principal | None:
        return _principal(self._tenant.principals.get(client_id))


class FakeConsents(Part):
    """Implements ``ports.Consents``."""

    @fallible("consents.granted")
    async def granted(self, principal_id: str) -> list[Grant]:
        row = self._tenant.principal(principal_id)
        return [
            Grant(id=g.id, resource_id=g.resource_id, permission_id=g.permission_id)
            for g in (row.grants if row else [])
            if g.seen()
        ]

    @fallible("consents.delegated")
    async def delegated(self, principal_id: str) -> list[DelegatedGrant]:
        row = self._tenant.principal(principal_id)
        return list(row.delegated) if row else []

    @fallible("consents.grant")
    async def grant(self, principal_id: str, resource_id: str, permission_id: str) -> None:
        row = _written(self._tenant.principal(principal_id), principal_id)
        offered = {
            (resource.principal_id, permission.key.id)
            for resource in self._tenant.resources.values()
            for permission in resource.permissions
        }
        if (resource_id, permission_id) not in offered:
            raise NeedsHuman("GRAPH_REFUSED", f"no permission {permission_id}", "Correct it.")
        if not any(
            (g.resource_id, g.permission_id) == (resource_id, permission_id) for g in row.grants
        ):
            row.grants.append(
                GrantRow(
                    resource_id=resource_id, permission_id=permission_id, hidden=self._tenant.lag
                )
            )


class FakeRoles(Part):
    """Implements ``ports.Roles``."""

    @fallible("roles.role_id")
    async def role_id(self, name: str) -> str | None:
        return self._tenant.role_ids.get(name)

    @fallible("roles.assigned")
    async def assigned(self, principal_id: str) -> list[RoleAssignment]:
        row = self._tenant.principal(principal_id)
        return [
            RoleAssignment(id=r.id, role_id=r.role_id, scope=r.scope)
            for r in (row.roles if row else [])
            if r.seen()
        ]

    @fallible("roles.assign")
    async def assign(self, principal_id: str, role_id: str) -> None:
        row = _written(self._tenant.principal(principal_id), principal_id)
        if not any(r.role_id == role_id and r.scope == "/" for r in row.roles):
            row.roles.append(RoleRow(role_id=role_id, hidden=self._tenant.lag))

    @fallible("roles.settled_assignment")
    async def settled_assignment(self, principal_id: str, role_id: str) -> bool:
        row = self._tenant.principal(principal_id)
        return any(r.role_id == role_id and r.seen() for r in (row.roles if row else []))


class FakeCredentials(Part):
    """Implements ``ports.Credentials``."""

    @fallible("credentials.held")
    async def held(self, object_id: str) -> list[HeldSecret] | None:
        row = self._tenant.application(object_id)
        if row is None or not row.seen():
            return None
        return [
            HeldSecret(key_id=s.id, name=s.name, starts=s.starts, ends=s.ends, hint=s.hint)
            for s in row.secrets
            if s.seen()
        ]

    @fallible("credentials.add")
    async def add(self, object_id: str, name: str, ends: datetime) -> NewSecret:
        tenant, now = self._tenant, self._tenant.clock.now()
        row = _written(tenant.application(object_id), object_id)
        days = tenant.longest_lifetime
        if days is not None and ends - now > timedelta(days=days):
            raise NeedsHuman(
                "SECRET_LIFETIME_OVER_POLICY", f"at most {days} days", "Ask for a shorter one."
            )
        made = SecretRow(
            name=name,
            value=tenant.new_value(),
            starts=now,
            ends=ends,
            hidden=tenant.lag,
            unknown=tenant.token_lag,
        )
        row.secrets.append(made)
        return NewSecret(key_id=made.id, ends=ends, hint=made.hint, value=made.value)

    @fallible("credentials.remove")
    async def remove(self, object_id: str, key_id: str) -> None:
        row = _written(self._tenant.application(object_id), object_id)
        row.secrets[:] = [s for s in row.secrets if s.id != key_id]

    @fallible("credentials.longest_lifetime")
    async def longest_lifetime(self) -> float | None:
        return self._tenant.longest_lifetime


class FakeTokens(Part):
    """Implements ``ports.Tokens``."""

    @fallible("tokens.obtain")
    async def obtain(self, client_id: str, secret: NewSecret) -> TokenFacts | None:
        return self._token(client_id, secret)

    @fallible("tokens.read_as")
    async def read_as(self, client_id: str, secret: NewSecret, permission: str) -> bool | None:
        if permission not in READABLE:
            return None
        token = self._token(client_id, secret)
        return token is not None and bool(token.roles & READABLE[permission])

    def _token(self, client_id: str, secret: NewSecret) -> TokenFacts | None:
        tenant = self._tenant
        application = tenant.application_of(client_id)
        principal = tenant.principals.get(client_id)
        known = next(
            (
                s
                for s in (application.secrets if application else [])
                if s.value == secret.reveal() and s.ends > tenant.clock.now()
            ),
            None,
        )
        if principal is None or not principal.enabled or known is None:
            return None
        if known.unknown:
            known.unknown -= 1
            return None
        return TokenFacts(
            roles=tenant.permission_names(principal),
            app_id=client_id,
            tenant_id=tenant.identity.id,
        )


def _written(row: T | None, id_: str) -> T:
    """The object that a write names; Graph answers 404 while it does not know it."""
    if row is None:
        raise TryLater("GRAPH_UNAVAILABLE", f"HTTP 404 Request_ResourceNotFound: {id_}")
    return row


def _application(row: ApplicationRow | None) -> Application | None:
    if row is None or not row.seen():
        return None
    wanted = row.wanted
    return Application(
        object_id=row.id,
        client_id=row.client_id,
        display_name=wanted.display_name,
        audience=wanted.audience,
        public_client=wanted.public_client,
        web_redirects=wanted.web_redirects,
        native_redirects=wanted.native_redirects,
        spa_redirects=wanted.spa_redirects,
        configured=wanted.configured,
        tags=wanted.tags,
        locked=row.locked,
        created=row.created,
    )


def _principal(row: PrincipalRow | None) -> Principal | None:
    if row is None or not row.seen():
        return None
    return Principal(object_id=row.id, client_id=row.client_id, enabled=row.enabled)
