"""Timers on a clock that tests move, with their status kept as the Azure host keeps it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import azure.functions as func
import pytest

from emulators.clock import Clock
from emulators.host.function import RetryPolicy
from emulators.host.host import Host, serving
from emulators.host.schedule_monitor import NEVER, FolderMonitor, Status, host_id
from emulators.host.timers import delay

HOURLY = "0 0 * * * *"
HOUR = timedelta(hours=1)


class Runs:
    """What the timer function saw."""

    def __init__(self) -> None:
        self.seen: list[func.TimerRequest] = []
        self.retries: list[tuple[int, int]] = []
        self.failures = 0

    async def wait(self, count: int) -> None:
        await reached(lambda: len(self.seen) >= count)


async def reached(probe: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


def sample(runs: Runs, schedule: str, retry: dict[str, str] | None, **options: bool):
    app = func.FunctionApp()

    @app.function_name(name="sweep")
    @app.timer_trigger(arg_name="timer", schedule=schedule, **options)
    async def sweep(timer: func.TimerRequest, context: func.Context) -> None:
        runs.seen.append(timer)
        policy = context.retry_context
        runs.retries.append((policy.retry_count, policy.max_retry_count))
        if len(runs.seen) <= runs.failures:
            raise RuntimeError("on purpose")

    return app.retry(**retry)(sweep) and app if retry else app


@asynccontextmanager
async def host(
    state: Path,
    clock: Clock,
    runs: Runs,
    schedule: str = HOURLY,
    retry: dict[str, str] | None = None,
    **options: bool,
) -> AsyncIterator[Host]:
    app = sample(runs, schedule, retry, **options)
    async with serving(app, {}, clock=clock, state=state) as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    """Five minutes past a full hour, so that an hourly timer comes due within the next."""
    made = Clock()
    past = made.now()
    made.advance(past.replace(minute=5, second=0) + HOUR - past)
    return made


def kept(state: Path) -> FolderMonitor:
    return FolderMonitor(state / "timers" / host_id({}, ""))


async def status(state: Path) -> Status | None:
    return await kept(state).read("sweep")


async def written(state: Path, probe: Callable[[Status], bool]) -> Status:
    deadline = time.monotonic() + 20
    while True:
        found = await status(state)
        if found is not None and probe(found):
            return found
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.01)


async def test_first_start_notes_the_next_occurrence(tmp_path: Path, clock: Clock) -> None:
    runs = Runs()
    async with host(tmp_path, clock, runs):
        first = await written(tmp_path, lambda _: True)
    assert first.last == NEVER
    assert first.next == clock.now().replace(minute=0, second=0, microsecond=0) + HOUR
    assert runs.seen == []


async def test_fires_when_due_and_missed_occurrences_collapse(tmp_path: Path, clock: Clock) -> None:
    runs = Runs()
    async with host(tmp_path, clock, runs):
        await written(tmp_path, lambda _: True)
        clock.advance(5 * HOUR)
        await runs.wait(1)
        after = await written(tmp_path, lambda found: found.last != NEVER)
    assert len(runs.seen) == 1
    assert runs.seen[0].past_due is False
    assert set(runs.seen[0].schedule_status) == {"Last", "Next", "LastUpdated"}
    assert after.next == clock.now().replace(minute=0, second=0, microsecond=0) + HOUR


async def test_past_due_after_a_pause_wins_over_run_on_startup(
    tmp_path: Path, clock: Clock
) -> None:
    async with host(tmp_path, clock, Runs()):
        await written(tmp_path, lambda _: True)
    clock.advance(2 * HOUR)
    runs = Runs()
    async with host(tmp_path, clock, runs, run_on_startup=True):
        await runs.wait(1)
        await written(tmp_path, lambda found: found.last != NEVER)
    assert [timer.past_due for timer in runs.seen] == [True]


async def test_not_past_due_when_the_schedule_changed(tmp_path: Path, clock: Clock) -> None:
    async with host(tmp_path, clock, Runs()):
        await written(tmp_path, lambda _: True)
    clock.advance(2 * HOUR)
    runs = Runs()
    async with host(tmp_path, clock, runs, schedule="0 30 * * * *"):
        changed = await written(tmp_path, lambda found: found.next.minute == 30)
        assert runs.seen == []
    assert changed.last == NEVER
    assert changed.next > clock.now()


async def test_run_on_startup(tmp_path: Path, clock: Clock) -> None:
    runs = Runs()
    async with host(tmp_path, clock, runs, run_on_startup=True):
        await runs.wait(1)
    assert runs.seen[0].past_due is False


async def test_without_monitor_nothing_is_kept(tmp_path: Path, clock: Clock) -> None:
    runs = Runs()
    async with host(tmp_path, clock, runs, use_monitor=False, run_on_startup=True):
        await runs.wait(1)
    assert runs.seen[0].schedule_status == {}
    assert await status(tmp_path) is None


async def test_more_than_once_a_minute_is_not_monitored(tmp_path: Path) -> None:
    runs = Runs()
    async with host(tmp_path, Clock(), runs, schedule="* * * * * *"):
        await runs.wait(2)
    assert await status(tmp_path) is None


async def test_failed_run_is_noted_and_the_schedule_goes_on(tmp_path: Path, clock: Clock) -> None:
    runs = Runs()
    runs.failures = 1
    async with host(tmp_path, clock, runs):
        await written(tmp_path, lambda _: True)
        clock.advance(HOUR)
        first = await written(tmp_path, lambda found: found.last != NEVER)
        clock.advance(HOUR)
        await runs.wait(2)
        await written(tmp_path, lambda found: found.last > first.last)


async def test_retry_policy(tmp_path: Path, clock: Clock) -> None:
    runs = Runs()
    runs.failures = 9
    retry = {"strategy": "fixed_delay", "max_retry_count": "2", "delay_interval": "00:00:00"}
    async with host(tmp_path, clock, runs, retry=retry, run_on_startup=True):
        await runs.wait(3)
        await written(tmp_path, lambda found: found.last != NEVER)
    assert runs.retries == [(0, 2), (1, 2), (2, 2)]


async def test_admin_starts_a_timer(tmp_path: Path, clock: Clock) -> None:
    import httpx

    runs = Runs()
    async with host(tmp_path, clock, runs) as running, httpx.AsyncClient() as client:
        address = f"{running.url}/admin/functions/sweep"
        refused = await client.post(address, json={"input": ""})
        assert refused.status_code == 401
        key = {"x-functions-key": running.keys.master}
        accepted = await client.post(address, json={"input": ""}, headers=key)
        assert accepted.status_code == 202
        await runs.wait(1)
    assert (runs.seen[0].past_due, runs.seen[0].schedule_status) == (False, {})


def test_exponential_delay_grows_between_its_limits() -> None:
    policy = RetryPolicy("exponential_backoff", -1, minimum=1.0, maximum=10.0)
    assert 1.8 <= delay(policy, 1) <= 2.2
    assert 4.2 <= delay(policy, 3) <= 5.8
    assert delay(policy, 9) == 10.0
    assert delay(replace(policy, strategy="fixed_delay", delay=3.0), 9) == 3.0


def test_status_of_the_azure_host_is_understood() -> None:
    found = Status.parse(
        json.dumps(
            {
                "Last": "0001-01-01T00:00:00",
                "Next": "2026-02-28T01:02:03.1234567+00:00",
                "LastUpdated": "2026-02-28T00:00:00.5Z",
            }
        )
    )
    assert found.last == NEVER
    assert found.next == datetime(2026, 2, 28, 1, 2, 3, 123456, UTC)
