"""Every malformed body is refused, and the refusal names the field and the code."""

import random

import msgspec
import pytest

from shared.requests import MAX_BYTES, Order, Problem, Request, check_message, check_request
from shared.requests.problem import MAX_PROBLEMS
from tests.bad_input import Row, http_bodies, queue_messages
from tests.bad_input.wanted import encoded

ROUNDS = 4000
SMALL_ENOUGH = 32 * 1024 // 2
"""Characters that fit into one property of a table row, with room to spare."""


def found(row: Row, outcome: object) -> list[Problem]:
    assert isinstance(outcome, list), f"{row.id} was accepted"
    assert all(problem.message and problem.hint for problem in outcome)
    assert (row.field, row.code) in {(p.field, p.code) for p in outcome}, outcome
    return outcome


@pytest.mark.requirement("X-01")
@pytest.mark.parametrize("row", http_bodies.ROWS, ids=lambda row: row.id)
def test_http_body_is_refused(row: Row):
    problems = found(row, check_request(row.body))
    assert msgspec.json.encode(problems)


@pytest.mark.requirement("X-02")
@pytest.mark.parametrize("row", queue_messages.ROWS, ids=lambda row: row.id)
def test_queue_message_is_refused(row: Row):
    problems = found(row, check_message(row.body))
    assert msgspec.json.encode(problems)


@pytest.mark.parametrize("rows", [http_bodies.ROWS, queue_messages.ROWS])
def test_tables_are_large_and_their_ids_are_unique(rows: tuple[Row, ...]):
    assert len(rows) >= 40
    assert len({row.id for row in rows}) == len(rows)


def test_the_documents_that_rows_are_made_from_are_good():
    assert isinstance(check_request(encoded(http_bodies.GOOD)), Request)
    assert isinstance(check_message(encoded(queue_messages.GOOD)), Order)
    assert isinstance(check_message(encoded(queue_messages.ROTATE)), Order)


@pytest.mark.requirement("D-06", "D-27", "D-28", "X-01")
@pytest.mark.diagnosis("INPUT_MISSING", "INPUT_INVALID")
def test_all_problems_are_told_at_once():
    bad = {
        "name": "X",
        "profile": "devolutions-server",
        "colour": "red",
        "features": {"discovery": "on"},
        "inputs": {"provider_name": "", "search_mode": "all", "secret_lifetime": "P0D"},
    }
    outcome = check_request(encoded(bad))
    assert isinstance(outcome, list)
    assert [(p.field, p.code) for p in outcome] == [
        ("colour", "FIELD_UNKNOWN"),
        ("name", "INPUT_INVALID"),
        ("features.discovery", "INPUT_INVALID"),
        ("inputs.provider_name", "INPUT_MISSING"),
        ("inputs.config_name", "INPUT_MISSING"),
        ("inputs.search_mode", "INPUT_INVALID"),
        ("inputs.secret_lifetime", "INPUT_INVALID"),
    ]


def test_hints_name_what_is_allowed():
    outcome = check_request(encoded({**http_bodies.GOOD, "profile": "devolution-server"}))
    assert isinstance(outcome, list)
    assert "devolutions-server" in outcome[0].hint


def test_the_code_point_is_named():
    outcome = check_request(encoded({**http_bodies.GOOD, "owner": "a\u202eb"}))
    assert isinstance(outcome, list)
    assert "U+202E" in outcome[0].message


def test_a_flood_of_problems_stays_small():
    """A refusal is one row of the ledger; what the caller sent must not swell it."""
    flood = {f"field-{number}-{'é' * 40}": 1 for number in range(200)}
    outcome = check_request(encoded(flood))
    assert isinstance(outcome, list)
    assert len(outcome) == MAX_PROBLEMS + 1
    assert outcome[-1].code == "TOO_MANY_PROBLEMS"
    long_hints = check_request(encoded({"\u202e" * 8000: 1, "profile": "x" * 50_000}))
    for problems in (outcome, long_hints):
        assert len(msgspec.json.encode(problems).decode()) < SMALL_ENOUGH * 2


def test_the_largest_body_that_is_read():
    body = encoded(http_bodies.GOOD)
    assert isinstance(check_request(body + b" " * (MAX_BYTES - len(body))), Request)
    too_large = check_request(body + b" " * (MAX_BYTES - len(body) + 1))
    assert isinstance(too_large, list)
    assert too_large[0].code == "TOO_LARGE"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_mutated_bodies_never_raise(seed: int):
    """Random damage ends in a value or in problems that can be encoded; never in an exception."""
    chance = random.Random(seed)  # noqa: S311 - repeatable damage, no secret
    outcomes = {list: 0, Request: 0, Order: 0}
    for _ in range(ROUNDS):
        good = chance.choice([http_bodies.GOOD, queue_messages.GOOD, queue_messages.ROTATE])
        body = damaged(encoded(good), chance)
        for check in (check_request, check_message):
            outcome = check(body)
            outcomes[type(outcome)] += 1
            msgspec.json.encode(outcome)
            assert outcome, body
    assert min(outcomes.values()) > 0, "both sides of the judgement must be reached"


def damaged(body: bytes, chance: random.Random) -> bytes:
    """Change a few bytes: insert, remove, repeat or replace; sometimes everything is noise."""
    made = bytearray(body)
    for _ in range(chance.randrange(4)):
        place = chance.randrange(len(made) + 1)
        match chance.randrange(5):
            case 0:
                made[place:place] = chance.choice(PIECES)
            case 1:
                del made[place : place + chance.randrange(1, 20)]
            case 2:
                made[place:place] = made[place : place + chance.randrange(1, 40)]
            case 3:
                made[place : place + 1] = bytes([chance.randrange(256)])
            case _:
                made = bytearray(chance.randbytes(chance.randrange(200)))
    return bytes(made)


PIECES = (
    b'"',
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"null",
    b"true",
    b"-0",
    b"1e308",
    b"NaN",
    b"\\ud800",
    b"\\u0000",
    b"\xf0\x9f\x94\x91",
    b"\xe2\x80\xae",
    b'"profile":"pandium",',
    b'"name":null,',
    b'{"a":[[[[[[[]]]]]]]}',
)
