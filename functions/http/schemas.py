"""JSON schemas of what callers may send, derived from the profiles."""

from typing import Any

from functions.http import import_schemas
from shared.messages import VERSION
from shared.model.profile import Input, Profile
from shared.profile import catalogue
from shared.requests.inputs import MAX_ELEMENT, MAX_ELEMENTS, MAX_TEXT
from shared.requests.order import MAX_OPERATION, ORDERS
from shared.requests.request import MAX_OWNER, MAX_REASON
from shared.requests.text import NAME

Schema = dict[str, Any]

NAME_SCHEMA: Schema = {
    "type": "string",
    "pattern": f"^{NAME}$",
    "minLength": 2,
    "maxLength": 121,
    "description": "Name of the connection, and of its secret in Key Vault.",
}

APPROVAL: Schema = {
    "type": "object",
    "description": "Who approves is the caller, who needs the app role Keyturn.Approver.",
    "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": MAX_REASON}},
    "required": ["reason"],
    "additionalProperties": False,
}

ACKNOWLEDGEMENT: Schema = {
    "type": "object",
    "properties": {
        "by": {"type": "string", "maxLength": MAX_OWNER},
        "note": {"type": "string", "maxLength": MAX_REASON},
    },
    "additionalProperties": False,
}

ROTATION: Schema = {
    "type": "object",
    "properties": {"emergency": {"const": False}},
    "additionalProperties": False,
}

DISCOVERY: Schema = {
    "type": "object",
    "properties": {
        "force_full": {
            "type": "boolean",
            "default": False,
            "description": "Read everything, also where only changes would be read.",
        }
    },
    "additionalProperties": False,
}

EMPTY: Schema = {"type": "object", "additionalProperties": False}


def bodies() -> dict[str, Schema]:
    """Every schema of a body by name."""
    return {
        "ConnectionRequest": _by_profile(_request),
        "ApprovalRequest": APPROVAL,
        "AcknowledgementRequest": ACKNOWLEDGEMENT,
        "RotationRequest": ROTATION,
        "DiscoveryRequest": DISCOVERY,
        "EmptyRequest": EMPTY,
        **import_schemas.bodies(),
        "ProvisioningMessage": {
            "description": "Message of the provisioning queue; messageId makes it unique.",
            "oneOf": [
                _order(),
                _import(),
                *(_onboarding(profile) for profile in catalogue().values()),
            ],
        },
    }


def _by_profile(make: Any) -> Schema:
    return {"oneOf": [make(profile) for profile in catalogue().values()]}


def _request(profile: Profile) -> Schema:
    return {
        "title": profile.title,
        "type": "object",
        "properties": {"name": NAME_SCHEMA, **_wanted(profile)},
        "required": ["name", *_required(profile)],
        "additionalProperties": False,
    }


def _onboarding(profile: Profile) -> Schema:
    wanted = _wanted(profile)
    del wanted["approval"]  # a message has no signed-in caller
    return {
        "title": f"Onboard: {profile.title}",
        "type": "object",
        "properties": {**_envelope({"const": "onboard"}), **wanted},
        "required": ["apiVersion", "kind", "connection", *_required(profile)],
        "additionalProperties": False,
    }


def _order() -> Schema:
    kinds = [kind for kind in ORDERS if kind not in ("onboard", "import")]
    return {
        "title": "Work on a connection",
        "type": "object",
        "properties": _envelope({"enum": kinds}),
        "required": ["apiVersion", "kind", "connection"],
        "additionalProperties": False,
    }


def _import() -> Schema:
    return {
        "title": "Import users and groups into a connection's product",
        "type": "object",
        "properties": {**_envelope({"const": "import"}), **import_schemas.WISH},
        "required": ["apiVersion", "kind", "connection"],
        "additionalProperties": False,
    }


def _envelope(kind: Schema) -> dict[str, Schema]:
    return {
        "apiVersion": {"const": VERSION},
        "kind": kind,
        "connection": NAME_SCHEMA,
        "operation": {"type": "string", "maxLength": MAX_OPERATION},
        "attempt": {"type": "integer", "minimum": 1},
    }


def _required(profile: Profile) -> list[str]:
    needs_inputs = any(declared.required for declared in profile.inputs.values())
    return ["profile", "inputs"] if needs_inputs else ["profile"]


def _wanted(profile: Profile) -> dict[str, Schema]:
    needed = [name for name, declared in profile.inputs.items() if declared.required]
    swaps = [swap.instead_of for swap in profile.least_privilege]
    return {
        "profile": {"const": profile.id},
        "features": {
            "type": "object",
            "properties": {
                name: {"type": "boolean", "description": feature.about}
                for name, feature in profile.features.items()
            },
            "additionalProperties": False,
        },
        "inputs": {
            "type": "object",
            "properties": {name: _input(declared) for name, declared in profile.inputs.items()},
            "required": needed,
            "additionalProperties": False,
        },
        "owner": {"type": "string", "maxLength": MAX_OWNER},
        "accept_swaps": {
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": swaps} if swaps else False,
        },
        "approval": APPROVAL,
    }


def _input(declared: Input) -> Schema:
    schema = _typed(declared)
    about = declared.about
    if declared.required_when:
        about += f" (required with {', '.join(declared.required_when)})"
    if about:
        schema["description"] = about
    if declared.default is not None:
        schema["default"] = declared.default
    return schema


def _typed(declared: Input) -> Schema:
    elements: Schema = {
        "type": "array",
        "maxItems": MAX_ELEMENTS,
        "items": _element(declared),
    }
    match declared.type:
        case "int":
            return {"type": "integer", **_bounds(declared, "minimum", "maximum")}
        case "enum":
            return {"enum": list(declared.values or ())}
        case "list":
            return elements
        case "csv":
            return {"oneOf": [{"type": "string"}, elements]}
        case "map":
            return {"type": "object", "additionalProperties": {"type": "string"}}
        case "uri":
            return {"type": "string", "format": "uri"}
        case "uuid":
            return {"type": "string", "format": "uuid"}
        case "duration":
            return {"type": "string", "format": "duration"}
        case _:
            bounds = _bounds(declared, "minLength", "maxLength")
            form = {"pattern": f"^(?:{declared.pattern})$"} if declared.pattern else {}
            return {"type": "string", "maxLength": MAX_TEXT, **bounds, **form}


def _element(declared: Input) -> Schema | bool:
    """Of a list; where the profile allows none yet, only an empty list is valid."""
    if declared.values is not None:
        return {"enum": list(declared.values)} if declared.values else False
    return {"type": "string", "maxLength": MAX_ELEMENT}


def _bounds(declared: Input, low: str, high: str) -> dict[str, int]:
    bounds = {low: declared.min, high: declared.max}
    return {key: value for key, value in bounds.items() if isinstance(value, int)}
