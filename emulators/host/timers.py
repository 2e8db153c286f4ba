"""Timer triggers: schedule, past due, start-up run, no overlap, retry policy."""

import asyncio
import json
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from azure.functions.meta import Datum

from emulators.host.context import Call
from emulators.host.function import Function, RetryPolicy
from emulators.host.invoke import Outcome
from emulators.host.listener import Runner
from emulators.host.ncrontab import Schedule
from emulators.host.schedule_monitor import NEVER, Monitor, Status

log = logging.getLogger("host.timers")

LONGEST_NAP = 1.0
"""The clock may be moved by hand (an emulated clock), so it is looked at this often."""

Now = Callable[[], datetime]


def wall_clock() -> datetime:
    return datetime.now(UTC)


def payload(status: Status | None, *, past_due: bool) -> Datum:
    """TimerInfo as the host sends it."""
    return Datum(
        json.dumps(
            {
                "Schedule": {"AdjustForDST": True},
                "ScheduleStatus": status.payload() if status else None,
                "IsPastDue": past_due,
            }
        ),
        "json",
    )


@dataclass(frozen=True)
class TimerOptions:
    """The trigger's options with their settings resolved."""

    schedule: Schedule
    run_on_startup: bool
    use_monitor: bool


class Timer:
    """One timer; it is awaited in one loop, so that two runs of it never overlap."""

    def __init__(
        self,
        function: Function,
        options: TimerOptions,
        runner: Runner,
        monitor: Monitor,
        now: Now = wall_clock,
    ) -> None:
        self._function, self._options, self._runner = function, options, runner
        self._now = now
        frequent = options.schedule.more_than_once_a_minute(now())
        self._monitor = monitor if options.use_monitor and not frequent else None
        self._status: Status | None = None
        self._next = options.schedule.next(now())

    async def run(self) -> None:
        """Listen until cancelled."""
        past_due = await self._start()
        if past_due or self._options.run_on_startup:
            await self._fire(past_due=past_due, scheduled=False)
        while True:
            await self._sleep_until(self._next)
            await self._fire(past_due=False, scheduled=True)

    async def _start(self) -> bool:
        """Look at the kept status; answer whether an occurrence was missed."""
        if self._monitor is None:
            return False
        now = self._now()
        status = await self._patiently_read(self._monitor)
        if status is None:
            await self._keep(Status(NEVER, self._next, now))
            return False
        base = status.last if status.last != NEVER else status.updated
        expected = self._options.schedule.next(base)
        if expected != status.next:  # the schedule was changed meanwhile
            following = expected if expected > now else self._options.schedule.next(now)
            await self._keep(Status(NEVER, following, now))
            return False
        self._status, self._next = status, status.next
        return now > status.next

    async def _patiently_read(self, monitor: Monitor) -> Status | None:
        pause = 0.5
        while True:
            try:
                return await monitor.read(self._function.name)
            except Exception as error:  # noqa: BLE001 - storage may start after the host
                log.warning("%s: timer status not readable: %s", self._function.name, error)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 10.0)

    async def _keep(self, status: Status) -> None:
        self._status, self._next = status, status.next
        if self._monitor is None:
            return
        try:
            await self._monitor.write(self._function.name, status)
        except Exception as error:  # noqa: BLE001 - the schedule goes on without storage
            log.warning("%s: timer status not written: %s", self._function.name, error)

    async def _fire(self, *, past_due: bool, scheduled: bool) -> None:
        """Run once; afterwards, also after a failure, note the run and the next occurrence."""
        at = self._now()
        status = self._status if self._monitor is not None else None
        await run_with_retry(
            self._runner, self._function, Call(data=payload(status, past_due=past_due))
        )
        if scheduled and at < self._next:  # fired early: the same occurrence must not fire twice
            at = self._next
        # Occurrences missed during a long run collapse: the next one counts from now.
        following = self._options.schedule.next(max(at, self._now()))
        await self._keep(Status(at, following, self._now()))

    async def _sleep_until(self, due: datetime) -> None:
        while (left := (due - self._now()).total_seconds()) > 0:  # noqa: ASYNC110 - a clock, no event
            await asyncio.sleep(min(left, LONGEST_NAP))


async def run_with_retry(runner: Runner, function: Function, call: Call) -> Outcome:
    """Run, and run again as the retry policy says; its state lives in memory only."""
    policy = function.retry
    limit = policy.max_retry_count if policy else 0
    count = 0
    while True:
        attempt = replace(call, retry_count=count, max_retry_count=limit)
        outcome = await runner.run(function, attempt)
        if outcome.ok or policy is None or count == limit:
            return outcome
        count += 1
        await asyncio.sleep(delay(policy, count))


def delay(policy: RetryPolicy, count: int) -> float:
    """Seconds before retry number *count*; exponential back-off is jittered by a fifth."""
    if policy.strategy == "fixed_delay":
        return policy.delay
    grown: float = policy.minimum + 2.0 ** (count - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    return min(max(grown, policy.minimum), policy.maximum)
