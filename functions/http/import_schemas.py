"""JSON schemas of the bodies about imported users."""

from typing import Any

from shared.requests.imports import EVERY, MAX_IDS, MAX_OPTIONS
from shared.requests.inputs import MAX_ELEMENT, MAX_ELEMENTS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string", "maxLength": MAX_ELEMENT}
_NAMES: Schema = {
    "description": "Names, separated by commas; a list where names have commas themselves.",
    "oneOf": [
        {"type": "string"},
        {"type": "array", "maxItems": MAX_ELEMENTS, "items": _TEXT},
    ],
}
_IDS: Schema = {"type": "array", "maxItems": MAX_IDS, "items": _TEXT}
_ROLES: Schema = {
    "type": "object",
    "maxProperties": MAX_ELEMENTS,
    "additionalProperties": _TEXT,
    "description": "User principal name, and one of the product's roles.",
}
_EVERY: Schema = {
    "type": "string",
    "format": "duration",
    "description": f"Interval from {EVERY.min} to {EVERY.max}.",
}

WISH: dict[str, Schema] = {
    "users": _NAMES,
    "groups": _NAMES,
    "group_ids": {**_IDS, "description": "Groups that groups:fetch listed."},
    "account_ids": {**_IDS, "description": "Discovered accounts that were selected."},
    "everyone": {"type": "boolean", "description": "All users of the tenant."},
    "roles": _ROLES,
    "options": {
        "type": "object",
        "maxProperties": MAX_OPTIONS,
        "additionalProperties": {"type": ["string", "integer", "boolean"]},
        "description": "Options of the product's own import; see its profile.",
    },
    "every": {
        "oneOf": [_EVERY, {"type": "null"}],
        "description": "Repeat it so often; null: once. Left out, the connection's inputs say.",
    },
}


def bodies() -> dict[str, Schema]:
    """Every schema of a body by name."""
    return {
        "ImportRequestBody": _object(WISH),
        "FetchRequest": _object(
            {
                "prefix": {**_TEXT, "description": "Groups whose name begins so."},
                "after": {**_TEXT, "description": "Groups behind the one with this id."},
                "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
            }
        ),
        "RolesRequest": _object({"roles": {**_ROLES, "minProperties": 1}}, "roles"),
        "LoginRequest": _object({"enabled": {"type": "boolean"}}, "enabled"),
        "ScheduleRequest": {
            **_object({"every": _EVERY, "enabled": {"type": "boolean"}}),
            "minProperties": 1,
        },
    }


def _object(properties: dict[str, Schema], *required: str) -> Schema:
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made
