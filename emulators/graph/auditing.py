"""Entries of the directory audit log for what a call did."""

from typing import Any

from emulators.graph.routing import Call
from emulators.graph.state import Entity


def audited(call: Call, activity: str, operation: str, entity: Entity) -> None:
    target: dict[str, Any] = {
        "id": entity.id,
        "displayName": entity.body.get("displayName"),
        "type": entity.kind[:1].upper() + entity.kind[1:],
        "userPrincipalName": None,
        "groupType": None,
        "modifiedProperties": [],
    }
    initiator = {
        "appId": None,
        "displayName": call.tenant.name_of(call.caller.object_id),
        "servicePrincipalId": call.caller.object_id,
        "servicePrincipalName": None,
    }
    call.tenant.audit.record(activity, "ApplicationManagement", operation, target, initiator)
