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

ROWS: tuple[Row, ...] = (
    *(Row(*row) for row in UNREADABLE),
    *(
        Row(id_, encoded(changed(GOOD, path, value)), field, code)
        for id_, path, value, field, code in CHANGES
    ),
    *(Row(id_, encoded({**GOOD, "name": name}), "name", "INPUT_INVALID") for id_, name in NAMES),
    Row("empty", b"", "", "NOT_JSON"),
    Row("empty-object", b"{}", "name", "INPUT_MISSING"),
    Row("name-missing", encoded(changed(GOOD, "name", ABSENT)), "name", "INPUT_MISSING"),
    Row("name-null", encoded({**GOOD, "name": None}), "name", "INPUT_MISSING"),
    Row("dry-run", encoded({**GOOD, "dry_run": True}), "dry_run", "FIELD_UNKNOWN"),
    Row("message", encoded({**GOOD, "kind": "onboard"}), "kind", "FIELD_UNKNOWN"),
)
