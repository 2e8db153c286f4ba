"""Secrets that we did not make: which they are, and what they mean."""

import pytest

from shared.planning.strays import find_strays, mention, trouble
from tests.unit.planning.samples import DAY, NOW, held

OLD = held("old", "by hand", age=100 * DAY)
NEW = held("new", "by another", age=DAY)
OURS = held("ours", "managed:p/op x", age=9 * DAY)


def find(*, first: bool = False, known=()):
    return find_strays([NEW, OURS, OLD], {"ours"}, known, first=first, now=NOW)


def test_they_are_listed_oldest_first_and_ours_is_none_of_them():
    assert [stray.key_id for stray in find()] == ["old", "new"]


def test_what_is_known_of_them_stays():
    known = find(first=True)
    assert all(stray.came_with for stray in known)
    assert find(known=known) == known
    assert [stray.came_with for stray in find(known=known[:1])] == [True, False]


@pytest.mark.requirement("A-06", "X-13")
@pytest.mark.parametrize(
    ("first", "adopted", "code"),
    [
        (True, True, None),
        (True, False, "TWO_ROTATORS"),
        (False, True, "TWO_ROTATORS"),
        (False, False, "TWO_ROTATORS"),
    ],
)
def test_what_came_with_an_adopted_application_is_no_trouble(first, adopted, code):
    found = trouble(find(first=first), NOW - 9 * DAY, adopted=adopted, now=NOW)
    assert (found.code if found else None) == code


@pytest.mark.diagnosis("SECRET_VALUE_UNKNOWN")
def test_an_older_one_is_told_with_age_and_end():
    strays = [stray for stray in find() if stray.key_id == "old"]
    found = trouble(strays, NOW - 9 * DAY, adopted=False, now=NOW)
    assert found is not None
    assert found.code == "SECRET_VALUE_UNKNOWN"
    assert "by hand" in found.message
    assert f"{OLD.ends:%Y-%m-%d}" in found.message
    assert found.remedy


@pytest.mark.diagnosis("TWO_ROTATORS")
def test_a_newer_one_is_named_by_its_id_alone():
    found = trouble(find(), NOW - 9 * DAY, adopted=False, now=NOW)
    assert found is not None
    assert found.message.endswith("keyId new.")


def test_expired_ones_harm_nobody():
    assert trouble(find(), None, adopted=False, now=NOW + 4000 * DAY) is None
    assert mention(find(), NOW + 4000 * DAY) == ""
