"""Warnings before a secret ends."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared.model.connection import Connection, Credential, Stray
from shared.planning.expiry import Level, Notice, level_of, notice_of, soon, trouble, warning_of
from shared.planning.lifetime import Policy, due_at
from shared.profile import catalogue
from tests.unit.planning.samples import DAY, HOUR, NOW, spec

MINUTE = timedelta(minutes=1)


def secret(life: timedelta) -> Credential:
    """One that ends now."""
    return Credential(
        key_id="k",
        hint="abc",
        published=NOW - life,
        due=NOW - life / 3,
        expires=NOW,
        vault_name="dvls",
        vault_version="v1",
    )


def connection(life: timedelta = 180 * DAY, *strays: Stray) -> Connection:
    return Connection(spec=spec(), created=NOW - life, credential=secret(life), strays=strays)


def stray(ends: timedelta) -> Stray:
    return Stray(
        key_id="theirs", name="", starts=NOW - DAY, ends=NOW + ends, seen=NOW, came_with=False
    )


@pytest.mark.requirement("X-12")
@pytest.mark.parametrize(
    ("left", "level"),
    [
        (90 * DAY, None),
        (30 * DAY + MINUTE, None),
        (30 * DAY, Level.WARN),
        (14 * DAY + MINUTE, Level.WARN),
        (14 * DAY, Level.ACT),
        (3 * DAY + MINUTE, Level.ACT),
        (3 * DAY, Level.PAGE),
        (-DAY, Level.PAGE),
    ],
)
@pytest.mark.parametrize("life", [120 * DAY, 180 * DAY, 730 * DAY])
def test_levels(life: timedelta, left: timedelta, level: Level | None):
    assert level_of(secret(life), NOW - left, Notice()) == level


@pytest.mark.parametrize("life", [DAY, 7 * DAY, 30 * DAY, 90 * DAY, 180 * DAY, 730 * DAY])
def test_nobody_is_warned_of_a_secret_whose_rotation_is_not_due(life: timedelta):
    policy = Policy(lifetime=life, renew_before=30 * DAY, overlap=7 * DAY)
    due = due_at(policy, NOW - life, NOW)
    assert level_of(secret(life), due, Notice()) is None
    assert level_of(secret(life), due + life / 12 - MINUTE, Notice()) is None
    assert level_of(secret(life), NOW - min(life / 4, 30 * DAY), Notice()) == Level.WARN


def test_levels_of_a_short_life_are_cut_alike():
    levels = [
        level_of(secret(30 * DAY), NOW - left * DAY, Notice()) for left in (8, 7.4, 3.6, 3.4, 0.7)
    ]
    assert levels == [None, Level.WARN, Level.WARN, Level.ACT, Level.PAGE]


def test_a_secret_that_its_own_rotator_has_replaced_is_no_matter():
    at = NOW - DAY
    for known, external, level in (
        (connection(), True, Level.PAGE),
        (connection(180 * DAY, stray(90 * DAY)), True, None),
        (connection(180 * DAY, stray(-HOUR)), True, Level.PAGE),  # that one ends sooner
        (connection(180 * DAY, stray(90 * DAY)), False, Level.PAGE),
        (replace(connection(), credential=None), False, None),
    ):
        assert warning_of(known, at, Notice(external=external)) == level


@pytest.mark.diagnosis("SECRET_EXPIRES_SOON")
def test_the_last_level_is_for_a_person():
    for left in (30 * DAY, 14 * DAY):
        assert trouble(connection(), NOW - left, Notice()) is None
        assert "no rotation has replaced it" in soon(connection(), NOW - left, Notice())
    found = trouble(connection(), NOW - 36 * HOUR, Notice())
    assert found is not None and found.code == "SECRET_EXPIRES_SOON"
    assert "Secret abc... expires on 2026-03-01, in 1.5 days" in found.message
    assert "POST .../rotation" in found.remedy
    theirs = trouble(connection(), NOW - 36 * HOUR, Notice(external=True))
    assert theirs is not None and "the product has not replaced it" in theirs.message
    assert "Rotate it in the product" in theirs.remedy
    assert trouble(connection(), NOW, Notice()) is None  # another finding by then
    assert soon(connection(), NOW - 31 * DAY, Notice()) == ""


def test_a_profile_may_set_the_levels():
    known = replace(spec(), inputs={"secret_lifetime": "P180D"})
    profile = catalogue()["devolutions-server"]
    before = (20 * DAY, 10 * DAY, DAY)
    policy = replace(profile.credential, warn_before=before)
    notice = notice_of(replace(profile, credential=policy), known)
    assert notice == Notice(before=before, external=False)
    levels = [level_of(secret(180 * DAY), NOW - n * DAY, notice) for n in (21, 20, 10, 2, 1)]
    assert levels == [None, Level.WARN, Level.ACT, Level.ACT, Level.PAGE]
    assert notice_of(None, known) == notice_of(profile, known) == Notice()
