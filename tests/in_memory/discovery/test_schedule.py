"""Recurrence, Start, Every and Unit."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.profile import DiscoveryPolicy, Schedule
from shared.planning.discovery_schedule import (
    Recurrence,
    next_run,
    recurrence,
    starts_on_save,
)

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOURLY = Schedule(recurrence=True, units=("hours", "days", "weeks"), start_on_save=True)
PRODUCT = DiscoveryPolicy(modes=("groups",), schedule=HOURLY)


def every(**inputs: object) -> timedelta:
    found = recurrence(PRODUCT, inputs)
    assert found is not None
    return found.every


def test_runs_are_spread_but_always_alike() -> None:
    daily = Recurrence(every=DAY)
    delays = {name: next_run(name, NOW, daily) - NOW for name in map(str, range(50))}
    assert all(DAY <= delay < DAY + timedelta(hours=1) for delay in delays.values())
    assert len(set(delays.values())) > 40
    assert next_run("7", NOW, daily) - NOW == delays["7"]
    hourly = Recurrence(every=timedelta(hours=1))
    assert next_run("7", NOW, hourly) < NOW + timedelta(minutes=66)


@pytest.mark.requirement("D-37")
@pytest.mark.parametrize(
    ("start", "first"),
    [
        ("2026-01-07T02:00:00+01:00", "2026-01-07T01:00:00+00:00"),
        ("2026-01-05T09:00:00Z", "2026-01-05T13:00:00+00:00"),
        ("2026-01-05T08:30:00Z", "2026-01-05T12:30:00+00:00"),
        ("2020-01-01T01:00:00Z", "2026-01-05T13:00:00+00:00"),
    ],
    ids=["later", "now", "just missed", "years ago"],
)
def test_a_start_sets_the_grid_and_what_was_missed_is_one_scan(start: str, first: str) -> None:
    found = recurrence(PRODUCT, {"scan_every": "PT4H", "scan_start": start})
    assert found is not None
    assert next_run("pam", NOW, found).isoformat() == first


@pytest.mark.requirement("D-37")
@pytest.mark.parametrize("wrong", ["PT90M", "PT0S", "PT30S", "P1DT30M"])
def test_only_units_that_the_product_knows(wrong: str) -> None:
    with pytest.raises(NeedsHuman, match="hours or days or weeks") as refused:
        every(scan_every=wrong)
    assert refused.value.code == "INPUT_INVALID"


def test_whole_numbers_of_a_unit() -> None:
    assert every(scan_every="PT36H") == timedelta(hours=36)
    assert every(scan_every="P14D") == timedelta(weeks=2)
    assert every() == DAY


@pytest.mark.parametrize("wrong", ["tomorrow", "2026-01-07T02:00:00", "2026-13-01T00:00:00Z"])
def test_a_start_needs_an_offset(wrong: str) -> None:
    with pytest.raises(NeedsHuman, match="offset") as refused:
        every(scan_start=wrong)
    assert refused.value.code == "INPUT_INVALID"


def test_what_does_not_repeat() -> None:
    """A product that imports is scanned once; its imports repeat."""
    assert recurrence(replace(PRODUCT, result_state="import"), {}) is None
    assert recurrence(replace(PRODUCT, schedule=Schedule()), {}) is None


@pytest.mark.requirement("N-22")
def test_the_profiles_default() -> None:
    quarter = Schedule(recurrence=True, units=("minutes",), default=timedelta(minutes=15))
    assert recurrence(replace(PRODUCT, schedule=quarter), {}) == Recurrence(
        every=timedelta(minutes=15)
    )


@pytest.mark.requirement("D-32")
def test_start_on_save_is_the_requests_word() -> None:
    assert starts_on_save(HOURLY, {})
    assert not starts_on_save(HOURLY, {"start_scan_on_save": "no"})
    assert starts_on_save(Schedule(), {"start_scan_on_save": "yes"})
    assert not starts_on_save(Schedule(), {})
