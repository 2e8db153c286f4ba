"""Directory, applications, consents and roles over one `FakeTenant`."""

from datetime import datetime

from shared.errors import NeedsHuman
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
from tests.fakes.faults import fallible
from tests.fakes.part import Part, written
from tests.fakes.tenant import ApplicationRow, GrantRow, PrincipalRow, RoleRow


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

    @fallible("directory.hybrid")
    async def hybrid(self) -> bool:
        return self._tenant.hybrid


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

    @fallible("applications.deleted")
    async def deleted(self, object_id: str) -> datetime | None:
        return self._tenant.deleted.get(object_id)

    @fallible("applications.settled")
    async def settled(self, object_id: str) -> Application | None:
        return _application(self._tenant.application(object_id))

    @fallible("applications.owners")
    async def owners(self, object_id: str) -> frozenset[str]:
        row = self._tenant.application(object_id)
        return frozenset(row.owners) if row and row.seen() else frozenset()

    @fallible("applications.add_owner")
    async def add_owner(self, object_id: str, principal_id: str) -> None:
        written(self._tenant.application(object_id), object_id).owners.add(principal_id)

    @fallible("applications.lock")
    async def lock(self, object_id: str) -> None:
        written(self._tenant.application(object_id), object_id).locked = True

    @fallible("applications.principal")
    async def principal(self, client_id: str) -> Principal | None:
        return _principal(self._tenant.principals.get(client_id))

    @fallible("applications.ensure_principal")
    async def ensure_principal(self, client_id: str, display_name: str) -> None:
        written(self._tenant.application_of(client_id), client_id)
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
        row = written(self._tenant.principal(principal_id), principal_id)
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

    @fallible("roles.names")
    async def names(self) -> dict[str, str]:
        return {id_: name for name, id_ in self._tenant.role_ids.items()}

    @fallible("roles.assigned")
    async def assigned(self, principal_id: str) -> list[RoleAssignment]:
        row = self._tenant.principal(principal_id)
        return [_assignment(r) for r in (row.roles if row else []) if r.seen()]

    @fallible("roles.assign")
    async def assign(self, principal_id: str, role_id: str) -> None:
        row = written(self._tenant.principal(principal_id), principal_id)
        if not any(r.role_id == role_id and r.scope == "/" for r in row.roles):
            row.roles.append(RoleRow(role_id=role_id, hidden=self._tenant.lag))

    @fallible("roles.unassign")
    async def unassign(self, assignment: RoleAssignment) -> None:
        for row in self._tenant.principals.values():
            row.roles[:] = [r for r in row.roles if r.id != assignment.id]

    @fallible("roles.settled_assignment")
    async def settled_assignment(self, principal_id: str, role_id: str) -> RoleAssignment | None:
        row = self._tenant.principal(principal_id)
        here = [r for r in (row.roles if row else []) if r.role_id == role_id and r.scope == "/"]
        return next((_assignment(r) for r in here if r.seen()), None)


def _assignment(row: RoleRow) -> RoleAssignment:
    return RoleAssignment(
        id=row.id, role_id=row.role_id, scope=row.scope, principal_type=row.principal_type
    )


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
