"""Step messages: what is taken, what is refused, and the chain."""

import json

import msgspec
import pytest

from shared.messages import CHAIN, StepMessage, decode, encode, first_step, step_after
from shared.model.connection import KINDS
from tests.unit.planning.samples import NOW

MESSAGE = StepMessage(kind="onboard", connection="dvls", operation="op", waiting_since=NOW)
BODY = {"kind": "onboard", "connection": "dvls", "operation": "op", "apiVersion": "keyturn/v1"}
TRIGGER_METADATA = {"messageid", "deliverycount", "sessionid", "correlationid", "enqueuedtimeutc"}


def body(**changes: object) -> bytes:
    return json.dumps({k: v for k, v in {**BODY, **changes}.items() if v is not None}).encode()


def test_round_trip():
    assert decode(encode(MESSAGE)) == MESSAGE
    assert decode(body()) == StepMessage(kind="onboard", connection="dvls", operation="op")


def test_names_on_the_wire():
    made = json.loads(encode(MESSAGE))
    assert set(made) == {
        "kind", "connection", "operation", "attempt", "waitingSince", "waitingFor",
        "reasonSince", "doubt", "doubtSince", "apiVersion",
    }  # fmt: skip
    assert not {name.lower() for name in made} & TRIGGER_METADATA


def test_a_field_of_a_later_release_is_ignored():
    assert decode(body(priority="high")).operation == "op"


REFUSED = {
    "no JSON": b"hello",
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "not UTF-8": b'{"kind": "\xff"}',
    "cut off": body()[:-1],
    "two documents": body() + body(),
    "no kind": body(kind=None),
    "no operation": body(operation=None),
    "unknown kind": body(kind="destroy"),
    "kind of another type": body(kind=1),
    "another version": body(apiVersion="keyturn/v2"),
    "attempt as text": body(attempt="1"),
    "time without a form": body(waitingSince="yesterday"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name):
    with pytest.raises(msgspec.DecodeError):
        decode(REFUSED[name])


def test_every_kind_has_a_chain():
    assert set(CHAIN) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_walking_a_chain_meets_every_step_once(kind):
    walked, step = [], first_step(kind)
    while step is not None:
        walked.append(step)
        step = step_after(kind, step)
    assert tuple(walked) == CHAIN[kind]
    assert len(set(walked)) == len(walked)


def test_a_step_of_another_chain_is_an_error():
    with pytest.raises(ValueError, match="not in tuple"):
        step_after("rotate", "registration")
