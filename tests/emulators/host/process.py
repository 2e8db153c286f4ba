"""The host as a process of its own, as the local cloud runs it."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[3]
CORES = ("emulators.host", "tests.worker.native")
"""The module that runs the host: on the library's converters, or on Microsoft's worker library."""
HOST_JSON = {"version": "2.0", "functionTimeout": "00:05:00"}
HEAD = """\
import asyncio, json, logging, os, pathlib, time
import azure.functions as func
"""


def require(core: str) -> None:
    if core == "tests.worker.native":
        pytest.importorskip("azure_functions_runtime")


def write_app(folder: Path, code: str, host_json: Mapping[str, object] = HOST_JSON) -> Path:
    """A folder with function_app.py and host.json."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function_app.py").write_text(HEAD + dedent(code))
    (folder / "host.json").write_text(json.dumps(host_json))
    return folder


def environment(values: Mapping[str, str]) -> dict[str, str]:
    """Few variables, so that nothing of the developer's machine decides a test."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **values}


def command(app: Path, *options: str, core: str = CORES[0]) -> list[str]:
    return [sys.executable, "-m", core, "--app", str(app), "--state", str(app / "state"), *options]


@dataclass
class Running:
    """A host that is ready."""

    process: subprocess.Popen[str]
    url: str
    function_key: str
    master_key: str
    lines: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, **options: object) -> httpx.Response:
        with httpx.Client(base_url=self.url, timeout=10) as client:
            return client.request(method, path, **options)  # type: ignore[arg-type]

    def admin(self, method: str, path: str, **options: object) -> httpx.Response:
        return self.call(method, path, headers={"x-functions-key": self.master_key}, **options)

    def log(self) -> str:
        return "".join(self.lines)


@contextmanager
def running(
    app: Path, *options: str, core: str = CORES[0], settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Start the host, wait for its ready line, end it with SIGTERM and expect status 0."""
    process = subprocess.Popen(
        command(app, *options, core=core),
        env=environment(settings or {}),
        cwd=app,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)  # type: ignore[arg-type]
    reader.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            process.wait(10)
            reader.join(10)
            raise AssertionError("the host did not start: " + "".join(lines))
        ready = json.loads(line)
        assert ready["ready"] is True
        yield Running(
            process, ready["functions"], ready["function_key"], ready["master_key"], lines
        )
    finally:
        ended = process.poll()
        if ended is None:
            process.terminate()
            assert process.wait(20) == 0, "".join(lines)
        reader.join(10)
        process.stdout.close()
        process.stderr.close()


def until(probe: Callable[[], object], seconds: float = 30.0) -> object:
    """Wait until *probe* answers something true."""
    deadline = time.monotonic() + seconds
    while not (found := probe()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found
