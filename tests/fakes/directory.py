"""The directory and its roles over one `FakeTenant`."""

from shared.errors import NeedsHuman
from shared.model.directory import (
    Resource,
    RoleAssignment,
    Tenant,
)
from tests.fakes.faults import fallible
from tests.fakes.part import Part, written
from tests.fakes.tenant import (
    FakeTenant,
    RoleRow,
)


class FakeDirectory(Part):
    """Implements ``ports.Directory``."""

    def __init__(self, tenant: FakeTenant) -> None:
        super().__init__(tenant)
        self._known: dict[str, Resource] = {}

    @fallible("directory.tenant")
    async def tenant(self) -> Tenant:
        tenant = self._tenant
        if tenant.configured_id not in ("", tenant.identity.id):
            raise NeedsHuman(
                "TENANT_MISMATCH",
                f"{tenant.identity.id} is not {tenant.configured_id}",
                "Correct the setting.",
            )
        return tenant.identity

    @fallible("directory.own_roles")
    async def own_roles(self, *, fresh: bool = False) -> frozenset[str]:
        """What was granted meanwhile is in a fresh token, and in those after it."""
        if fresh:
            self._tenant.own_roles |= self._tenant.granted_lately
        return self._tenant.own_roles

    @fallible("directory.own_principal")
    async def own_principal(self) -> str:
        return self._tenant.own_principal

    @fallible("directory.resource")
    async def resource(self, app_id: str, *, fresh: bool = False) -> Resource | None:
        """Known ones are not read again unless asked for, as by the adapter."""
        known = self._known.get(app_id)
        if known is None or fresh:
            known = self._tenant.resources.get(app_id)
            if known is not None:
                self._known[app_id] = known
        return known

    @fallible("directory.hybrid")
    async def hybrid(self) -> bool:
        return self._tenant.hybrid

    @fallible("directory.user_id")
    async def user_id(self, name: str) -> str | None:
        users = self._tenant.users
        return users.get(name) or (name if name in users.values() else None)


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
