"""The bundle of this repository, indexed by Microsoft's worker library and by our host."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.emulators.host.process import ROOT, command, environment
from tests.worker import native


@pytest.fixture(scope="module")
def indexed() -> dict[str, native.Indexed]:
    pytest.importorskip("azure_functions_runtime")
    return native.index(ROOT)


def test_every_service_bus_trigger_is_binary_and_single(indexed: dict[str, native.Indexed]) -> None:
    """A text body could overwrite message metadata; batches lose and shift entries."""
    triggers = {
        name: entry.trigger
        for name, entry in indexed.items()
        if entry.trigger["type"] == "serviceBusTrigger"
    }
    assert triggers
    for name, trigger in triggers.items():
        assert trigger.get("dataType") == "BINARY", name
        assert trigger.get("cardinality", "ONE") == "ONE", name


def test_no_output_bindings_but_http(indexed: dict[str, native.Indexed]) -> None:
    """The Service Bus output binding sends a body only: no id, no session, no schedule."""
    kinds = {b["type"] for entry in indexed.values() for b in entry.bindings}
    assert kinds <= {"serviceBusTrigger", "timerTrigger", "httpTrigger", "http"}
    assert kinds >= {"serviceBusTrigger", "timerTrigger", "httpTrigger", "http"}


def test_host_finds_the_same_functions(indexed: dict[str, native.Indexed], tmp_path: Path) -> None:
    done = subprocess.run(
        command(ROOT, "--list", "--state", str(tmp_path)),
        env=environment({}),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {each["name"]: each["kind"] for each in json.loads(done.stdout)} == {
        name: entry.trigger["type"] for name, entry in indexed.items()
    }
