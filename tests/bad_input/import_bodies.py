"""Malformed bodies of ``POST /api/connections/{name}/import``, and of imports by message."""

from typing import Any

from tests.bad_input import Row
from tests.bad_input.wanted import UNREADABLE, changed, encoded

GOOD: dict[str, Any] = {
    "users": "ana, bo@contoso.onmicrosoft.com",
    "groups": ["Staff, all"],
    "group_ids": ["group-1"],
    "account_ids": ["account-1"],
    "everyone": False,
    "roles": {"ana@contoso.onmicrosoft.com": "Administrator"},
    "options": {},
    "every": "PT24H",
}
MESSAGE: dict[str, Any] = {
    "apiVersion": "keyturn/v1",
    "kind": "import",
    "connection": "pam-prod",
    **GOOD,
}

# id, field, value, field of the expected problem, its code
CHANGES: tuple[tuple[str, str, Any, str, str], ...] = (
    ("users-is-number", "users", 7, "users", "INPUT_INVALID"),
    ("users-is-null", "users", None, "users", "INPUT_INVALID"),
    ("users-has-number", "users", [1], "users", "INPUT_INVALID"),
    ("users-too-many", "users", [str(n) for n in range(201)], "users", "INPUT_INVALID"),
    ("users-too-long", "users", "x" * 257, "users", "INPUT_INVALID"),
    ("users-template", "users", ["${secret.value}"], "users", "INPUT_INVALID"),
    ("users-hidden", "users", ["a\u202eb"], "users[0]", "TEXT_UNSAFE"),
    ("groups-is-object", "groups", {}, "groups", "INPUT_INVALID"),
    ("group-ids-is-text", "group_ids", "a,b", "group_ids", "INPUT_INVALID"),
    ("group-ids-has-null", "group_ids", [None], "group_ids[0]", "INPUT_INVALID"),
    ("group-ids-has-blank", "group_ids", ["a", " "], "group_ids[1]", "INPUT_INVALID"),
    ("account-ids-too-many", "account_ids", ["x"] * 1001, "account_ids", "INPUT_INVALID"),
    ("everyone-is-text", "everyone", "yes", "everyone", "INPUT_INVALID"),
    ("everyone-is-null", "everyone", None, "everyone", "INPUT_INVALID"),
    ("roles-is-list", "roles", ["Administrator"], "roles", "INPUT_INVALID"),
    ("role-is-null", "roles", {"ana": None}, "roles", "INPUT_INVALID"),
    ("options-is-list", "options", [], "options", "INPUT_INVALID"),
    ("option-is-list", "options", {"path": []}, "options.path", "INPUT_INVALID"),
    ("option-is-null", "options", {"path": None}, "options.path", "INPUT_INVALID"),
    ("option-too-long", "options", {"path": "x" * 257}, "options.path", "INPUT_INVALID"),
    ("every-is-number", "every", 24, "every", "INPUT_INVALID"),
    ("every-too-short", "every", "PT1M", "every", "INPUT_INVALID"),
    ("every-too-long", "every", "P91D", "every", "INPUT_INVALID"),
    ("every-in-months", "every", "P1M", "every", "INPUT_INVALID"),
    ("every-is-true", "every", True, "every", "INPUT_INVALID"),
    ("field-unknown", "user", "ana", "user", "FIELD_UNKNOWN"),
    ("spec-smuggled", "profile", "pam360", "profile", "FIELD_UNKNOWN"),
)

HTTP_ROWS: tuple[Row, ...] = (
    *(Row(*row) for row in UNREADABLE),
    *(
        Row(id_, encoded(changed(GOOD, path, value)), field, code)
        for id_, path, value, field, code in CHANGES
    ),
    Row("name-for-connection", encoded({**GOOD, "connection": "a"}), "connection", "FIELD_UNKNOWN"),
)

QUEUE_ROWS: tuple[Row, ...] = tuple(
    Row(f"import-{id_}", encoded(changed(MESSAGE, path, value)), field, code)
    for id_, path, value, field, code in CHANGES
)

# id, body, field, code: of the smaller bodies
ROLES: tuple[tuple[str, Any, str, str], ...] = (
    ("missing", {}, "roles", "INPUT_MISSING"),
    ("empty", {"roles": {}}, "roles", "INPUT_MISSING"),
    ("list", {"roles": []}, "roles", "INPUT_INVALID"),
    ("unknown-field", {"roles": {"a": "b"}, "role": "x"}, "role", "FIELD_UNKNOWN"),
)
LOGIN: tuple[tuple[str, Any, str, str], ...] = (
    ("missing", {}, "enabled", "INPUT_MISSING"),
    ("text", {"enabled": "true"}, "enabled", "INPUT_INVALID"),
    ("null", {"enabled": None}, "enabled", "INPUT_INVALID"),
    ("unknown-field", {"enabled": True, "force": True}, "force", "FIELD_UNKNOWN"),
)
SCHEDULE: tuple[tuple[str, Any, str, str], ...] = (
    ("empty", {}, "every", "INPUT_MISSING"),
    ("null", {"every": None}, "every", "INPUT_INVALID"),
    ("short", {"every": "PT5M"}, "every", "INPUT_INVALID"),
    ("enabled-text", {"enabled": "off"}, "enabled", "INPUT_INVALID"),
    ("unknown-field", {"enabled": True, "next_run": "now"}, "next_run", "FIELD_UNKNOWN"),
)
FETCH: tuple[tuple[str, Any, str, str], ...] = (
    ("limit-zero", {"limit": 0}, "limit", "INPUT_INVALID"),
    ("limit-large", {"limit": 101}, "limit", "INPUT_INVALID"),
    ("limit-text", {"limit": "50"}, "limit", "INPUT_INVALID"),
    ("prefix-number", {"prefix": 1}, "prefix", "INPUT_INVALID"),
    ("unknown-field", {"search": "x"}, "search", "FIELD_UNKNOWN"),
)
