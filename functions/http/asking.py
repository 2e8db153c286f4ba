"""Reads what a caller sent: identity, body, path, query, and the form of answer wanted."""

from collections.abc import Collection, Mapping
from typing import TypeVar

import azure.functions as func

from functions.http import principal
from functions.http.answers import Fault, bad_input, fault
from shared.model.caller import Caller, Role
from shared.requests import Problem
from shared.requests.problem import one_of
from shared.requests.text import is_name, shown

PLATFORM_QUERY = frozenset({"code", "clientId"})
"""Query parameters of the host: the function key and its name."""

T = TypeVar("T")


def who(req: func.HttpRequest) -> Caller:
    """Who calls, and with which app roles; raises `Fault` 401 where nobody vouches for them."""
    return principal.caller(req.headers)


def require(caller: Caller, role: Role, what: str, *, field: str = "") -> None:
    """Raise `Fault` 403 naming the app role that is needed."""
    if not caller.may(role):
        message = f"{what} needs the app role {role.value}, which {caller.name} does not have"
        hint = f"have an administrator assign {role.value} of the API's enterprise application"
        if not caller.id:
            hint = (
                f"callers with a function key alone never have {role.value}: set up the sign-in "
                "of callers, with KEYTURN_PLATFORM_AUTH entra (docs/deployment.md)"
            )
        raise fault(403, "FORBIDDEN", message, hint, field=field)


def body(req: func.HttpRequest) -> bytes:
    """The body, which is no larger than the call takes (`limits.check_size`)."""
    content = req.get_body()
    if content:
        _require_json(req.headers.get("content-type", ""))
    return content


def _require_json(content_type: str) -> None:
    kind, _, parameters = content_type.partition(";")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        named = shown(content_type, 100) or "not given"
        message = f"the content type is {named}"
        raise fault(415, "CONTENT_TYPE_UNKNOWN", message, "send application/json in UTF-8")


def checked(outcome: T | list[Problem]) -> T:
    """The valid value, or the end of the call."""
    if isinstance(outcome, list):
        raise bad_input(outcome)
    return outcome


def no_problems(problems: list[Problem]) -> None:
    if problems:
        raise bad_input(problems)


def name(req: func.HttpRequest) -> str:
    """The connection that the path names; one that could not exist is told apart at once."""
    given = req.route_params.get("name") or ""
    if not is_name(given):
        message = f"there is no connection {shown(given, 60)}"
        hint = "names are lower case letters, digits and single hyphens; see GET /api/connections"
        raise fault(404, "CONNECTION_UNKNOWN", message, hint, field="name")
    return given


def query(req: func.HttpRequest, allowed: Collection[str]) -> Mapping[str, str]:
    """The query's parameters; a misspelt filter must not silently be no filter."""
    unknown = [key for key in req.params if key not in allowed and key not in PLATFORM_QUERY]
    if unknown:
        problems = [
            Problem(
                field=shown(key, 60),
                code="FIELD_UNKNOWN",
                message=f"there is no query parameter {shown(key, 60)}",
                hint=one_of(allowed),
            )
            for key in unknown[:10]
        ]
        raise Fault(400, problems)
    given: Mapping[str, str] = req.params
    return given


def count(given: Mapping[str, str], key: str, *, default: int, most: int) -> int:
    written = given.get(key)
    if written is None:
        return default
    if not (written.isascii() and written.isdigit() and len(written) < 10):
        raise _bad(key, written, f"a whole number from 1 to {most}")
    number = int(written)
    if not 1 <= number <= most:
        raise _bad(key, written, f"a whole number from 1 to {most}")
    return number


def flag(given: Mapping[str, str], key: str) -> bool | None:
    written = given.get(key)
    if written is None:
        return None
    if written not in ("true", "false"):
        raise _bad(key, written, "allowed: true, false")
    return written == "true"


def choice(given: Mapping[str, str], key: str, allowed: Collection[str]) -> str:
    """One of the allowed words; empty when none is given."""
    written = given.get(key)
    if written is None:
        return ""
    if written not in allowed:
        raise _bad(key, written, one_of(allowed))
    return written


def form(req: func.HttpRequest, offered: Mapping[str, str]) -> str:
    """The form of answer: by ``?format=`` or else by Accept; the first offered by default."""
    wanted: str | None = req.params.get("format")
    if wanted is not None:
        if wanted not in offered:
            raise _bad("format", wanted, one_of(offered))
        return wanted
    accepted = _accepted(req.headers.get("accept", "") or "*/*")
    best = max(offered, key=lambda short: _quality(offered[short], accepted))
    if _quality(offered[best], accepted) > 0:
        return best
    message = "none of the accepted types is offered"
    raise fault(406, "NOT_ACCEPTABLE", message, one_of(offered.values()), field="accept")


def takes_gzip(req: func.HttpRequest) -> bool:
    return _accepted(req.headers.get("accept-encoding", "")).get("gzip", 0.0) > 0


def _accepted(header: str) -> dict[str, float]:
    """Media ranges and their weights; what cannot be read counts as fully accepted."""
    ranges: dict[str, float] = {}
    for part in header.split(",")[:50]:
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = _weight(value.strip())
        if media:
            ranges[media] = weight
    return ranges


def _weight(written: str) -> float:
    try:
        weight = float(written)
    except ValueError:
        return 1.0
    return weight if 0 <= weight <= 1 else 1.0


def _quality(media: str, accepted: Mapping[str, float]) -> float:
    """The most specific range that covers *media* decides (RFC 9110, 12.5.1)."""
    for candidate in (media, f"{media.partition('/')[0]}/*", "*/*"):
        if candidate in accepted:
            return accepted[candidate]
    return 0.0


def _bad(key: str, written: str, hint: str) -> Fault:
    message = f"{key} cannot be {shown(written, 60)}"
    return fault(400, "INPUT_INVALID", message, hint, field=key)
