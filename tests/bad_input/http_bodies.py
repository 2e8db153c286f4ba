"""Malformed bodies of ``POST /api/connections``."""

from typing import Any

from tests.bad_input import Row
from tests.bad_input.wanted import ABSENT, CHANGES, UNREADABLE, WANTED, changed, encoded

GOOD: dict[str, Any] = {"name": "dvls-prod", **WANTED}

NAMES: tuple[tuple[str, Any], ...] = (
    ("name-one-letter", "a"),
    ("name-in-capitals", "DVLS-Prod"),
    ("name-digit-first", "1dvls"),
    ("name-hyphen-first", "-dvls"),
    ("name-hyphen-last", "dvls-"),
    ("name-double-hyphen", "dvls--next"),
    ("name-underscore", "dvls_prod"),
    ("name-slash", "dvls/prod"),
    ("name-climbs", "../vault"),
    ("name-question-mark", "dvls?x=1"),
    ("name-space", "dvls prod"),
    ("name-line-feed", "dvls\n"),
    ("name-umlaut", "dvläs"),
    ("name-full-width-digit", "dvls\uff11"),
    ("name-too-long", "a" * 122),
    ("name-is-number", 12),
    ("name-is-list", ["dvls"]),
    ("name-is-true", True),
)

# id, approval, field of the expected problem, its code
APPROVALS: tuple[tuple[str, Any, str, str], ...] = (
    ("approval-is-true", True, "approval", "INPUT_INVALID"),
    ("approval-unreasoned", {}, "approval.reason", "INPUT_MISSING"),
    ("approval-by", {"by": "ana", "reason": "x"}, "approval.by", "FIELD_UNKNOWN"),
    ("approval-extra", {"reason": "x", "all": 1}, "approval.all", "FIELD_UNKNOWN"),
    ("approval-long", {"reason": "x" * 1001}, "approval.reason", "INPUT_INVALID"),
)

ROWS: tuple[Row, ...] = (
    *(Row(*row) for row in UNREADABLE),
    *(
        Row(id_, encoded(changed(GOOD, path, value)), field, code)
        for id_, path, value, field, code in CHANGES
    ),
    *(
        Row(id_, encoded({**GOOD, "approval": approval}), field, code)
        for id_, approval, field, code in APPROVALS
    ),
    *(Row(id_, encoded({**GOOD, "name": name}), "name", "INPUT_INVALID") for id_, name in NAMES),
    Row("empty", b"", "", "NOT_JSON"),
    Row("empty-object", b"{}", "name", "INPUT_MISSING"),
    Row("name-missing", encoded(changed(GOOD, "name", ABSENT)), "name", "INPUT_MISSING"),
    Row("name-null", encoded({**GOOD, "name": None}), "name", "INPUT_MISSING"),
    Row("dry-run-text", encoded({**GOOD, "dry_run": "yes"}), "dry_run", "INPUT_INVALID"),
    Row("message", encoded({**GOOD, "kind": "onboard"}), "kind", "FIELD_UNKNOWN"),
)
