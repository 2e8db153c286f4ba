"""The directory's own audit log, readable at auditLogs/directoryAudits."""

from typing import Any

from emulators.clock import Clock
from emulators.graph.ids import Ids


class AuditLog:
    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock, self._ids = clock, ids
        self.entries: list[dict[str, Any]] = []

    def record(
        self,
        activity: str,
        category: str,
        operation: str,
        targets: list[dict[str, Any]],
        app: Any,
    ) -> None:
        stamp = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        number = len(self.entries)
        self.entries.append(
            {
                "id": f"Directory_{self._ids.guid()}_{number:05d}",
                "category": category,
                "correlationId": self._ids.guid(),
                "result": "success",
                "resultReason": "",
                "activityDisplayName": activity,
                "activityDateTime": stamp,
                "loggedByService": "Core Directory",
                "operationType": operation,
                "initiatedBy": {"user": None, "app": app},
                "targetResources": targets,
                "additionalDetails": [],
            }
        )
