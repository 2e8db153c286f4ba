"""@azure/service-bus: every scenario at once against an emulator in another process."""

import pytest

from tests.emulators.servicebus.entities import config_text
from tests.emulators.servicebus.javascript import run
from tests.emulators.servicebus.process import running

NAMES = (
    "properties", "batch", "abandon", "deadLetter", "schedule", "locks", "subscribe", "topic",
    "session", "receiveAndDelete", "unknown", "oversize",
)  # fmt: skip


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str | None]:
    config = tmp_path_factory.mktemp("javascript") / "config.json"
    config.write_text(config_text())
    with running(config) as emulator:
        return run("scenarios.js", emulator.connection_string, *NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_scenario(name: str, outcomes: dict[str, str | None]) -> None:
    assert outcomes[name] is None, outcomes[name]
