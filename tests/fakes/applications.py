"""Applications and service principals over one `FakeTenant`."""

from datetime import datetime

import msgspec

from shared.model.directory import (
    Application,
    KnownId,
    PermissionKey,
    Principal,
    WantedApplication,
    WantedPrincipal,
)
from tests.fakes.faults import fallible
from tests.fakes.part import Part, written
from tests.fakes.tenant import (
    ApplicationRow,
    PrincipalRow,
    service,
)


class FakeApplications(Part):
    """Implements ``ports.Applications``."""

    @fallible("applications.find")
    async def find(self, unique_name: str) -> Application | None:
        return _application(self._tenant.applications.get(unique_name))

    @fallible("applications.of_client")
    async def of_client(self, client_id: str) -> Application | None:
        return _application(self._tenant.application_of(client_id))

    @fallible("applications.update")
    async def update(self, object_id: str, wanted: WantedApplication) -> None:
        written(self._tenant.application(object_id), object_id).wanted = wanted

    @fallible("applications.configure")
    async def configure(self, object_id: str, configured: frozenset[PermissionKey]) -> None:
        row = written(self._tenant.application(object_id), object_id)
        row.wanted = msgspec.structs.replace(row.wanted, configured=configured)

    @fallible("applications.namesakes")
    async def namesakes(self, display_name: str) -> frozenset[str]:
        rows = self._tenant.principals.values()
        return frozenset(row.client_id for row in rows if row.name == display_name)

    @fallible("applications.identify")
    async def identify(self, id_: str) -> KnownId | None:
        if (app := self._tenant.application(id_)) is not None:
            return KnownId(what="the application's object id", client_id=app.client_id)
        if (principal := self._tenant.principal(id_)) is not None:
            return KnownId(what="the service principal's object id", client_id=principal.client_id)
        return None

    @fallible("applications.deleted")
    async def deleted(self, object_id: str) -> datetime | None:
        return self._tenant.deleted.get(object_id)

    @fallible("applications.remove")
    async def remove(self, object_id: str) -> None:
        tenant = self._tenant
        for name, row in list(tenant.applications.items()):
            if row.id == object_id:
                del tenant.applications[name]
                tenant.principals.pop(row.client_id, None)
                tenant.deleted[object_id] = tenant.clock.now()

    @fallible("applications.add_api")
    async def add_api(self, app_id: str) -> None:
        self._tenant.resources.setdefault(app_id, service(app_id))

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

    @fallible("applications.principal_owners")
    async def principal_owners(self, principal_id: str) -> frozenset[str]:
        row = self._tenant.principal(principal_id)
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
    async def ensure_principal(self, client_id: str, wanted: WantedPrincipal) -> None:
        written(self._tenant.application_of(client_id), client_id)
        row = self._tenant.principals.get(client_id)
        if row is None:
            row = PrincipalRow(
                client_id=client_id, name=wanted.display_name, hidden=self._tenant.lag
            )
            self._tenant.principals[client_id] = row
        row.name, row.enabled, row.tags = wanted.display_name, wanted.enabled, wanted.tags
        row.assignment_required = wanted.assignment_required

    @fallible("applications.allow_sign_in")
    async def allow_sign_in(self, client_id: str, *, allowed: bool) -> None:
        written(self._tenant.principals.get(client_id), client_id).enabled = allowed

    @fallible("applications.settled_principal")
    async def settled_principal(self, client_id: str) -> Principal | None:
        return _principal(self._tenant.principals.get(client_id))


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
    return Principal(
        object_id=row.id,
        client_id=row.client_id,
        enabled=row.enabled,
        assignment_required=row.assignment_required,
        tags=row.tags,
    )
