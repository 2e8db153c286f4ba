"""Rules for every test."""

import os
from pathlib import Path

import pytest

os.environ.pop("CONTAINER_NAME", None)  # makes Functions workers believe they run in Azure

UNIT = Path(__file__).parent / "unit"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "unit: in memory, one process (set by folder)")
    config.addinivalue_line("markers", "slow: a unit test that takes more than a moment")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(UNIT):
            item.add_marker(pytest.mark.unit)
