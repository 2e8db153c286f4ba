"""An approver's decision about a finding."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from shared.model.connection import Value
from shared.model.finding import Choice
from shared.requests.document import read
from shared.requests.problem import Problem, Problems, kind_of, one_of
from shared.requests.request import check_text

CHOICES: tuple[Choice, ...] = ("accept", "remove")
MAX_REASON = 300
"""Less than an approval's: a connection may have dozens of decisions in its row."""

UNTIL = "a date such as 2027-01-31, the last day on which it is accepted"


class Wish(Value, frozen=True):
    """What is to become of a finding."""

    choice: Choice
    reason: str
    until: date | None = None


def check_decision(body: bytes, today: date) -> Wish | list[Problem]:
    """Read the body of ``POST /api/connections/{name}/findings/{fingerprint}/decision``."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    found.unknown_fields(document, ("decision", "reason", "until"), "")
    choice = _choice(document, found)
    reason = check_text(document, "reason", MAX_REASON, found)
    if document.get("reason") in (None, ""):
        found.missing("reason", "say why: it goes into the audit history")
    until = _until(document, today, found)
    return found.listed() or Wish(choice=choice, reason=reason, until=until)


def _choice(document: Mapping[str, Any], found: Problems) -> Choice:
    given = document.get("decision")
    if given is None or given == "":
        found.missing("decision", one_of(CHOICES))
    elif given == "accept":
        return "accept"
    elif given != "remove":
        found.invalid("decision", "decision is not one that can be made", one_of(CHOICES))
    return "remove"


def _until(document: Mapping[str, Any], today: date, found: Problems) -> date | None:
    if "until" not in document:
        return None
    given = document["until"]
    if not isinstance(given, str):
        found.invalid("until", f"until must be a string, not {kind_of(given)}", UNTIL)
        return None
    try:
        last = date.fromisoformat(given) if len(given) == len("2027-01-31") else None
    except ValueError:
        last = None
    if last is None:
        found.invalid("until", "until is no date", UNTIL)
    elif document.get("decision") == "remove":
        found.invalid("until", "only an acceptance has an end", "leave it out")
    elif last < today:
        found.invalid("until", f"{last} is over", f"{today} or later")
    return last
