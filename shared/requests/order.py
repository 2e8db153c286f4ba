"""Orders that other systems post to the `provisioning` queue: the public message contract."""

from collections.abc import Mapping
from typing import Any

from shared.messages import VERSION
from shared.model.connection import Spec, Value
from shared.model.imports import ImportRequest
from shared.requests.change import CHANGEABLE, Change, read_change
from shared.requests.document import read
from shared.requests.imports import IMPORT_FIELDS, check_wish
from shared.requests.problem import Problem, Problems, kind_of, one_of
from shared.requests.request import FIELDS, check_name, check_text, check_wanted
from shared.requests.side import ACKNOWLEDGED, Acknowledgement, read_acknowledgement

ORDERS = ("onboard", "change", "rotate", "verify", "discover", "import", "acknowledge")
"""What outsiders may ask for: kinds of operation, and the word that a product was changed over."""

ENVELOPE = ("apiVersion", "kind", "connection", "operation", "attempt")
"""The last two are what our own messages carry; they are tolerated and mean nothing here, but for
an acknowledgement, whose `operation` is the rotation that it is about."""

MAX_OPERATION = 128

NO_APPROVER = "a message has no signed-in caller who could approve"
APPROVE_INSTEAD = (
    "leave approval out; somebody with the app role Keyturn.Approver posts to "
    "/api/connections/{name}/approval"
)


NO_CALLER = "a message has no signed-in caller who could answer for an offboarding"
OFFBOARD_INSTEAD = "an operator sends DELETE /api/connections/{name}"

NO_RESPONDER = "a message has no signed-in caller who could answer for an emergency"
ROTATE_INSTEAD = (
    "an operator posts emergency: true and a reason to /api/connections/{name}/rotation"
)


class Order(Value, frozen=True):
    """A valid order: `spec` is what to onboard, `change` what to change, `wish` what to import,
    and `word` what somebody says of the published secret."""

    kind: str
    connection: str
    spec: Spec | None = None
    change: Change | None = None
    wish: ImportRequest | None = None
    word: Acknowledgement | None = None


def check_message(body: bytes) -> Order | list[Problem]:
    """Read the body of a message from the `provisioning` queue."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    kind = _check_envelope(document, found)
    name = check_name(document, "connection", found)
    order = Order(kind=kind, connection=name)
    if kind == "onboard":
        found.unknown_fields(document, (*ENVELOPE, *FIELDS), "")
        wanted = check_wanted(name, document, found)
        order = Order(kind=kind, connection=name, spec=wanted.spec)
        if "approval" in document:
            found.add("approval", "FORBIDDEN", NO_APPROVER, APPROVE_INSTEAD)
    elif kind == "change":
        found.unknown_fields(document, (*ENVELOPE, *CHANGEABLE), "")
        order = Order(kind=kind, connection=name, change=read_change(document, found))
    elif kind == "import":
        found.unknown_fields(document, (*ENVELOPE, *IMPORT_FIELDS), "")
        order = Order(kind=kind, connection=name, wish=check_wish(document, found))
    elif kind == "acknowledge":
        found.unknown_fields(document, (*ENVELOPE, *ACKNOWLEDGED), "")
        order = Order(kind=kind, connection=name, word=read_acknowledgement(document, found))
    elif kind:
        known: tuple[str, ...] = ENVELOPE
        if kind == "rotate" and document.get("emergency") is True:
            found.add("emergency", "FORBIDDEN", NO_RESPONDER, ROTATE_INSTEAD)
            known = (*ENVELOPE, "emergency")
        found.unknown_fields(document, known, "")
    return found.listed() or order


def _check_envelope(document: Mapping[str, Any], found: Problems) -> str:
    """Check everything around the order itself; answers its kind, empty when there is none."""
    version, kind = document.get("apiVersion"), document.get("kind")
    if version is None:
        found.missing("apiVersion", f"allowed: {VERSION}")
    elif version != VERSION:
        message = "apiVersion is not one that is understood"
        found.add("apiVersion", "VERSION_UNKNOWN", message, f"allowed: {VERSION}")
    check_text(document, "operation", MAX_OPERATION, found)
    attempt = document.get("attempt", 1)
    if isinstance(attempt, bool) or not isinstance(attempt, int) or attempt < 1:
        message = f"attempt is no count, but {kind_of(attempt)}"
        found.invalid("attempt", message, "a whole number from 1")
    if kind is None or kind == "":
        found.missing("kind", one_of(ORDERS))
    elif kind == "offboard":
        found.add("kind", "FORBIDDEN", NO_CALLER, OFFBOARD_INSTEAD)
    elif kind == "emergency":
        found.add("kind", "FORBIDDEN", NO_RESPONDER, ROTATE_INSTEAD)
    elif kind not in ORDERS:
        found.add("kind", "KIND_UNKNOWN", "kind is not one that is understood", one_of(ORDERS))
    else:
        return str(kind)
    return ""
