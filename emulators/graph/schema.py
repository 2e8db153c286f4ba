"""Types of the entities (Graph v1.0 metadata): which properties exist, and what they hold."""

import json
import re
from collections.abc import Callable
from importlib import resources
from typing import Any

from emulators.graph.errors import GraphError, bad_request
from emulators.graph.ids import is_guid

TYPES: dict[str, Any] = json.loads(
    resources.files("emulators.graph").joinpath("data/types.json").read_text()
)
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,12})?(Z|[+-]\d\d:\d\d)")
_PRIMITIVE: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "guid": is_guid,
    "datetime": lambda value: isinstance(value, str) and _DATE.fullmatch(value) is not None,
}
DIRECTORY_OBJECTS = (
    "user",
    "group",
    "servicePrincipal",
    "application",
    "administrativeUnit",
    "directoryRole",
)
READ_ONLY = {"id", "appId", "createdDateTime", "deletedDateTime", "publisherDomain"}


def property_type(kind: str, name: str) -> str | None:
    """The type of a property, or None when the entity has no such property."""
    if name.startswith("extension_"):
        return "any?"
    kinds = DIRECTORY_OBJECTS if kind == "anything" else (kind,)
    found = next((TYPES[each][name] for each in kinds if name in TYPES[each]), None)
    return None if found is None else str(found)


def validated(
    kind: str, body: Any, *, required: tuple[str, ...] = (), ignore: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """The body of a write, without annotations; 400 when it does not fit the type."""
    if not isinstance(body, dict):
        raise bad_request("Empty Payload. JSON content expected.")
    _check_object(kind, body)
    values = {name: value for name, value in body.items() if not name.startswith("@")}
    missing = [name for name in required if values.get(name) in (None, "")]
    if missing:
        raise bad_request(
            f"A value is required for property '{missing[0]}' of resource '{_title(kind)}'."
        )
    fixed = sorted((READ_ONLY & values.keys()) - ignore)
    if fixed:
        raise bad_request(
            f"Property '{fixed[0]}' is read-only and cannot be set.",
        )
    return values


def _title(kind: str) -> str:
    return kind[:1].upper() + kind[1:]


def _check_object(kind: str, body: dict[str, Any]) -> None:
    known = TYPES[kind]
    for name, value in body.items():
        if name.startswith(("@", "extension_")) or "@odata." in name:
            continue
        if name not in known:
            raise bad_request(
                f"Invalid property '{name}'."
                if kind in ("application", "servicePrincipal", "user", "group")
                else f"The property '{name}' does not exist on type 'microsoft.graph.{kind}'. "
                "Make sure to only use property names that are defined by the type."
            )
        _check_value(name, value, known[name])


def _check_value(name: str, value: Any, wanted: str) -> None:
    if value is None:
        if not wanted.endswith("?"):
            raise bad_request(f"A value is required for property '{name}' of resource.")
        return
    wanted = wanted.removesuffix("?")
    if wanted.startswith("["):
        if not isinstance(value, list):
            raise _mismatch(name, "Collection")
        for item in value:
            _check_value(name, item, wanted[1:-1])
    elif wanted in _PRIMITIVE:
        if not _PRIMITIVE[wanted](value):
            raise _mismatch(name, f"Edm.{wanted.title()}")
    else:
        _check_named(name, value, wanted)


def _check_named(name: str, value: Any, wanted: str) -> None:
    known = TYPES.get(wanted, "any")
    if known == "any":
        return
    if "enum" in known:
        if value not in known["enum"]:
            raise _mismatch(name, f"microsoft.graph.{wanted}")
    elif not isinstance(value, dict):
        raise _mismatch(name, f"microsoft.graph.{wanted}")
    else:
        _check_object(wanted, value)


def _mismatch(name: str, wanted: str) -> GraphError:
    return bad_request(
        f"Invalid value specified for property '{name}' of resource. "
        f"Cannot convert the literal to the expected type '{wanted}'."
    )
