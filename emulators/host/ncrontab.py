"""NCRONTAB expressions, as Azure timers read them.

They differ from Vixie cron: an optional field for seconds comes first, day of month and day of week
must both match, Sunday is 0 only, and there is no ``?``, ``L``, ``W`` or ``#``.
"""

import bisect
import calendar
import itertools
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
DAYS = tuple(name.lower() for name in (calendar.day_name[6], *calendar.day_name[:6]))
HORIZON = timedelta(days=366 * 29)
"""29 February on a given weekday comes back within 28 years, or never."""


class ScheduleError(ValueError):
    """The expression is not NCRONTAB."""


@dataclass(frozen=True)
class Field:
    """Limits and names of one field."""

    label: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def parse(self, text: str) -> tuple[int, ...]:
        """The values that match, in order."""
        found = {value for part in text.split(",") for value in self._part(part)}
        return tuple(sorted(found))

    def _part(self, text: str) -> range:
        span, slash, step = text.partition("/")
        every = self._number(step) if slash else 1
        if every < 1:
            raise ScheduleError(f"{self.label}: step '{step}' must be positive")
        if span == "*":
            return range(self.low, self.high + 1, every)
        first, dash, last = span.partition("-")
        start = self._value(first)
        end = self._value(last) if dash else (self.high if slash else start)
        if end < start:
            raise ScheduleError(f"{self.label}: '{text}' runs backwards")
        return range(start, end + 1, every)

    def _value(self, text: str) -> int:
        if self.names and re.fullmatch("[A-Za-z]+", text):
            hits = [i for i, name in enumerate(self.names) if name.startswith(text.lower())]
            if not hits:
                raise ScheduleError(f"{self.label}: '{text}' is not a name")
            return hits[0] + self.low
        value = self._number(text)
        if not self.low <= value <= self.high:
            raise ScheduleError(f"{self.label}: {value} is not in {self.low}-{self.high}")
        return value

    def _number(self, text: str) -> int:
        if not re.fullmatch("[0-9]+", text):
            raise ScheduleError(f"{self.label}: '{text}' is not a number")
        return int(text)


FIELDS = (
    Field("second", 0, 59),
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of week", 0, 6, DAYS),
)


class Schedule:
    """A parsed expression of five or six fields."""

    def __init__(self, expression: str) -> None:
        parts = expression.split()
        if len(parts) not in {5, 6}:
            raise ScheduleError(f"'{expression}' has {len(parts)} fields instead of 5 or 6")
        texts = parts if len(parts) == 6 else ["0", *parts]
        values = [field.parse(text) for field, text in zip(FIELDS, texts, strict=True)]
        self._seconds, self._minutes, self._hours, self._days, self._months, self._weekdays = values

    def next(self, after: datetime) -> datetime:
        """First occurrence strictly after *after*, in the same zone."""
        start = after.replace(microsecond=0) + timedelta(seconds=1)
        day = start.replace(hour=0, minute=0, second=0)
        while day - start < HORIZON:
            if day.month not in self._months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if day.day in self._days and day.isoweekday() % 7 in self._weekdays:
                at = self._time_of(day, start)
                if at is not None:
                    return at
            day += timedelta(days=1)
        raise ScheduleError("the schedule never comes due")

    def _time_of(self, day: datetime, start: datetime) -> datetime | None:
        """First matching time of *day* that is not before *start*."""
        hour, minute, second = (
            (start.hour, start.minute, start.second) if day.date() == start.date() else (0, 0, 0)
        )
        for h in self._hours[bisect.bisect_left(self._hours, hour) :]:
            from_minute = minute if h == hour else 0
            for m in self._minutes[bisect.bisect_left(self._minutes, from_minute) :]:
                from_second = second if (h, m) == (hour, minute) else 0
                at = bisect.bisect_left(self._seconds, from_second)
                if at < len(self._seconds):
                    return day.replace(hour=h, minute=m, second=self._seconds[at])
        return None

    def more_than_once_a_minute(self, now: datetime) -> bool:
        """Whether some two of the next occurrences are less than a minute apart."""
        times = [self.next(now)]
        for _ in range(5):
            times.append(self.next(times[-1]))
        gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
        return min(gaps) < timedelta(minutes=1)
