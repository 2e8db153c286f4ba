"""Bodies about imported users: whom to import, their roles, the sign-in, and schedules."""

from collections.abc import Mapping
from typing import Any

from shared.model.connection import Value
from shared.model.imports import ImportRequest, Option
from shared.model.profile import Input
from shared.requests.document import read
from shared.requests.inputs import MAX_ELEMENT, check_value
from shared.requests.problem import Problem, Problems, kind_of
from shared.requests.request import MAX_OWNER, MAX_REASON, check_text

IMPORT_FIELDS = (
    "users", "groups", "group_ids", "account_ids", "everyone", "roles", "options", "every",
)  # fmt: skip

MAX_IDS = 1000
MAX_OPTIONS = 20
EVERY = Input(type="duration", min="PT15M", max="P90D")
NAMES = Input(type="csv")
ROLES = Input(type="map")


class Acknowledged(Value, frozen=True):
    """Somebody's word that a precondition outside holds."""

    by: str = ""
    note: str = ""


class ScheduleChange(Value, frozen=True):
    """What is to change of a schedule; None leaves it."""

    every: str | None = None
    enabled: bool | None = None


class FetchRequest(Value, frozen=True):
    """A page of groups: those whose name begins with `prefix`, behind the group `after`."""

    prefix: str = ""
    after: str = ""
    limit: int = 50


def check_import(body: bytes) -> ImportRequest | list[Problem]:
    """Read the body of ``POST /api/connections/{name}/import``; an empty one takes the inputs."""
    found = Problems()
    document = (read(body, found) or {}) if body else {}
    found.unknown_fields(document, IMPORT_FIELDS, "")
    request = check_wish(document, found)
    return found.listed() or request


def check_wish(document: Mapping[str, Any], found: Problems) -> ImportRequest:
    """Whom to import; of use only when nothing was found."""
    return ImportRequest(
        users=_names(document, "users", found),
        groups=_names(document, "groups", found),
        group_ids=_ids(document, "group_ids", found),
        account_ids=_ids(document, "account_ids", found),
        everyone=_flag(document, "everyone", found) or False,
        roles=_roles(document, found),
        options=_options(document, found),
        every=_every(document, found) if "every" in document else None,
    )


def check_roles(body: bytes) -> dict[str, str] | list[Problem]:
    """Read the body of ``PATCH /api/connections/{name}/users``."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    found.unknown_fields(document, ("roles",), "")
    roles = _roles(document, found)
    if not document.get("roles"):
        found.missing("roles", 'for example {"ana@contoso.com": "Administrator"}')
    return found.listed() or roles


def check_login(body: bytes) -> bool | list[Problem]:
    """Read the body of ``POST /api/connections/{name}/login``: whether it is to be on."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    found.unknown_fields(document, ("enabled",), "")
    enabled = _flag(document, "enabled", found)
    if "enabled" not in document:
        found.missing("enabled", "allowed: true, false")
    return found.listed() or bool(enabled)


def check_acknowledged(body: bytes) -> Acknowledged | list[Problem]:
    """Read the body of ``POST /api/connections/{name}/preconditions/{id}``; it may be empty."""
    found = Problems()
    document = (read(body, found) or {}) if body else {}
    found.unknown_fields(document, ("by", "note"), "")
    by = check_text(document, "by", MAX_OWNER, found)
    note = check_text(document, "note", MAX_REASON, found)
    return found.listed() or Acknowledged(by=by, note=note)


def check_schedule(body: bytes) -> ScheduleChange | list[Problem]:
    """Read the body of ``PATCH /api/schedules/{id}``."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    found.unknown_fields(document, ("every", "enabled"), "")
    every = None
    if "every" in document:
        every = check_value("every", document["every"], EVERY, found)
    enabled = _flag(document, "enabled", found)
    if not document:
        found.missing("every", "give every, enabled, or both")
    return found.listed() or ScheduleChange(every=every, enabled=enabled)


def check_fetch(body: bytes) -> FetchRequest | list[Problem]:
    """Read the body of ``POST /api/connections/{name}/groups:fetch``; it may be empty."""
    found = Problems()
    document = (read(body, found) or {}) if body else {}
    found.unknown_fields(document, ("prefix", "after", "limit"), "")
    prefix = check_text(document, "prefix", MAX_ELEMENT, found)
    after = check_text(document, "after", MAX_ELEMENT, found)
    limit = check_value(
        "limit", document.get("limit", 50), Input(type="int", min=1, max=100), found
    )
    return found.listed() or FetchRequest(prefix=prefix, after=after, limit=limit or 0)


def _names(document: Mapping[str, Any], field: str, found: Problems) -> tuple[str, ...]:
    return tuple(check_value(field, document.get(field, []), NAMES, found) or ())


def _ids(document: Mapping[str, Any], field: str, found: Problems) -> tuple[str, ...]:
    given = document.get(field, [])
    if not isinstance(given, list):
        found.invalid(field, f"{field} must be a list, not {kind_of(given)}", "a list of ids")
        return ()
    if len(given) > MAX_IDS:
        found.invalid(field, f"{field} has {len(given)} elements", f"at most {MAX_IDS}")
        return ()
    for place, id_ in enumerate(given):
        if not isinstance(id_, str) or not id_.strip() or len(id_) > MAX_ELEMENT:
            path = f"{field}[{place}]"
            found.invalid(path, f"{path} is not an id", "every element is the text of an id")
            return ()
    return tuple(dict.fromkeys(given))


def _roles(document: Mapping[str, Any], found: Problems) -> dict[str, str]:
    return check_value("roles", document.get("roles", {}), ROLES, found) or {}


def _options(document: Mapping[str, Any], found: Problems) -> dict[str, Option]:
    given = document.get("options", {})
    if not isinstance(given, dict) or len(given) > MAX_OPTIONS:
        message = f"options must be an object of up to {MAX_OPTIONS}, not {kind_of(given)}"
        found.invalid("options", message, 'for example {"reset_password": true}')
        return {}
    for name, value in given.items():
        too_long = isinstance(value, str) and len(value) > MAX_ELEMENT
        if not isinstance(value, str | bool | int) or too_long:
            path = f"options.{name}"
            hint = f"text of up to {MAX_ELEMENT} characters, a whole number, true or false"
            found.invalid(path, f"{path} has a value that no option takes", hint)
    return dict(given)


def _every(document: Mapping[str, Any], found: Problems) -> str | None:
    if document["every"] is None:
        return ""  # once, whatever the connection's inputs say
    return check_value("every", document["every"], EVERY, found)  # type: ignore[no-any-return] # a duration is text


def _flag(document: Mapping[str, Any], field: str, found: Problems) -> bool | None:
    value = document.get(field)
    if field in document and not isinstance(value, bool):
        message = f"{field} must be a boolean, not {kind_of(value)}"
        found.invalid(field, message, "allowed: true, false")
        return None
    return value
