"""What a call to rotate may ask for: nothing, or an emergency with its reason."""

from shared.model.connection import Value
from shared.planning.emergency import OPTIONS
from shared.requests.document import read
from shared.requests.problem import Problem, Problems, kind_of
from shared.requests.request import MAX_REASON, check_text


class Emergency(Value, frozen=True):
    """A secret that others may know is to be replaced and removed at once."""

    reason: str
    options: tuple[str, ...] = ()


def check_rotation(body: bytes) -> Emergency | list[Problem] | None:
    """None for an ordinary rotation."""
    found = Problems()
    document = (read(body, found) or {}) if body else {}
    found.unknown_fields(document, ("emergency", "reason", *OPTIONS), "")
    flags = {}
    for name in ("emergency", *OPTIONS):
        given = document.get(name, False)
        if not isinstance(given, bool):
            message = f"{name} must be a boolean, not {kind_of(given)}"
            found.invalid(name, message, "allowed: true, false")
        flags[name] = given is True
    reason = check_text(document, "reason", MAX_REASON, found)
    if flags["emergency"]:
        if document.get("reason") in (None, ""):
            found.missing("reason", "say what has happened: it goes into the audit history")
    elif document.get("emergency", False) is False:
        for name in ("reason", *OPTIONS):
            if document.get(name):
                found.invalid(
                    name, f"{name} is for emergencies only", "set emergency: true, or leave it out"
                )
    if problems := found.listed():
        return problems
    wanted = tuple(name for name in OPTIONS if flags[name])
    return Emergency(reason=reason, options=wanted) if flags["emergency"] else None
