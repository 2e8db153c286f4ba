"""JSON schemas of what a profile lets a request say: features, inputs, swaps."""

from typing import Any

from shared.model.profile import Input, Profile
from shared.profile.scan_inputs import inputs_of
from shared.requests.inputs import MAX_ELEMENT, MAX_ELEMENTS, MAX_TEXT
from shared.requests.request import MAX_OWNER

Schema = dict[str, Any]


def required(profile: Profile) -> list[str]:
    needs_inputs = any(declared.required for declared in profile.inputs.values())
    return ["profile", "inputs"] if needs_inputs else ["profile"]


def wanted(profile: Profile) -> dict[str, Schema]:
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
            "properties": {name: _input(declared) for name, declared in inputs_of(profile).items()},
            "required": needed,
            "additionalProperties": False,
        },
        "owner": {"type": "string", "maxLength": MAX_OWNER},
        "accept_swaps": {
            "type": "array",
            "uniqueItems": True,
            "items": {"enum": swaps} if swaps else False,
        },
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
