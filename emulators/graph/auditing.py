"""Entries of the directory audit log for what a call did."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from emulators.graph.routing import Call
from emulators.graph.state import Entity


def audited(
    call: Call,
    activity: str,
    operation: str,
    entity: Entity,
    *,
    changed: Mapping[str, tuple[Any, Any]] | None = None,
    others: Sequence[str] = (),
    category: str = "ApplicationManagement",
) -> None:
    """One entry; *changed* are properties with old and new value, *others* further targets' ids."""
    first = _target(entity.id, entity.body.get("displayName"), entity.kind)
    first["modifiedProperties"] = [
        {"displayName": name, "oldValue": _text(old), "newValue": _text(new)}
        for name, (old, new) in (changed or {}).items()
    ]
    initiator = {
        "appId": None,
        "displayName": call.tenant.name_of(call.caller.object_id),
        "servicePrincipalId": call.caller.object_id,
        "servicePrincipalName": None,
    }
    more = [_target(other, call.tenant.name_of(other), _kind(call, other)) for other in others]
    call.tenant.audit.record(activity, category, operation, [first, *more], initiator)


def _target(identity: str, name: Any, kind: str) -> dict[str, Any]:
    return {
        "id": identity,
        "displayName": name,
        "type": kind[:1].upper() + kind[1:],
        "userPrincipalName": None,
        "groupType": None,
        "modifiedProperties": [],
    }


def _kind(call: Call, identity: str) -> str:
    found = call.tenant.find(identity)
    return found.kind if found is not None else "user"


def _text(value: Any) -> str | None:
    """Values are JSON in a text."""
    return None if value is None else json.dumps(value)
