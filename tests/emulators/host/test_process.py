"""The host as a process: start, failure to start, timeouts, logs, scale groups."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from emulators.host.watchdog import EXIT_STATUS
from tests.emulators.host.broker import KEY, broker, queue
from tests.emulators.host.process import command, environment, running, until, write_app
from tests.emulators.host.record import CODE, Record

MIXED = (
    CODE
    + """
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
counter = []

@app.route()
async def ask(req: func.HttpRequest) -> func.HttpResponse:
    counter.append(1)
    return func.HttpResponse(json.dumps({"process": os.getpid(), "count": len(counter)}))

@app.route()
async def hang(req: func.HttpRequest) -> func.HttpResponse:
    if req.params.get("how") == "block":
        time.sleep(60)
    await asyncio.sleep(60)
    return func.HttpResponse("too late")

@app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%")
async def sweep(timer: func.TimerRequest) -> None:
    counter.append(1)
    note(function="sweep", process=os.getpid(), count=len(counter))

@app.service_bus_queue_trigger(arg_name="message", queue_name="work", connection="Bus",
                               data_type=func.DataType.BINARY)
async def work(message: func.ServiceBusMessage) -> None:
    counter.append(1)
    note(function="work", process=os.getpid(), count=len(counter), tries=message.delivery_count)
    if message.get_body() == b"hang":
        await asyncio.sleep(60)
