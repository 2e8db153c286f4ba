"""The command line: ready line, health, exit status."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.emulators.servicebus.entities import config_text
from tests.emulators.servicebus.process import Emulator


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "config.json"
    file.write_text(config_text())
    return file


def test_ready_line_health_and_sigterm(config: Path) -> None:
    emulator = Emulator(config, "--health-port", "0")
    try:
        port = emulator.ready["port"]
        assert emulator.ready == {
            "ready": True,
            "port": port,
            "connection_string": f"Endpoint=sb://127.0.0.1:{port};"
            "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE;"
            "UseDevelopmentEmulator=true;",
            "health_port": emulator.ready["health_port"],
        }
        health = f"http://127.0.0.1:{emulator.ready['health_port']}/health"
        with urllib.request.urlopen(health) as response:
            assert json.load(response) == {
                "status": "healthy",
                "message": "Service is healthy.",
            }
    finally:
        assert emulator.stop() == 0


def test_a_wrong_configuration_ends_with_words(config: Path) -> None:
    config.write_text("{}")
    done = subprocess.run(
        [sys.executable, "-m", "emulators.servicebus", "--config", str(config), "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "UserConfig" in done.stderr
    assert "Traceback" not in done.stderr
