"""The NCRONTAB evaluator: its own rules, and the times of another evaluator."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from croniter import croniter

from emulators.host.ncrontab import Schedule, ScheduleError

START = datetime(2026, 2, 27, 23, 59, 30, 500000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/5 * * * *", "2026-02-28T00:00:00"),  # five fields: no seconds
        ("0 */5 * * * *", "2026-02-28T00:00:00"),
        ("30 59 23 * * *", "2026-02-28T23:59:30"),  # strictly later
        ("*/15 * * * * *", "2026-02-27T23:59:45"),
        ("0 0 3/8 * * *", "2026-02-28T03:00:00"),  # a/n: from a to the maximum
        ("0 0 12 * * 1", "2026-03-02T12:00:00"),
        ("0 0 12 * * Mon", "2026-03-02T12:00:00"),
        ("0 0 12 * * mo-We", "2026-03-02T12:00:00"),
        ("0 0 0 1 Jan *", "2027-01-01T00:00:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2026-03-13T00:00:00"),  # Friday the 13th: both must match
        ("0 0 0 29 2 0", "2032-02-29T00:00:00"),
        ("0 0,30 9-10 * * *", "2026-02-28T09:00:00"),
    ],
)
def test_next(expression: str, expected: str) -> None:
    assert Schedule(expression).next(START).replace(tzinfo=None).isoformat() == expected


@pytest.mark.parametrize(
    "expression",
    [
        "* * * *",
        "* * * * * * *",
        "",
        "60 * * * * *",
        "0 0 0 0 * *",
        "0 0 0 * 13 *",
        "0 0 0 * * 7",  # Sunday is 0 only
        "0 0 0 ? * *",
        "0 0 0 L * *",
        "0 0 0 * * 5#2",
        "0 0 0 15W * *",
        "0 0/0 * * * *",
        "0 -1 * * * *",
        "5-1 * * * * *",
        "0 0 0 * * noday",
        "00:05:00",
    ],
)
def test_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule(expression)


def test_never_due() -> None:
    with pytest.raises(ScheduleError, match="never"):
        Schedule("0 0 0 31 2 *").next(START)


def _field(rng: random.Random, low: int, high: int) -> str:
    first, last = sorted(rng.sample(range(low, high + 1), k=2))  # croniter reads 4-4 as all
    step = rng.randint(1, 7)
    forms = ["*", "*", str(first), f"{first},{last}", f"{first}-{last}", f"*/{step}"]
    return rng.choice([*forms, f"{first}-{last}/{step}"])


@pytest.mark.parametrize("seed", range(40))
def test_same_times_as_croniter(seed: int) -> None:
    """croniter agrees when told that seconds come first and that both day fields must match."""
    rng = random.Random(seed)  # noqa: S311 - test data
    limits = [(0, 59), (0, 59), (0, 23), (1, 28), (1, 12), (0, 6)]
    expression = " ".join(_field(rng, low, high) for low, high in limits)
    at = START.replace(microsecond=0) + timedelta(seconds=rng.randint(0, 10**8))
    other = croniter(expression, at, second_at_beginning=True, day_or=False)
    schedule = Schedule(expression)
    for _ in range(8):
        at = schedule.next(at)
        assert at == other.get_next(datetime), expression


def test_more_than_once_a_minute() -> None:
    assert Schedule("*/30 * * * * *").more_than_once_a_minute(START)
    assert Schedule("59 * * * * *").more_than_once_a_minute(START) is False
    assert Schedule("0,59 0 * * * *").more_than_once_a_minute(START)
