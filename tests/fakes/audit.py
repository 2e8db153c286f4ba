"""The audit log of one `FakeTenant`: what tests put there."""

from datetime import datetime

from shared.model.finding import AuditEntry
from tests.fakes.faults import fallible
from tests.fakes.part import Part


class FakeAuditLog(Part):
    """Implements ``ports.AuditLog``."""

    @fallible("audit_log.entries")
    async def entries(self, target: str, since: datetime) -> list[AuditEntry]:
        return [e for e in self._tenant.logged.get(target, []) if e.at >= since]
