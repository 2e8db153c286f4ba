"""A host with a clock: functions are told the emulated time, and a jump disturbs nothing else."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from emulators.clock import Clock
from tests.emulators.host.broker import Broker, broker, queue
from tests.emulators.host.process import CORES, Running, require, running, until, write_app
from tests.emulators.host.record import CODE, Record

MONTHS = timedelta(days=121)
LOCK = 3.0
"""Seconds; the calls under test take longer, so that the lock must be renewed after the jump."""

APP = (
    CODE
    + """
from datetime import UTC, datetime
app = func.FunctionApp()

def told():
    return {"time": time.time(), "now": datetime.now(UTC).timestamp(), "mono": time.monotonic()}

@app.route(route="time", auth_level=func.AuthLevel.ANONYMOUS)
async def ask(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(told()))

@app.route(route="thread", auth_level=func.AuthLevel.ANONYMOUS)
def ask_in_a_thread(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(told()))

@app.timer_trigger(arg_name="timer", schedule="0 0 0 * * *")
async def nightly(timer: func.TimerRequest) -> None:
    note(function="nightly", **told())

async def work(message):
    note(function="begin", **describe(message))
    while not pathlib.Path(os.environ["RECORD"] + ".gate").exists():
        await asyncio.sleep(0.01)
    note(function="end", **describe(message))

@app.service_bus_queue_trigger(arg_name="message", queue_name="plain", connection="Bus")
async def plain(message: func.ServiceBusMessage) -> None:
    await work(message)

@app.service_bus_queue_trigger(arg_name="message", queue_name="ordered", connection="Bus",
                               is_sessions_enabled=True)
async def ordered(message: func.ServiceBusMessage) -> None:
    await work(message)
"""
)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(tmp_path / "record")


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[Broker]:
    lock = f"PT{LOCK:.0f}S"
    queues = [queue("plain", lock=lock), queue("ordered", sessions=True, lock=lock)]
    with broker(tmp_path, queues) as bus:
        yield bus


@pytest.fixture(params=CORES)
def host(
    request: pytest.FixtureRequest, tmp_path: Path, bus: Broker, record: Record
) -> Iterator[Running]:
    require(request.param)
    settings = {"Bus": bus.connection_string, "RECORD": str(record.file)}
    app = write_app(tmp_path / "app", APP)
    options = ("--clock", str(tmp_path / "clock"))
    with running(app, *options, core=request.param, settings=settings) as running_host:
        yield running_host


def ahead(host: Running, path: str = "time") -> float:
    """By how many seconds the functions are ahead of real time."""
    told = host.call("GET", f"/api/{path}").json()
    assert abs(told["now"] - told["time"]) < 1
    assert abs(told["mono"] - time.monotonic()) < 60  # durations are real
    return float(told["time"]) - time.time()


def test_functions_are_told_the_emulated_time(host: Running, record: Record, clock: Clock) -> None:
    assert abs(ahead(host)) < 5
    clock.advance(MONTHS)
    until(lambda: abs(ahead(host) - MONTHS.total_seconds()) < 5)
    assert abs(ahead(host, "thread") - MONTHS.total_seconds()) < 5
    (run,) = record.wait(function="nightly")  # the timer needs nobody to start it
    assert abs(run["time"] - clock.time()) < 60
    clock.advance(timedelta(days=1))
    assert len(record.wait(2, function="nightly")) == 2
    assert host.call("GET", "/admin/host/ping").status_code == 200


def test_messages_at_work_outlive_a_jump(
    host: Running, bus: Broker, record: Record, clock: Clock
) -> None:
    bus.send("plain", b"x", message_id="p")
    bus.send("ordered", b"x", message_id="o", session_id="s")
    record.wait(2, function="begin")
    clock.advance(MONTHS)
    until(lambda: ahead(host) > 1)
    over = time.monotonic() + 2 * LOCK
    until(lambda: time.monotonic() > over)
    Path(f"{record.file}.gate").touch()
    record.wait(2, function="end")
    bus.send("plain", b"x", message_id="later")  # the same links go on
    bus.send("ordered", b"x", message_id="later", session_id="s")
    ends = record.wait(4, function="end")
    assert sorted((each["id"], each["count"]) for each in ends) == [
        ("later", 1),
        ("later", 1),
        ("o", 1),
        ("p", 1),
    ]
    until(lambda: not bus.waiting("plain"))
    assert "interrupted" not in host.log() and "not renewed" not in host.log()


def test_a_host_started_after_a_jump_has_that_time(tmp_path: Path, clock: Clock) -> None:
    clock.advance(MONTHS)
    app = write_app(tmp_path / "app", APP.partition("async def work")[0])
    settings = {"RECORD": str(tmp_path / "record")}
    with running(app, "--clock", str(tmp_path / "clock"), settings=settings) as host:
        assert abs(ahead(host) - MONTHS.total_seconds()) < 5
