"""Every guard that keeps a secret from being removed."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.model.connection import Credential
from shared.planning.credentials import SETTLE
from shared.planning.retirement import (
    EMERGENCY,
    EXPIRED,
    ORPHAN,
    Nothing,
    NotYet,
    Retire,
    plan_purge,
    plan_retirement,
)
from tests.unit.planning.samples import DAY, NOW, held, stored

OLD = held("old", "managed:p/op-1 x", age=120 * DAY)
NEW = held("new", "managed:p/op-2 x", age=8 * DAY)
SERVED = stored("new", "op-2", age=8 * DAY)
CREDENTIAL = Credential(
    key_id="new",
    expires=NOW + 172 * DAY,
    published=NOW - 8 * DAY,
    due=NOW + 112 * DAY,
    vault_name="dvls",
    vault_version="1",
    previous_key_id="old",
    overlap_until=NOW,
)
A_SECOND = timedelta(seconds=1)

CASES = {
    "all guards hold": (CREDENTIAL, (OLD, NEW), SERVED, Retire("old")),
    "the old one was made by hand": (
        CREDENTIAL,
        (replace(OLD, name="made by hand"), NEW),
        SERVED,
        Retire("old"),
    ),
    "no previous one": (
        replace(CREDENTIAL, previous_key_id=""),
        (OLD, NEW),
        SERVED,
        Nothing(),
    ),
    "removed already": (CREDENTIAL, (NEW,), SERVED, Nothing()),
    "removed already, and nothing is served": (CREDENTIAL, (NEW,), None, Nothing()),
    "nothing is served": (CREDENTIAL, (OLD, NEW), None, "another secret is served"),
    "another one is served": (
        CREDENTIAL,
        (OLD, NEW),
        stored("third", "op-3"),
        "another secret is served",
    ),
    "the old one is served again": (
        CREDENTIAL,
        (OLD, NEW),
        stored("old", "op-1"),
        "another secret is served",
    ),
    "the previous one is the served one": (
        replace(CREDENTIAL, previous_key_id="new"),
        (OLD, NEW),
        SERVED,
        "it is the one that is served",
    ),
    "the served one is not held": (CREDENTIAL, (OLD,), SERVED, "not held in the directory"),
    "the served one has expired": (
        CREDENTIAL,
        (OLD, replace(NEW, ends=NOW)),
        SERVED,
        "not held in the directory, or has expired",
    ),
    "published a moment ago": (
        replace(CREDENTIAL, overlap_until=None),
        (OLD, NEW),
        replace(SERVED, created=NOW - SETTLE + A_SECOND),
        "the overlap is not over",
    ),
    "settled, without an overlap": (
        replace(CREDENTIAL, overlap_until=None),
        (OLD, NEW),
        replace(SERVED, created=NOW - SETTLE),
        Retire("old"),
    ),
    "a second of overlap is left": (
        replace(CREDENTIAL, overlap_until=NOW + A_SECOND),
        (OLD, NEW),
        SERVED,
        "the overlap is not over",
    ),
    "the old one is the newest of ours": (
        CREDENTIAL,
        (replace(OLD, starts=NOW - DAY), NEW),
        SERVED,
        "the newest secret of ours",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_retirement(name):
    credential, listed, served, expected = CASES[name]
    action = plan_retirement(credential, held=listed, served=served, now=NOW)
    if isinstance(expected, str):
        assert isinstance(action, NotYet)
        assert expected in action.why
    else:
        assert action == expected


@pytest.mark.requirement("X-10")
def test_the_order_of_the_list_does_not_matter():
    for listed in ((OLD, NEW), (NEW, OLD)):
        assert plan_retirement(CREDENTIAL, held=listed, served=SERVED, now=NOW) == Retire("old")


OLDER = held("older", "managed:p/op-0 x", age=150 * DAY)


@pytest.mark.parametrize(
    ("earlier", "expected"),
    [
        (NOW, Retire("older")),
        (NOW + A_SECOND, NotYet("the overlap is not over")),
        (None, NotYet("the overlap is not over")),  # not known: as long as the previous one
    ],
)
def test_what_the_previous_one_had_replaced_has_an_overlap_of_its_own(earlier, expected):
    longer = replace(CREDENTIAL, overlap_until=NOW + 6 * DAY, earlier_until=earlier)
    listed, left = (OLD, NEW, OLDER), frozenset({"older"})
    action = plan_retirement(longer, held=listed, served=SERVED, now=NOW, leftovers=left)
    assert action == expected


FAILED = held("failed", "managed:p/op-3 x", age=timedelta(hours=2))
LEFT = {
    # what other operations left: who is listed, and what is done
    "of an attempt that failed": ((NEW, FAILED), Retire("failed", ORPHAN)),
    "of an attempt a moment ago": (
        (NEW, replace(FAILED, starts=NOW - SETTLE + A_SECOND)),
        Nothing(),
    ),
    "expired, of an attempt that failed": (
        (NEW, replace(FAILED, starts=NOW - timedelta(minutes=5), ends=NOW)),
        Retire("failed", EXPIRED),
    ),
    "expired, and the newest of ours": (
        (NEW, replace(FAILED, ends=NOW)),
        Retire("failed", EXPIRED),
    ),
    "somebody else's": ((NEW, replace(FAILED, key_id="foreign")), Nothing()),
}


@pytest.mark.parametrize("name", LEFT)
def test_leftovers(name):
    listed, expected = LEFT[name]
    alone = replace(CREDENTIAL, previous_key_id="", overlap_until=None)
    left = frozenset({"failed"})
    action = plan_retirement(alone, held=listed, served=SERVED, now=NOW, leftovers=left)
    assert action == expected


def test_an_orphan_does_not_wait_for_the_overlap_of_another():
    credential = replace(CREDENTIAL, overlap_until=NOW + DAY)
    listed = (OLD, NEW, FAILED)
    left = frozenset({"failed"})
    action = plan_retirement(credential, held=listed, served=SERVED, now=NOW, leftovers=left)
    assert action == Retire("failed", ORPHAN)


PURGES = {
    "within the overlap, a moment after the publication": (
        (OLD, NEW),
        replace(SERVED, created=NOW),
        Retire("old", EMERGENCY),
    ),
    "younger than the published one": (
        (NEW, replace(FAILED, starts=NOW)),
        SERVED,
        Retire("failed", EMERGENCY),
    ),
    "another one is served": ((OLD, NEW), stored("old", "op-1"), NotYet),
    "nothing is served": ((OLD, NEW), None, NotYet),
    "the published one is not held": ((OLD,), SERVED, NotYet),
    "others' secrets": ((NEW, held("hand", "made by hand")), SERVED, Nothing()),
}


@pytest.mark.parametrize("name", PURGES)
def test_purge(name):
    listed, served, expected = PURGES[name]
    left = frozenset({"failed"})
    action = plan_purge(CREDENTIAL, held=listed, served=served, now=NOW, leftovers=left)
    assert isinstance(action, expected) if isinstance(expected, type) else action == expected
