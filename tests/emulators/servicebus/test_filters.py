"""Filters of subscriptions: correlation and SQL."""

import pytest

from emulators.servicebus.amqp.encode import encode
from emulators.servicebus.amqp.types import Described, ULong
from emulators.servicebus.broker.correlation import correlation_filter
from emulators.servicebus.broker.message import parse
from emulators.servicebus.broker.sql import UnsupportedFilterError, sql_filter

_PROPERTIES = ["id", None, "to", "wanted", None, "c-1"]
_APPLICATION = {"kind": "a", "size": 10, "big": True, "price": 1.5, "it's": "x", "a b": 1}
MESSAGE = parse(
    encode(Described(ULong(0x73), _PROPERTIES))
    + encode(Described(ULong(0x74), _APPLICATION))
    + encode(Described(ULong(0x75), b""))
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1=1", True), ("1 = 2", False), ("sys.Label = 'wanted'", True),
        ("sys.MessageId <> 'id'", False), ("kind = 'a' AND size > 9", True),
        ("kind = 'b' OR size >= 10", True), ("NOT kind = 'b'", True), ("kind != 'a'", False),
        ("user.kind = 'a'", True), ("big = TRUE", True), ("big = false", False),
        ("price < 1.6", True), ("price > -1", True), ("size IN (1, 10)", True),
        ("kind NOT IN ('b', 'c')", True), ("kind IN ('b')", False), ("kind LIKE 'A%'", False),
        ("sys.Label LIKE 'w_nt%'", True), ("sys.Label NOT LIKE 'x%'", True),
        ("missing IS NULL", True), ("missing IS NOT NULL", False), ("kind IS NOT NULL", True),
        ("missing = 1", False), ("NOT missing = 1", False), ("missing = 1 OR size = 10", True),
        ("kind = 'b' AND (size = 10 OR size = 11)", False),
        ("kind = 'b' AND size = 1 OR 1=1", True),
        ("kind > 5", False), ("[a b] = 1", True), ("sys.ReplyTo IS NULL", True),
        ("kind LIKE 'a!%' ESCAPE '!'", False),
    ],
)  # fmt: skip
def test_sql(expression: str, expected: bool) -> None:  # noqa: FBT001  a parameter
    assert sql_filter(expression)(MESSAGE) is expected


@pytest.mark.parametrize(
    "expression",
    ["", "size", "size + 1 = 2", "EXISTS(size)", "size = ", "(size = 1", "size = 1)", "a.b = 1",
     "sys.Unknown = 1", "size = 1 size = 2", "kind = 'open", "newid() = 1"],
)  # fmt: skip
def test_unsupported_sql_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedFilterError, match="not supported"):
        sql_filter(expression)


@pytest.mark.parametrize(
    ("fields", "application", "expected"),
    [
        ({"Label": "wanted"}, {}, True),
        ({"Label": "wanted", "CorrelationId": "c-1"}, {"kind": "a"}, True),
        ({"Label": "wanted"}, {"kind": "b"}, False),
        ({"To": "elsewhere"}, {}, False),
        ({}, {"missing": "x"}, False),
    ],
)
def test_correlation(
    fields: dict[str, str],
    application: dict[str, str],
    expected: bool,  # noqa: FBT001  a parameter
) -> None:
    assert correlation_filter(fields, application)(MESSAGE) is expected
