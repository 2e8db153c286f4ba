"""Granted permissions over one `FakeTenant`."""

from shared.errors import TryLater
from shared.model.directory import (
    DelegatedGrant,
    Grant,
    Kind,
    Permission,
)
from tests.fakes.faults import fallible
from tests.fakes.part import Part, written
from tests.fakes.tenant import (
    GrantRow,
    ScopesRow,
)


class FakeConsents(Part):
    """Implements ``ports.Consents``."""

    @fallible("consents.granted")
    async def granted(self, principal_id: str) -> list[Grant]:
        row = self._tenant.principal(principal_id)
        return [
            Grant(
                id=g.id,
                resource_id=g.resource_id,
                permission_id=g.permission_id,
                created=g.created,
            )
            for g in (row.grants if row else [])
            if g.seen()
        ]

    @fallible("consents.delegated")
    async def delegated(self, principal_id: str) -> list[DelegatedGrant]:
        row = self._tenant.principal(principal_id)
        return [
            DelegatedGrant(
                id=d.id,
                resource_id=d.resource_id,
                scopes=d.scopes,
                everybody=d.everybody,
                user=d.user,
            )
            for d in (row.delegated if row else [])
            if d.seen()
        ]

    @fallible("consents.grant")
    async def grant(self, principal_id: str, resource_id: str, permission_id: str) -> None:
        row = written(self._tenant.principal(principal_id), principal_id)
        offered = {p.key.id for p in self._offered(resource_id) if p.key.kind == Kind.APPLICATION}
        if permission_id not in offered:
            raise TryLater("APPROLE_BAD_REF", "HTTP 400: Not a valid reference update")
        if not any(
            (g.resource_id, g.permission_id) == (resource_id, permission_id) for g in row.grants
        ):
            row.grants.append(
                GrantRow(
                    resource_id=resource_id, permission_id=permission_id, hidden=self._tenant.lag
                )
            )

    @fallible("consents.revoke")
    async def revoke(self, grant: Grant) -> None:
        for row in self._tenant.principals.values():
            row.grants[:] = [g for g in row.grants if g.id != grant.id]

    @fallible("consents.grant_scopes")
    async def grant_scopes(
        self, principal_id: str, resource_id: str, scopes: tuple[str, ...]
    ) -> None:
        row = written(self._tenant.principal(principal_id), principal_id)
        if any(d.everybody and d.resource_id == resource_id for d in row.delegated):
            raise TryLater("ALREADY_THERE", "HTTP 409: Permission entry already exists.")
        made = ScopesRow(resource_id=resource_id, scopes=scopes, hidden=self._tenant.lag)
        row.delegated.append(made)

    @fallible("consents.set_scopes")
    async def set_scopes(self, grant: DelegatedGrant, scopes: tuple[str, ...]) -> None:
        for row in self._tenant.principals.values():
            for held in row.delegated:
                if held.id == grant.id:
                    held.scopes = scopes
            row.delegated[:] = [held for held in row.delegated if held.scopes]

    def _offered(self, resource_id: str) -> tuple[Permission, ...]:
        apis = self._tenant.resources.values()
        return next((api.permissions for api in apis if api.principal_id == resource_id), ())
