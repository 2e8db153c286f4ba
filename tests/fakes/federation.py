"""Federated identity credentials over one `FakeTenant`."""

from msgspec.structs import replace

from shared.model.credential import FederatedTrust
from tests.fakes.faults import fallible
from tests.fakes.part import Part, written
from tests.fakes.tenant import FederatedRow


class FakeFederation(Part):
    """Implements ``ports.Federation``."""

    @fallible("federation.trusted")
    async def trusted(self, object_id: str) -> list[FederatedTrust]:
        row = self._tenant.application(object_id)
        rows = row.federated if row is not None and row.seen() else []
        return [replace(found.trust, id=found.id) for found in rows if found.seen()]

    @fallible("federation.add")
    async def add(self, object_id: str, wanted: FederatedTrust) -> None:
        row = written(self._tenant.application(object_id), object_id)
        if all(found.trust.name != wanted.name for found in row.federated):
            row.federated.append(FederatedRow(trust=wanted, hidden=self._tenant.lag))

    @fallible("federation.correct")
    async def correct(self, object_id: str, trust_id: str, wanted: FederatedTrust) -> None:
        row = written(self._tenant.application(object_id), object_id)
        found = written(next((r for r in row.federated if r.id == trust_id), None), trust_id)
        found.trust = replace(wanted, name=found.trust.name)

    @fallible("federation.remove")
    async def remove(self, object_id: str, trust_id: str) -> None:
        row = self._tenant.application(object_id)
        if row is not None:
            row.federated[:] = [found for found in row.federated if found.id != trust_id]
