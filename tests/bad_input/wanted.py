"""What a profile's request can get wrong, whichever way it comes in."""

import copy
import json
from typing import Any

from shared.requests import MAX_BYTES

WANTED: dict[str, Any] = {
    "profile": "devolutions-server",
    "features": {"discovery": True, "password_rotation": True},
    "inputs": {"provider_name": "DVLS PAM", "config_name": "nightly", "search_mode": "roles"},
    "owner": "ana@contoso.com",
    "accept_swaps": ["RoleManagement.ReadWrite.Directory"],
}
"""The part of a good request that HTTP bodies and queue messages share."""

ABSENT = object()
"""Marks a field to be left out."""


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of *document* with the value at a dotted path replaced, or left out."""
    made = copy.deepcopy(document)
    *parents, last = path.split(".")
    part = made
    for parent in parents:
        part = part.setdefault(parent, {})
    if value is ABSENT:
        part.pop(last, None)
    else:
        part[last] = value
    return made


def encoded(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=True).encode()


# id, dotted path, value, field of the expected problem, its code
CHANGES: tuple[tuple[str, str, Any, str, str], ...] = (
    ("profile-missing", "profile", ABSENT, "profile", "INPUT_MISSING"),
    ("profile-empty", "profile", "", "profile", "INPUT_MISSING"),
    ("profile-unknown", "profile", "keepass", "profile", "PROFILE_UNKNOWN"),
    ("profile-in-capitals", "profile", "Devolutions-Server", "profile", "PROFILE_UNKNOWN"),
    ("profile-is-path", "profile", "../devolutions-server", "profile", "PROFILE_UNKNOWN"),
    ("profile-is-list", "profile", ["devolutions-server"], "profile", "INPUT_INVALID"),
    ("features-is-list", "features", ["discovery"], "features", "INPUT_INVALID"),
    ("features-is-null", "features", None, "features", "INPUT_INVALID"),
    ("feature-unknown", "features.teleport", True, "features.teleport", "FEATURE_UNKNOWN"),
    ("feature-is-text", "features.discovery", "yes", "features.discovery", "INPUT_INVALID"),
    ("feature-is-one", "features.discovery", 1, "features.discovery", "INPUT_INVALID"),
    ("feature-is-null", "features.discovery", None, "features.discovery", "INPUT_INVALID"),
    ("feature-auto", "features.admin_targets", "auto", "features.admin_targets", "INPUT_INVALID"),
    ("inputs-missing", "inputs", ABSENT, "inputs.provider_name", "INPUT_MISSING"),
    ("inputs-is-text", "inputs", "DVLS", "inputs", "INPUT_INVALID"),
    ("inputs-is-null", "inputs", None, "inputs", "INPUT_INVALID"),
    ("input-unknown", "inputs.provider", "x", "inputs.provider", "FIELD_UNKNOWN"),
    ("permission-smuggled", "inputs.permissions", [], "inputs.permissions", "FIELD_UNKNOWN"),
    ("required-missing", "inputs.provider_name", ABSENT, "inputs.provider_name", "INPUT_MISSING"),
    ("required-empty", "inputs.provider_name", "", "inputs.provider_name", "INPUT_MISSING"),
    ("required-blank", "inputs.provider_name", " \t", "inputs.provider_name", "INPUT_MISSING"),
    ("required-null", "inputs.provider_name", None, "inputs.provider_name", "INPUT_MISSING"),
    ("needed-by-feature", "inputs.config_name", ABSENT, "inputs.config_name", "INPUT_MISSING"),
    ("string-too-long", "inputs.provider_name", "x" * 101, "inputs.provider_name", "INPUT_INVALID"),
    ("string-is-number", "inputs.provider_name", 7, "inputs.provider_name", "INPUT_INVALID"),
    ("string-is-empty-list", "inputs.provider_name", [], "inputs.provider_name", "INPUT_INVALID"),
    ("string-padded", "inputs.provider_name", " DVLS", "inputs.provider_name", "INPUT_INVALID"),
    (
        "template-injected",
        "inputs.provider_name",
        "${secret.value}",
        "inputs.provider_name",
        "INPUT_INVALID",
    ),
    ("optional-null", "inputs.description", None, "inputs.description", "INPUT_INVALID"),
    ("enum-unknown", "inputs.search_mode", "users", "inputs.search_mode", "INPUT_INVALID"),
    ("enum-in-capitals", "inputs.search_mode", "Groups", "inputs.search_mode", "INPUT_INVALID"),
    ("enum-is-object", "inputs.search_mode", {}, "inputs.search_mode", "INPUT_INVALID"),
    ("list-is-text", "inputs.filter", "User Administrator", "inputs.filter", "INPUT_INVALID"),
    ("list-of-numbers", "inputs.filter", [1], "inputs.filter", "INPUT_INVALID"),
    ("list-with-empty", "inputs.filter", ["a", ""], "inputs.filter", "INPUT_INVALID"),
    ("list-repeats", "inputs.filter", ["Admins", "admins"], "inputs.filter", "INPUT_INVALID"),
    (
        "list-too-long",
        "inputs.filter",
        [str(n) for n in range(201)],
        "inputs.filter",
        "INPUT_INVALID",
    ),
    ("element-too-long", "inputs.filter", ["x" * 257], "inputs.filter", "INPUT_INVALID"),
    (
        "lifetime-text",
        "inputs.secret_lifetime",
        "6 months",
        "inputs.secret_lifetime",
        "INPUT_INVALID",
    ),
    ("lifetime-months", "inputs.secret_lifetime", "P6M", "inputs.secret_lifetime", "INPUT_INVALID"),
    ("lifetime-short", "inputs.secret_lifetime", "PT1H", "inputs.secret_lifetime", "INPUT_INVALID"),
    ("lifetime-long", "inputs.secret_lifetime", "P731D", "inputs.secret_lifetime", "INPUT_INVALID"),
    (
        "lifetime-endless",
        "inputs.secret_lifetime",
        f"P{'9' * 400}D",
        "inputs.secret_lifetime",
        "INPUT_INVALID",
    ),
    (
        "lifetime-negative",
        "inputs.secret_lifetime",
        "-P9D",
        "inputs.secret_lifetime",
        "INPUT_INVALID",
    ),
    ("lifetime-number", "inputs.secret_lifetime", 180, "inputs.secret_lifetime", "INPUT_INVALID"),
    ("control-character", "inputs.description", "a\u0000b", "inputs.description", "TEXT_UNSAFE"),
    ("line-break", "inputs.description", "a\r\nSet-Cookie: b", "inputs.description", "TEXT_UNSAFE"),
    ("bidi-override", "inputs.description", "a\u202eb", "inputs.description", "TEXT_UNSAFE"),
    ("zero-width", "inputs.provider_name", "DV\u200bLS", "inputs.provider_name", "TEXT_UNSAFE"),
    ("lone-surrogate", "inputs.description", "a\ud800", "inputs.description", "TEXT_UNSAFE"),
    ("line-separator", "inputs.description", "a\u2028b", "inputs.description", "TEXT_UNSAFE"),
    ("blank-letter", "inputs.provider_name", "\u3164", "inputs.provider_name", "TEXT_UNSAFE"),
    ("noncharacter", "inputs.description", "\ufffe", "inputs.description", "TEXT_UNSAFE"),
    ("hidden-in-list", "inputs.filter", ["ok", "a\u2066b"], "inputs.filter[1]", "TEXT_UNSAFE"),
    ("hidden-in-owner", "owner", "ana\u0007", "owner", "TEXT_UNSAFE"),
    ("owner-is-object", "owner", {"mail": "x"}, "owner", "INPUT_INVALID"),
    ("owner-too-long", "owner", "x" * 257, "owner", "INPUT_INVALID"),
    ("swap-unknown", "accept_swaps", ["User.Read.All"], "accept_swaps[0]", "SWAP_UNKNOWN"),
    ("swap-is-number", "accept_swaps", [1], "accept_swaps[0]", "INPUT_INVALID"),
    ("swaps-is-text", "accept_swaps", "all", "accept_swaps", "INPUT_INVALID"),
    (
        "permissions-asked",
        "permissions",
        ["Directory.ReadWrite.All"],
        "permissions",
        "FIELD_UNKNOWN",
    ),
    ("field-in-capitals", "Features", {}, "Features", "FIELD_UNKNOWN"),
    ("field-unsafe", "own\u202eer", "x", "own\\u202eer", "TEXT_UNSAFE"),
    ("nested-deeply", "owner", [[[[[[[[1]]]]]]]], "owner[0][0][0][0][0]", "TOO_DEEP"),
)

# id, bytes: bodies that are no request whatever they were meant to be
UNREADABLE: tuple[tuple[str, bytes, str, str], ...] = (
    ("white-space", b" \n\t ", "", "NOT_JSON"),
    ("plain-text", b"onboard dvls please", "", "NOT_JSON"),
    ("truncated", b'{"profile": "devolutions-ser', "", "NOT_JSON"),
    ("trailing-comma", b'{"profile": "devolutions-server",}', "", "NOT_JSON"),
    ("two-documents", b'{"profile": "a"} {"profile": "b"}', "", "NOT_JSON"),
    ("single-quotes", b"{'profile': 'devolutions-server'}", "", "NOT_JSON"),
    ("yaml", b"profile: devolutions-server\n", "", "NOT_JSON"),
    ("xml", b"<request><profile>x</profile></request>", "", "NOT_JSON"),
    ("null", b"null", "", "NOT_JSON"),
    ("list", b'[{"profile": "devolutions-server"}]', "", "NOT_JSON"),
    ("string", b'"devolutions-server"', "", "NOT_JSON"),
    ("number", b"42", "", "NOT_JSON"),
    ("not-utf-8", b'{"owner": "\xff\xfe"}', "", "NOT_JSON"),
    ("utf-16", '{"owner": "x"}'.encode("utf-16"), "", "NOT_JSON"),
    ("byte-order-mark", b'\xef\xbb\xbf{"owner": "x"}', "", "NOT_JSON"),
    ("latin-1", '{"owner": "Zoë"}'.encode("latin-1"), "", "NOT_JSON"),
    ("surrogate-bytes", b'{"owner": "\xed\xa0\x80"}', "", "NOT_JSON"),
    ("binary", bytes(range(256)), "", "NOT_JSON"),
    ("not-a-number", b'{"attempt": NaN}', "", "NOT_JSON"),
    ("infinity", b'{"attempt": -Infinity}', "", "NOT_JSON"),
    ("overflowing", b'{"attempt": 1e999}', "", "NOT_JSON"),
    ("digits-without-end", b'{"attempt": ' + b"9" * 5000 + b"}", "", "NOT_JSON"),
    ("raw-control-character", b'{"owner": "a\x00b"}', "", "NOT_JSON"),
    ("bottomless-list", b"[" * 60_000, "", "TOO_DEEP"),
    ("bottomless-object", b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "", "TOO_DEEP"),
    ("too-large", b'{"owner": "' + b"x" * MAX_BYTES + b'"}', "", "TOO_LARGE"),
    ("key-repeated", b'{"profile": "a", "profile": "b"}', "profile", "FIELD_REPEATED"),
    ("input-repeated", b'{"inputs": {"a": 1, "a": 2}}', "inputs.a", "FIELD_REPEATED"),
)
