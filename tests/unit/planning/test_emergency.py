"""What is done about a leaked secret, from every state that directory and vault may show."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.planning.credential_parts import (
    Abandon,
    Add,
    Ask,
    Discard,
    Facts,
    Halt,
    Publish,
    Published,
    Purge,
    Readmit,
    Verify,
    Wait,
)
from shared.planning.credentials import SETTLE
from shared.planning.emergency import DISABLE, DISCARD_NEXT, FORCE, plan_emergency
from shared.planning.lifetime import Policy
from tests.unit.planning.samples import DAY, NOW, held, stored

POLICY = Policy(lifetime=180 * DAY, renew_before=30 * DAY, overlap=7 * DAY)
STAGES = replace(POLICY, prestage=True)
NAME = "managed:p/op-2 x"
OLD = held("old", "managed:p/op-1 x")
NEW = held("new", NAME, age=timedelta())
NEXT = held("next", "managed:p/op-1 x", age=9 * DAY)
BY_HAND = held("hand", "made by hand")
SERVED = stored("old", "op-1")
STAGED = stored("new", "op-2", age=timedelta(minutes=1))
COMING = stored("next", "op-1", age=9 * DAY, verified=True)
REFUSED = replace(STAGED, tags={"refused": "TOKEN_REFUSED"})
ADD = Add(name=NAME, ends=NOW + 180 * DAY, why="emergency")


def facts(*listed, served=SERVED, staged=None, left=("old",), **more) -> Facts:
    return Facts(held=listed, served=served, staged=staged, leftovers=frozenset(left), **more)


CASES = {
    "nothing is made yet": (facts(OLD), (), POLICY, ADD),
    "made, its value is lost": (facts(OLD, NEW), (), POLICY, Discard("new")),
    "staged": (facts(OLD, NEW, staged=STAGED), (), POLICY, Verify()),
    "proven": (facts(OLD, NEW, staged=STAGED, verified=True), (), POLICY, Publish("old")),
    "served": (facts(OLD, NEW, served=stored("new", "op-2")), (), POLICY, Published()),
    "staged and not listed": (facts(OLD, staged=STAGED), (), POLICY, Wait),
    "staged and gone": (
        facts(OLD, staged=replace(STAGED, created=NOW - SETTLE)),
        (),
        POLICY,
        ADD,
    ),
    "too many: one that is idle goes first": (
        facts(OLD, replace(OLD, key_id="b"), replace(OLD, key_id="c"), left=("old", "b", "c")),
        (),
        POLICY,
        Purge("b"),
    ),
    "others' secrets stay, however many": (
        facts(OLD, BY_HAND, replace(BY_HAND, key_id="h2"), replace(BY_HAND, key_id="h3")),
        (),
        POLICY,
        ADD,
    ),
    "sign-in is to stop": (facts(OLD), (DISABLE,), POLICY, Halt()),
    "sign-in has stopped": (facts(OLD, sign_in=False), (DISABLE,), POLICY, ADD),
    "sign-in has stopped, the new one is there": (
        facts(OLD, NEW, staged=STAGED, sign_in=False),
        (DISABLE,),
        POLICY,
        Purge("old"),
    ),
    "sign-in has stopped, the old ones are gone": (
        facts(NEW, staged=STAGED, sign_in=False),
        (DISABLE,),
        POLICY,
        Readmit(),
    ),
    "sign-in is allowed again": (facts(NEW, staged=STAGED), (DISABLE,), POLICY, Verify()),
    "a person's switch is left alone": (
        facts(OLD, NEW, staged=STAGED, sign_in=False),
        (),
        POLICY,
        Verify(),
    ),
    "others' secrets do not keep sign-in stopped": (
        facts(BY_HAND, NEW, staged=STAGED, sign_in=False),
        (DISABLE,),
        POLICY,
        Readmit(),
    ),
    "it never works": (
        facts(OLD, NEW, staged=REFUSED),
        (),
        POLICY,
        Abandon("new", "TOKEN_REFUSED"),
    ),
    "it never works, by force": (facts(OLD, NEW, staged=REFUSED), (FORCE,), POLICY, Purge("old")),
    "it never works, the old ones are gone": (
        facts(NEW, staged=REFUSED),
        (FORCE,),
        POLICY,
        Ask,
    ),
    "it never works, and sign-in had to stop": (
        facts(NEW, staged=REFUSED),
        (DISABLE,),
        POLICY,
        Ask,
    ),
    "a next one is there": (facts(OLD, NEXT, staged=COMING), (), STAGES, Publish("old")),
    "a next one is known to others too": (
        facts(OLD, NEXT, staged=COMING, left=("old", "next")),
        (DISCARD_NEXT,),
        STAGES,
        ADD,
    ),
    "a next one that is not proven": (
        facts(OLD, NEXT, staged=replace(COMING, verified=False)),
        (),
        STAGES,
        ADD,
    ),
    "a next one that expires soon": (
        facts(OLD, replace(NEXT, ends=NOW + DAY), staged=COMING),
        (),
        STAGES,
        ADD,
    ),
    "a next one, and the profile wants none": (facts(OLD, NEXT, staged=COMING), (), POLICY, ADD),
}


@pytest.mark.parametrize("name", CASES)
def test_emergency(name):
    seen, options, policy, expected = CASES[name]
    found = plan_emergency(
        policy, seen, options, name=NAME, operation="op-2", registered=NOW - DAY, now=NOW
    )
    if isinstance(expected, type):
        assert isinstance(found, expected)
    else:
        assert found == expected


def test_an_application_that_is_not_visible():
    seen = Facts(held=None, served=SERVED, staged=None)
    found = plan_emergency(POLICY, seen, (), name=NAME, operation="op-2", registered=NOW, now=NOW)
    assert isinstance(found, Wait)