"""
)
SETTINGS = {
    "SCHEDULE": "0 0 0 1 1 *",
    "Bus": f"Endpoint=sb://127.0.0.1:1;{KEY};UseDevelopmentEmulator=true",
}
SHORT = {"version": "2.0", "functionTimeout": "00:00:01"}


def fails(app: Path, settings: dict[str, str], *options: str) -> str:
    """Run a host that must not start; what it says."""
    done = subprocess.run(
        command(app, *options),
        env=environment(settings),
        cwd=app,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_app(tmp_path / "app", MIXED)


def test_every_missing_setting_is_named(app: Path) -> None:
    said = fails(app, {})
    assert "function sweep: '%SCHEDULE%' does not resolve to a value." in said
    assert "function work: Service Bus connection 'Bus' does not exist" in said


def test_bad_schedule(app: Path) -> None:
    assert "function sweep: second: 61" in fails(app, {**SETTINGS, "SCHEDULE": "61 * * * * *"})


def test_slow_import_is_interrupted(tmp_path: Path) -> None:
    write_app(tmp_path, "time.sleep(60)\n")
    code = (
        "from pathlib import Path; from emulators.host import app_index;"
        "assert app_index.LIMIT == 10; app_index.index(Path(), limit=0.3)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "HostStartError: indexing takes longer than the 0.3 s a worker has" in done.stderr


def test_bad_connection_string(app: Path) -> None:
    assert "connection string is not valid" in fails(app, {**SETTINGS, "Bus": "Endpoint=nothing"})


def test_host_json_is_needed(app: Path) -> None:
    (app / "host.json").unlink()
    assert "host.json cannot be read" in fails(app, SETTINGS)


def test_settings_file_and_environment(app: Path, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    values = {**SETTINGS, "FUNCTIONS_HOST_MASTER_KEY": "of-the-file"}
    file.write_text(json.dumps({"IsEncrypted": False, "Values": values}))
    ready = tmp_path / "ready.json"
    options = ("--settings", str(file), "--ready-file", str(ready))
    with running(app, *options) as host:
        assert host.master_key == "of-the-file"
        assert json.loads(ready.read_text())["functions"] == host.url
        assert ready.stat().st_mode & 0o077 == 0
    with running(app, *options, settings={"FUNCTIONS_HOST_MASTER_KEY": "wins"}) as host:
        assert host.master_key == "wins"


def test_container_name_in_a_settings_file_is_refused(app: Path, tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"Values": {**SETTINGS, "CONTAINER_NAME": "x"}}))
    assert "CONTAINER_NAME is set" in fails(app, {}, "--settings", str(file))


def test_json_logs_name_function_and_invocation(tmp_path: Path) -> None:
    app = write_app(
        tmp_path,
        """
        app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

        @app.route()
        def say(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
            logging.getLogger("sample").warning("thing.done", extra={"colour": "red"})
            return func.HttpResponse(context.invocation_id)
        """,
    )
    with running(app, "--log-format", "json") as host:
        invocation = host.call("GET", "/api/say").text
        line = str(until(lambda: next((x for x in host.lines if "thing.done" in x), None)))
    entry = json.loads(line)
    assert (entry["function"], entry["invocation_id"]) == ("say", invocation)
    assert (entry["level"], entry["logger"], entry["colour"]) == ("WARNING", "sample", "red")


@pytest.mark.parametrize("how", ["wait", "block"])
def test_timeout_ends_the_process(tmp_path: Path, how: str) -> None:
    app = write_app(tmp_path, MIXED, SHORT)
    with running(app, settings=SETTINGS) as host:
        with pytest.raises(Exception, match="disconnected"):
            host.call("GET", f"/api/hang?how={how}")
        assert host.process.wait(20) == EXIT_STATUS
        until(lambda: "exceeded by function hang" in host.log())


def test_supervised_host_comes_back_after_a_timeout(tmp_path: Path) -> None:
    app = write_app(tmp_path, MIXED, SHORT)
    with running(app, "--supervise", settings=SETTINGS) as host:
        before = host.call("GET", "/api/ask").json()["process"]
        assert host.call("GET", "/api/hang").status_code == 503
        answer = until(lambda: _answer(host.call("GET", "/api/ask")))
        assert answer["process"] != before  # type: ignore[index]


def _answer(response):
    return response.json() if response.status_code == 200 else None


def test_isolated_functions_share_nothing(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", MIXED)
    record = Record(tmp_path / "record")
    with broker(tmp_path, [queue("work")]) as bus:
        settings = {**SETTINGS, "Bus": bus.connection_string, "RECORD": str(record.file)}
        with running(app, "--isolate", settings=settings) as host:
            asked = host.call("GET", "/api/ask").json()
            assert host.call("GET", "/api/unknown").status_code == 404
            assert host.admin("POST", "/admin/functions/sweep", json={}).status_code == 202
            bus.send("work", b"x")
            [swept], [worked] = record.wait(function="sweep"), record.wait(function="work")
            assert asked["count"] == swept["count"] == worked["count"] == 1
            assert len({asked["process"], swept["process"], worked["process"]}) == 3
            os.kill(swept["process"], signal.SIGKILL)
            until(lambda: host.admin("POST", "/admin/functions/sweep", json={}).status_code == 202)
            again = record.wait(2, function="sweep")[1]
            assert again["process"] != swept["process"]
        until(lambda: not Path(f"/proc/{again['process']}").exists())


def test_message_of_a_killed_invocation_comes_back(tmp_path: Path) -> None:
    """Timeout and shutdown settle nothing; the lock's expiry brings the message back."""
    app = write_app(tmp_path / "app", MIXED, SHORT)
    record = Record(tmp_path / "record")
    with broker(tmp_path, [queue("work", lock="PT5S")]) as bus:
        settings = {**SETTINGS, "Bus": bus.connection_string, "RECORD": str(record.file)}
        with running(app, settings=settings) as host:
            bus.send("work", b"hang")
            record.wait(function="work")
            assert host.process.wait(20) == EXIT_STATUS
        message = until(lambda: bus.receive("work"))
        assert message.delivery_count == 1  # type: ignore[attr-defined]


def test_broker_that_goes_away_is_waited_for(tmp_path: Path) -> None:
    app = write_app(tmp_path / "app", MIXED)
    record = Record(tmp_path / "record")
    with broker(tmp_path, [queue("work")]) as bus:
        port = bus.port
        settings = {**SETTINGS, "Bus": bus.connection_string, "RECORD": str(record.file)}
        with running(app, settings=settings) as host:
            bus.send("work", b"1")
            record.wait(function="work")
            bus.stop()
            until(lambda: "work: listening interrupted" in host.log())
            with broker(tmp_path, [queue("work")], port=port) as restarted:
                restarted.send("work", b"2")
                record.wait(2, function="work")
                assert "work: listening again" in host.log()


def test_workers_do_not_outlive_a_killed_supervisor(tmp_path: Path) -> None:
    with running(write_app(tmp_path, MIXED), "--supervise", settings=SETTINGS) as host:
        worker = host.call("GET", "/api/ask").json()["process"]
        assert not gone(worker)
        host.process.kill()
        host.process.wait(20)
        until(lambda: gone(worker))


def gone(process: int) -> bool:
    """Ended, even if nobody has asked for its exit status yet."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True
