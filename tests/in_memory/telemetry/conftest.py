"""Every test records."""

from collections.abc import Iterator

import pytest

from functions import census
from tests.fakes.telemetry import Recorded, recorded


@pytest.fixture(autouse=True)
def seen() -> Iterator[Recorded]:
    census.forget()
    with recorded() as made:
        yield made
