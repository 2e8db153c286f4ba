"""``python -m emulators up``: what it writes, prints, and leaves behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

KEYS = {
    "functions",
    "function_key",
    "api_audience",
    "callers",
    "graph",
    "authority",
    "tenant_id",
    "client_id",
    "client_secret",
    "devops",
    "vault",
    "servicebus_connection_string",
    "storage_connection_string",
    "ca_file",
    "admin",
}


def test_up_writes_where_everything_is_and_stops_all_of_it(tmp_path: Path) -> None:
    state = tmp_path / "state" / "local-cloud.json"
    with subprocess.Popen(
        [sys.executable, "-m", "emulators", "up", "--state", str(state), "--users", "20"],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        assert any(line.strip() == "ready" for line in lines)
        found = json.loads(state.read_text())
        assert set(found) >= KEYS
        assert found["graph"].endswith("/v1.0")
        assert state.stat().st_mode & 0o077 == 0  # it holds keys
        assert Path(found["ca_file"]).exists()
        pids = list(found["pids"].values())
        assert len(pids) == 5 and all(alive(pid) for pid in pids)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not any(alive(pid) for pid in pids)
    assert not state.exists() and not Path(found["ca_file"]).exists()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
