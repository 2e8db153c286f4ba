"""The ladder of a client secret: every state that a crash may leave, and what comes next."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.planning.credentials import (
    NAME_LIMIT,
    SETTLE,
    Add,
    Ask,
    Discard,
    Facts,
    Keep,
    Publish,
    Published,
    Verify,
    Wait,
    credential_name,
    plan_credential,
    staging_name,
)
from shared.planning.lifetime import Policy, due_at
from tests.unit.planning.samples import DAY, HOUR, NOW, held, stored

POLICY = Policy(lifetime=180 * DAY, renew_before=30 * DAY, overlap=7 * DAY)
NAME = "managed:devolutions-server/op-2 DVLS"
OLD = held("old", "managed:devolutions-server/op-1 DVLS")
NEW = held("new", NAME, age=timedelta())
LOST = held("lost", NAME, age=timedelta())
BY_HAND = held("hand", "made by hand")
SERVED = stored("old", "op-1")
STAGED = stored("new", "op-2", age=timedelta(minutes=5))
SERVED_NEW = stored("new", "op-2", age=timedelta(minutes=1))
A_SECOND = timedelta(seconds=1)


def facts(*listed, served=SERVED, staged=None, verified=False) -> Facts:
    return Facts(held=listed, served=served, staged=staged, verified=verified)


def add(why: str) -> Add:
    return Add(name=NAME, ends=NOW + POLICY.lifetime, why=why)


def wait(code: str) -> tuple[type, str]:
    return Wait, code


def due(served_key="old", listed=()):
    return facts(
        replace(OLD, starts=NOW - 120 * DAY, ends=NOW + 60 * DAY),
        *listed,
        served=stored(served_key, "op-1", age=120 * DAY),
    )


RESUME = {
    # The resume table: what is listed of this operation, what is staged, what is served.
    "nothing of ours": (facts(OLD), add("asked")),
    "nothing of ours, none served": (facts(served=None), add("asked")),
    "staged by another operation": (
        facts(OLD, staged=stored("x", "op-0", age=HOUR)),
        add("asked"),
    ),
    "made, not staged: its value is lost": (facts(OLD, LOST), Discard("lost")),
    "made, another operation's staged: its value is lost": (
        facts(OLD, LOST, staged=stored("x", "op-0", age=HOUR)),
        Discard("lost"),
    ),
    "staged, not yet proven": (facts(OLD, NEW, staged=STAGED), Verify()),
    "staged and proven": (
        facts(OLD, NEW, staged=STAGED, verified=True),
        Publish(previous_key_id="old"),
    ),
    "staged and proven, first secret": (
        facts(NEW, served=None, staged=STAGED, verified=True),
        Publish(previous_key_id=""),
    ),
    "served": (facts(OLD, NEW, served=SERVED_NEW, staged=STAGED), Published()),
    "served, staging put away": (facts(OLD, NEW, served=SERVED_NEW), Published()),
    "served, a lost one is listed only now": (
        facts(OLD, NEW, LOST, served=SERVED_NEW, staged=STAGED),
        Discard("lost"),
    ),
    "served, not listed yet": (facts(OLD, served=SERVED_NEW, staged=STAGED), Published()),
    "staged, not listed, young: the list may be late": (
        facts(OLD, staged=STAGED),
        wait("SECRET_NOT_LISTED"),
    ),
    "staged, not listed, old: it is gone": (
        facts(OLD, staged=replace(STAGED, created=NOW - SETTLE)),
        add("staged-is-gone"),
    ),
    "several made, one staged: the others go first": (
        facts(OLD, LOST, NEW, staged=STAGED, verified=True),
        Discard("lost"),
    ),
    "several made, none staged": (facts(OLD, LOST, NEW), Discard("lost")),
    "another run has published since": (
        facts(OLD, NEW, served=stored("third", "op-3", age=timedelta(0)), staged=STAGED),
        Discard("new", why="overtaken"),
    ),
    "another run has published since, ours is removed": (
        facts(OLD, served=stored("third", "op-3", age=timedelta(0)), staged=STAGED),
        Keep("overtaken"),
    ),
    "somebody wrote into the vault by hand meanwhile": (
        facts(OLD, NEW, served=stored("", "", age=timedelta(0)), staged=STAGED, verified=True),
        Publish(previous_key_id=""),
    ),
    "published in the same second as the former one": (
        facts(OLD, NEW, served=replace(SERVED, created=STAGED.created), staged=STAGED),
        Verify(),
    ),
    # Too many
    "three live ones of ours": (
        facts(OLD, replace(OLD, key_id="b"), replace(OLD, key_id="c")),
        (Ask, "TOO_MANY_SECRETS"),
    ),
    "three, but one has expired": (
        facts(OLD, replace(OLD, key_id="b"), replace(OLD, key_id="c", ends=NOW)),
        add("asked"),
    ),
    "three, but two made by hand": (
        facts(OLD, BY_HAND, replace(BY_HAND, key_id="h2"), replace(BY_HAND, key_id="h3")),
        add("asked"),
    ),
}


@pytest.mark.parametrize("name", RESUME)
def test_rotation_resumes(name):
    seen, action = RESUME[name]
    matches(plan(seen, rotate=True), action)


UNASKED = {
    "fresh": (facts(OLD), Keep("fresh")),
    "none served": (facts(OLD, served=None), add("none-served")),
    "due": (due(), add("due")),
    "a second before it is due": (
        facts(
            replace(OLD, starts=NOW - 120 * DAY + A_SECOND, ends=NOW + 60 * DAY + A_SECOND),
        ),
        Keep("fresh"),
    ),
    "served is not listed, published just now": (
        facts(served=stored("old", "op-1", age=SETTLE - A_SECOND)),
        Keep("fresh"),
    ),
    "served is not listed, published long ago": (
        facts(served=stored("old", "op-1", age=SETTLE)),
        add("served-is-gone"),
    ),
    "served was put there by hand and belongs to none": (
        facts(OLD, served=stored("", "")),
        add("served-is-gone"),
    ),
    "served was made by hand and is fresh": (
        facts(BY_HAND, served=stored("hand", "")),
        Keep("fresh"),
    ),
}


@pytest.mark.parametrize("name", UNASKED)
def test_nobody_asked(name):
    seen, action = UNASKED[name]
    matches(plan(seen, rotate=False), action)


INVISIBLE = {
    "registered just now": (timedelta(), wait("APP_REPLICATION")),
    "a second before it counts as gone": (SETTLE - A_SECOND, wait("APP_REPLICATION")),
    "registered long ago": (SETTLE, (Ask, "APP_DELETED")),
}


@pytest.mark.parametrize("name", INVISIBLE)
def test_application_not_visible(name):
    age, action = INVISIBLE[name]
    seen = Facts(held=None, served=SERVED, staged=STAGED)
    matches(plan(seen, rotate=True, age=age), action)


def plan(seen: Facts, *, rotate: bool, age: timedelta = DAY):
    return plan_credential(
        POLICY,
        seen,
        name=NAME,
        operation="op-2",
        rotate=rotate,
        registered=NOW - age,
        now=NOW,
    )


def matches(found, expected) -> None:
    if isinstance(expected, tuple):
        kind, code = expected
        assert isinstance(found, kind)
        assert found.code == code
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("lifetime", "renew_before", "due"),
    [
        # life, asked margin, days after the start
        (180, 30, 120),  # two thirds come first
        (180, 90, 120),  # a margin of more than a third is cut to it
        (30, 30, 20),
        (90, 20, 60),
        (3, 30, 2),  # a life cut short by the tenant's policy
        (1, 0, 2 / 3),
    ],
)
def test_due(lifetime, renew_before, due):
    policy = replace(POLICY, renew_before=renew_before * DAY)
    assert due_at(policy, NOW, NOW + lifetime * DAY) == NOW + due * DAY


@pytest.mark.parametrize("lifetime", [timedelta(hours=1), DAY, 89 * DAY, 400 * DAY])
@pytest.mark.parametrize("renew_before", [timedelta(), DAY, 30 * DAY, 1000 * DAY])
def test_due_is_always_within_the_life(lifetime, renew_before):
    due = due_at(replace(POLICY, renew_before=renew_before), NOW, NOW + lifetime)
    assert NOW < due < NOW + lifetime


def test_names():
    assert credential_name("devolutions-server", "op-2", "DVLS") == NAME
    assert credential_name("p", "op", "") == "managed:p/op"
    long = credential_name("devolutions-server", "0" * 36, "x" * 200)
    assert len(long) == NAME_LIMIT
    assert long.startswith("managed:devolutions-server/" + "0" * 36)
    assert staging_name("dvls") == "dvls--next"


def test_secrets_in_no_vault_do_not_keep_a_new_one_from_being_made() -> None:
    """The vault has lost what was published: the one published last is spared, the oldest goes."""
    first, second = (
        held(key, f"managed:devolutions-server/op-{key} DVLS", age=age * DAY)
        for key, age in (("first", 90), ("second", 5))
    )
    lost = replace(
        facts(OLD, first, second, served=None),
        noted="second",
        leftovers=frozenset({"old", "first", "second"}),
    )
    found = plan_credential(
        POLICY, lost, name=NAME, operation="op-2", rotate=True, registered=NOW - DAY, now=NOW
    )
    assert found == Discard("first", why="in-the-way")
    kept = replace(lost, served=stored("second", "op-second", age=5 * DAY))
    found = plan_credential(
        POLICY, kept, name=NAME, operation="op-2", rotate=True, registered=NOW - DAY, now=NOW
    )
    assert isinstance(found, Ask) and found.code == "TOO_MANY_SECRETS"
