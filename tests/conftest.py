"""Rules for every test."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.pop("CONTAINER_NAME", None)  # makes Functions workers believe they run in Azure

TESTS = Path(__file__).parent
UNIT = TESTS / "unit"

LONG = (
    "end_to_end",
    "release/test_package.py",
    "emulators/keyvault/test_process.py",
    "emulators/host/test_process.py",
    "emulators/graph/test_robustness.py",
    "emulators/servicebus",
    "contracts/ledger",
    "emulators",
    "in_memory",
)
"""What takes long, the longest first: begun last, one file would keep the others waiting."""


class Listed(logging.Filter):
    """Makes an event that is not listed in `shared.telemetry.event_names` an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "event", "") == "event.unlisted":
            raise AssertionError(f"not listed: {record.getMessage()}")
        return True


@pytest.fixture(autouse=True)
def _listed_events(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every test emits its events, and no other than those that are listed."""
    if request.node.get_closest_marker("unlisted_events"):
        yield
        return
    log, strict = logging.getLogger("keyturn"), Listed()
    level = log.level
    log.addFilter(strict)
    log.setLevel(logging.INFO)
    yield
    log.removeFilter(strict)
    log.setLevel(level)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "unit: one function or planner (set by folder)")
    config.addinivalue_line("markers", "slow: a unit test that takes more than a moment")
    config.addinivalue_line("markers", "unlisted_events: the test emits what is not listed")
    config.addinivalue_line("markers", "requirement(*ids): the requirements that a test proves")
    config.addinivalue_line("markers", "diagnosis(*codes): the diagnoses that a test shows")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(UNIT):
            item.add_marker(pytest.mark.unit)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    """The files' place in the queue; within a file the order stays."""
    path = item.path.relative_to(TESTS).as_posix()
    return next((place for place, long in enumerate(LONG) if path.startswith(long)), len(LONG))
