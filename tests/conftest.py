"""Rules for every test."""

import os

import pytest

os.environ.pop("CONTAINER_NAME", None)  # makes Functions workers believe they run in Azure


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: takes longer than a few seconds")
