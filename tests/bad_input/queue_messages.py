"""Malformed messages of the `provisioning` queue."""

from typing import Any

from tests.bad_input import Row
from tests.bad_input.http_bodies import NAMES
from tests.bad_input.import_bodies import QUEUE_ROWS
from tests.bad_input.wanted import ABSENT, CHANGES, UNREADABLE, WANTED, changed, encoded

GOOD: dict[str, Any] = {
    "apiVersion": "keyturn/v1",
    "kind": "onboard",
    "connection": "dvls-prod",
    **WANTED,
}
CHANGE: dict[str, Any] = {"apiVersion": "keyturn/v1", "kind": "change", "connection": "dvls-prod"}
ROTATE: dict[str, Any] = {"apiVersion": "keyturn/v1", "kind": "rotate", "connection": "dvls-prod"}
ACKNOWLEDGE: dict[str, Any] = {
    "apiVersion": "keyturn/v1",
    "kind": "acknowledge",
    "connection": "dvls-prod",
}

# id, field, value, code: of the envelope
ENVELOPE: tuple[tuple[str, str, Any, str], ...] = (
    ("version-missing", "apiVersion", ABSENT, "INPUT_MISSING"),
    ("version-null", "apiVersion", None, "INPUT_MISSING"),
    ("version-old", "apiVersion", "keyturn/v0", "VERSION_UNKNOWN"),
    ("version-is-number", "apiVersion", 1, "VERSION_UNKNOWN"),
    ("version-is-object", "apiVersion", {}, "VERSION_UNKNOWN"),
    ("kind-missing", "kind", ABSENT, "INPUT_MISSING"),
    ("kind-unknown", "kind", "destroy", "KIND_UNKNOWN"),
    ("kind-internal", "kind", "retire", "KIND_UNKNOWN"),
    ("kind-offboard", "kind", "offboard", "FORBIDDEN"),
    ("kind-in-capitals", "kind", "Onboard", "KIND_UNKNOWN"),
    ("kind-is-list", "kind", ["onboard"], "KIND_UNKNOWN"),
    ("kind-is-object", "kind", {}, "KIND_UNKNOWN"),
    ("attempt-zero", "attempt", 0, "INPUT_INVALID"),
    ("attempt-is-text", "attempt", "1", "INPUT_INVALID"),
    ("attempt-is-true", "attempt", True, "INPUT_INVALID"),
    ("attempt-is-fraction", "attempt", 1.5, "INPUT_INVALID"),
    ("operation-is-number", "operation", 5, "INPUT_INVALID"),
    ("operation-too-long", "operation", "x" * 129, "INPUT_INVALID"),
    ("connection-missing", "connection", ABSENT, "INPUT_MISSING"),
    ("connection-empty", "connection", "", "INPUT_MISSING"),
)

ROWS: tuple[Row, ...] = (
    *(Row(*row) for row in UNREADABLE),
    *(
        Row(id_, encoded(changed(GOOD, path, value)), field, code)
        for id_, path, value, field, code in CHANGES
    ),
    *(
        Row(id_, encoded({**GOOD, "connection": name}), "connection", "INPUT_INVALID")
        for id_, name in NAMES
    ),
    *(
        Row(id_, encoded(changed(GOOD, field, value)), field, code)
        for id_, field, value, code in ENVELOPE
    ),
    *QUEUE_ROWS,
    Row("empty", b"", "", "NOT_JSON"),
    Row("empty-object", b"{}", "connection", "INPUT_MISSING"),
    Row("name-for-connection", encoded({**GOOD, "name": "dvls-prod"}), "name", "FIELD_UNKNOWN"),
    Row(
        "approved-by-nobody",
        encoded({**GOOD, "approval": {"reason": "reviewed"}}),
        "approval",
        "FORBIDDEN",
    ),
    Row("change-of-nothing", encoded(CHANGE), "features", "INPUT_MISSING"),
    Row("change-of-profile", encoded({**CHANGE, "profile": "x"}), "profile", "FIELD_UNKNOWN"),
    Row("change-dry", encoded({**CHANGE, "dry_run": True}), "dry_run", "FIELD_UNKNOWN"),
    Row("change-features-list", encoded({**CHANGE, "features": []}), "features", "INPUT_INVALID"),
    Row("word-of-no-text", encoded({**ACKNOWLEDGE, "version": 2}), "version", "INPUT_INVALID"),
    Row("word-too-long", encoded({**ACKNOWLEDGE, "by": "x" * 300}), "by", "INPUT_INVALID"),
    Row("word-of-a-key", encoded({**ACKNOWLEDGE, "key_id": "x"}), "key_id", "FIELD_UNKNOWN"),
    Row("rotate-with-version", encoded({**ROTATE, "version": "x"}), "version", "FIELD_UNKNOWN"),
    Row("rotate-with-inputs", encoded({**ROTATE, "inputs": {}}), "inputs", "FIELD_UNKNOWN"),
    Row("rotate-emergency", encoded({**ROTATE, "emergency": True}), "emergency", "FORBIDDEN"),
    Row("rotate-no-emergency", encoded({**ROTATE, "emergency": 1}), "emergency", "FIELD_UNKNOWN"),
    Row("emergency", encoded({**ROTATE, "kind": "emergency"}), "kind", "FORBIDDEN"),
    Row(
        "rotate-elsewhere", encoded({**ROTATE, "connection": "A/B"}), "connection", "INPUT_INVALID"
    ),
)
