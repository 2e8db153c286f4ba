"""The reference of the profile format, made from the model: JSON Schema for editors, docs tables.

Nothing here runs in the functions.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from shared.model.profile import RESOURCES, Profile

KEYS = Path(__file__).with_name("keys.yaml")
EXTENDS = "id of another profile whose keys this one has too; a key that is given replaces it whole"

Schema = dict[str, Any]


@cache
def meanings() -> dict[str, dict[str, str]]:
    """What each key means, by part of the model."""
    import yaml

    return msgspec.convert(yaml.safe_load(KEYS.read_text("utf-8")), dict[str, dict[str, str]])


def json_schema() -> str:
    """What editors check and complete profiles by."""
    made = msgspec.json.schema(Profile)
    for name, part in made["$defs"].items():
        if "description" in part:
            part["description"] = " ".join(part["description"].split())
        for key, value in part.get("properties", {}).items():
            value["description"] = meanings()[name][key]
    profile: Schema = made["$defs"]["Profile"]
    profile["properties"]["extends"] = {"type": "string", "description": EXTENDS}
    profile["required"] = ["schema", "id", "title"]
    profile["anyOf"] = [
        {"required": ["extends"]},
        {"required": ["sources", "registration", "outputs"]},
    ]
    resource = made["$defs"]["PermissionSet"]["properties"]["resource"]
    resource["examples"] = sorted(RESOURCES)
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def undescribed() -> list[str]:
    """Keys of the model without a meaning, and meanings without a key."""
    parts = msgspec.json.schema(Profile)["$defs"]
    keys = {f"{name}.{key}" for name, part in parts.items() for key in part.get("properties", {})}
    described = {f"{name}.{key}" for name, part in meanings().items() for key in part}
    return sorted(keys ^ described)
