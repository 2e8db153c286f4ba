"""How long a replaced secret still works, and when people hear of it."""

from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from shared.model.connection import Connection, Credential, Takeover
from shared.planning.credentials import SETTLE
from shared.planning.overlap import (
    earlier_until,
    next_look,
    overlap_of,
    present,
    reminder_due,
)
from shared.planning.takeover import in_use, stale_copy
from shared.profile import catalogue
from tests.unit.planning.samples import DAY, HOUR, NOW, spec, stored

CREDENTIAL = Credential(
    key_id="new",
    published=NOW,
    due=NOW + 120 * DAY,
    expires=NOW + 180 * DAY,
    vault_name="dvls",
    vault_version="v2",
    previous_key_id="old",
    overlap_until=NOW + 10 * DAY,
)
CONNECTION = Connection(spec=spec(), created=NOW - 9 * DAY, credential=CREDENTIAL)
MINUTE = timedelta(minutes=1)


def word(after: timedelta, version: str = "v2") -> Connection:
    said = Takeover(version=version, at=NOW + after, by="ana")
    return replace(CONNECTION, takeover=said)


def ends(connection: Connection) -> datetime:
    overlap = overlap_of(connection)
    assert overlap is not None
    return overlap.ends


@pytest.mark.requirement("X-10")
@pytest.mark.parametrize(
    ("said", "ends_after"),
    [
        (timedelta(0), SETTLE),  # what is so young may not be known everywhere
        (59 * MINUTE, SETTLE),
        (2 * HOUR, 2 * HOUR),  # under a day: only an acknowledgement can do that
        (9 * DAY, 9 * DAY),
        (11 * DAY, 10 * DAY),  # never later than without
    ],
)
def test_an_acknowledgement_ends_it_early(said: timedelta, ends_after: timedelta):
    assert ends(word(said)) == NOW + ends_after
    assert present(word(said)).overlap_until == NOW + ends_after  # type: ignore[union-attr] # there is one


def test_a_word_for_an_earlier_version_ends_nothing():
    assert ends(word(2 * HOUR, "v1")) == NOW + 10 * DAY
    assert in_use(word(2 * HOUR, "v1")) == ""
    assert present(CONNECTION) == CREDENTIAL


SERVED = stored("new", "op-2", previous_key_id="old")
BEFORE = replace(CREDENTIAL, key_id="old", previous_key_id="older", overlap_until=NOW + 4 * DAY)


@pytest.mark.parametrize(
    ("known", "until"),
    [
        (BEFORE, NOW + 4 * DAY),  # a rotation within an overlap does not make it longer
        (replace(BEFORE, overlap_until=None), None),
        (replace(BEFORE, key_id="third"), None),  # the ledger has missed a publication
        (replace(CREDENTIAL, earlier_until=NOW + DAY), NOW + DAY),  # noted once more
        (None, None),
    ],
)
def test_what_was_replaced_before_the_previous_one_keeps_its_own_end(
    known: Credential | None, until: datetime | None
):
    assert earlier_until(replace(CONNECTION, credential=known), SERVED) == until


def test_an_acknowledgement_ends_that_too():
    longer = replace(CREDENTIAL, earlier_until=NOW + 4 * DAY)
    shortened = present(replace(word(2 * HOUR), credential=longer))
    assert shortened is not None and shortened.earlier_until == NOW + 2 * HOUR


def test_it_is_looked_at_when_the_first_of_them_ends():
    overlap = overlap_of(
        replace(CONNECTION, credential=replace(CREDENTIAL, earlier_until=NOW + DAY))
    )
    assert overlap is not None
    assert [next_look(overlap, NOW + d * DAY) for d in (0, 1)] == [NOW + DAY, NOW + 5 * DAY]


def test_without_a_former_secret_there_is_none():
    alone = replace(CREDENTIAL, overlap_until=None, previous_key_id="")
    assert overlap_of(replace(word(HOUR), credential=alone)) is None
    assert overlap_of(replace(CONNECTION, credential=None)) is None
    assert present(replace(CONNECTION, credential=None)) is None


@pytest.mark.parametrize(("days", "used"), [(-1, 0.0), (0, 0.0), (2.5, 0.25), (10, 1.0), (99, 1.0)])
def test_how_much_of_it_is_over(days: float, used: float):
    overlap = overlap_of(CONNECTION)
    assert overlap is not None and overlap.used(NOW + days * DAY) == used


def test_one_of_no_length_is_over():
    """As after an emergency."""
    at_once = replace(CONNECTION, credential=replace(CREDENTIAL, overlap_until=NOW))
    overlap = overlap_of(at_once)
    assert overlap is not None and overlap.used(NOW) == 1.0
    assert [reminder_due(overlap, NOW + d * DAY) for d in range(3)] == [None] * 3
    assert next_look(overlap, NOW) is None


@pytest.mark.parametrize(
    ("days", "percent", "looked"),
    [
        (0, None, 5),
        (4.99, None, 5),
        (5, 50, 8),
        (7.9, 50, 8),
        (8, 80, 10),  # also when no sweep came in between: only the later one
        (9.9, 80, 10),
        (10, None, None),
    ],
)
def test_reminders(days: float, percent: int | None, looked: int | None):
    overlap, now = overlap_of(CONNECTION), NOW + days * DAY
    assert overlap is not None
    assert reminder_due(overlap, now) == percent
    assert next_look(overlap, now) == (None if looked is None else NOW + looked * DAY)


@pytest.mark.parametrize("days", [5, 8, 9.5])
def test_nobody_is_reminded_who_has_acknowledged(days: float):
    overlap = overlap_of(word(9.9 * DAY))
    assert overlap is not None
    assert reminder_due(overlap, NOW + days * DAY) is None
    assert next_look(overlap, NOW + days * DAY) == NOW + 9.9 * DAY


@pytest.mark.diagnosis("SECRET_STALE_COPY")
@pytest.mark.parametrize(
    ("days", "told"), [(0, False), (7.4, False), (7.5, True), (9, True), (11, True)]
)
def test_nobody_took_it_over(days: float, told: bool):  # noqa: FBT001 - a table
    profiles, now = catalogue(), NOW + days * DAY
    text = stale_copy(profiles["devolutions-server"], CONNECTION, now)
    assert ("v2" in text) == told
    assert stale_copy(profiles["devolutions-server"], word(9 * DAY), now) == ""
    # This product reads the vault by itself.
    assert stale_copy(profiles["netwrix-identity-manager"], CONNECTION, now) == ""


def test_what_somebody_said():
    assert in_use(CONNECTION) == ""
    assert in_use(word(2 * DAY)) == (
        "ana says that version v2 of the secret is in use. "
        "The one before it is removed after 2026-03-03 12:00 UTC."
    )
    alone = replace(CREDENTIAL, overlap_until=None, previous_key_id="")
    assert in_use(replace(word(2 * DAY), credential=alone)).endswith("is in use.")
