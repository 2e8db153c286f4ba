"""The small bodies: approvals, acknowledgements, and calls that need none."""

from collections.abc import Mapping
from typing import Any

from shared.model.connection import Approval, Value
from shared.requests.document import read
from shared.requests.problem import Problem, Problems
from shared.requests.request import MAX_OWNER, MAX_REASON, check_given, check_text


class Acknowledgement(Value, frozen=True):
    """Somebody's word that the product uses the published secret.

    By naming a `version` of the vault, or the `operation` that published it, it is no word for
    another one that a rotation publishes meanwhile.
    """

    by: str = ""
    note: str = ""
    version: str = ""
    operation: str = ""


ACKNOWLEDGED = ("version", "operation", "by", "note")
"""Fields of an acknowledgement, all of them optional."""

MAX_ID = 128


def check_approval(body: bytes) -> Approval | list[Problem]:
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    approval = check_given(document, "", found)
    return found.listed() or approval


def check_offboarding(body: bytes) -> str | list[Problem]:
    """The reason, which must be given."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    found.unknown_fields(document, ("reason",), "")
    reason = check_text(document, "reason", MAX_REASON, found)
    if document.get("reason") in (None, ""):
        found.missing("reason", "say why the product leaves: it goes into the audit history")
    return found.listed() or reason


def check_acknowledgement(body: bytes) -> Acknowledgement | list[Problem]:
    found = Problems()
    document = _optional(body, found)
    found.unknown_fields(document, ACKNOWLEDGED, "")
    given = read_acknowledgement(document, found)
    return found.listed() or given


def read_acknowledgement(document: Mapping[str, Any], found: Problems) -> Acknowledgement:
    """The same fields in a body and in a message."""
    return Acknowledgement(
        by=check_text(document, "by", MAX_OWNER, found),
        note=check_text(document, "note", MAX_REASON, found),
        version=check_text(document, "version", MAX_ID, found),
        operation=check_text(document, "operation", MAX_ID, found),
    )


def check_empty(body: bytes) -> list[Problem]:
    """A call whose path says it all takes no body, or an empty object."""
    found = Problems()
    found.unknown_fields(_optional(body, found), (), "")
    return found.listed()


def _optional(body: bytes, found: Problems) -> dict[str, Any]:
    return (read(body, found) or {}) if body else {}
