"""The secret after the published one: what is done to have it ready."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.planning.credential_parts import Add, Discard, Facts, Keep, Publish, Verify, Wait
from shared.planning.credentials import plan_credential
from shared.planning.lifetime import Policy, due_at
from shared.planning.prestage import plan_next
from tests.unit.planning.samples import DAY, NOW, held, stored

POLICY = Policy(lifetime=180 * DAY, renew_before=30 * DAY, overlap=7 * DAY, prestage=True)
NAME = "managed:p/op-2 x"
SERVING = held("now", "managed:p/op-1 x")
SERVED = stored("now", "op-1")
COMING = held("next", "managed:p/op-1 x")
STAGED = stored("next", "op-1", verified=True)
MINE = held("mine", NAME, age=timedelta())
ADD = Add(name=NAME, ends=NOW + 180 * DAY, why="prestage")


def facts(*listed, staged=None, served=SERVED, **more) -> Facts:
    return Facts(held=listed, served=served, staged=staged, **more)


CASES = {
    "there is none": (facts(SERVING), ADD),
    "only a copy of the published one": (facts(SERVING, staged=stored("now", "op-1")), ADD),
    "it is there and proven": (facts(SERVING, COMING, staged=STAGED), Keep("staged")),
    "it is there": (
        facts(SERVING, COMING, staged=replace(STAGED, verified=False)),
        Verify(),
    ),
    "made, its value is lost": (facts(SERVING, MINE), Discard("mine")),
    "not listed a moment after it was made": (
        facts(SERVING, staged=replace(STAGED, created=NOW)),
        Wait,
    ),
    "somebody removed it": (facts(SERVING, staged=STAGED), ADD),
    "it was kept for too long": (
        facts(
            SERVING,
            replace(COMING, starts=NOW - 140 * DAY, ends=NOW + 40 * DAY),
            staged=STAGED,
        ),
        Discard("next", why="expired"),
    ),
    "it never worked": (
        facts(SERVING, COMING, staged=replace(STAGED, tags={"refused": "X"})),
        Discard("next", why="abandoned"),
    ),
    "it never worked, and is removed": (
        facts(SERVING, staged=stored("mine", "op-2", tags={"refused": "X"})),
        Keep("abandoned"),
    ),
    "another operation's never worked, and is removed": (
        facts(SERVING, staged=replace(STAGED, tags={"refused": "X"})),
        ADD,
    ),
    "while two others live": (
        facts(SERVING, replace(COMING, key_id="b"), replace(COMING, key_id="c")),
        Keep("full"),
    ),
    "while two others live, and the published one is not listed yet": (
        facts(
            replace(COMING, key_id="b"),
            replace(COMING, key_id="c"),
            served=replace(SERVED, created=NOW),
        ),
        Keep("full"),
    ),
    "while two others live, and the published one is gone": (
        facts(replace(COMING, key_id="b"), replace(COMING, key_id="c")),
        ADD,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_next(name):
    seen, expected = CASES[name]
    found = plan_next(POLICY, seen, name=NAME, operation="op-2", now=NOW)
    assert isinstance(found, expected) if isinstance(expected, type) else found == expected


ROTATIONS = {
    "it is tried once more": (facts(SERVING, COMING, staged=STAGED), True, Verify()),
    "and published": (
        facts(SERVING, COMING, staged=STAGED, verified=True),
        True,
        Publish(previous_key_id="now"),
    ),
    "nobody asked": (facts(SERVING, COMING, staged=STAGED), False, Keep("fresh")),
    "nobody asked, and it is a leftover by its name": (
        facts(SERVING, COMING, staged=STAGED, leftovers=frozenset({"next"})),
        False,
        Keep("fresh"),
    ),
    "this very operation has made it": (
        facts(SERVING, MINE, staged=stored("mine", "op-2", verified=True)),
        False,
        Keep("fresh"),
    ),
}


@pytest.mark.parametrize("name", ROTATIONS)
def test_rotation(name):
    seen, rotate, expected = ROTATIONS[name]
    found = plan_credential(
        POLICY,
        seen,
        name=NAME,
        operation="op-2",
        rotate=rotate,
        registered=NOW - DAY,
        now=NOW,
    )
    assert found == expected


def test_half_of_the_life_is_lived_as_the_next_and_half_as_the_served_one():
    ends = NOW + 180 * DAY
    assert due_at(POLICY, NOW, ends, published=NOW) == NOW + 75 * DAY
    assert due_at(POLICY, NOW, ends, published=NOW + 75 * DAY) == ends - 30 * DAY
    assert due_at(POLICY, NOW, ends, published=NOW + 170 * DAY) == ends - 30 * DAY
    hasty = replace(POLICY, renew_before=timedelta(), overlap=DAY)
    assert due_at(hasty, NOW, ends, published=NOW) == NOW + 88.5 * DAY  # 3 days are left
