"""A minute of SIGKILLs at everything that may die; `make soak` has more, and longer ones."""

import os
from pathlib import Path

import pytest

from tests.campaign.local_cloud.campaign import run
from tests.campaign.local_cloud.plan import VICTIMS

SEED = 102
"""One whose first kill of each process comes early."""


@pytest.mark.skipif(
    not os.environ.get("KEYTURN_SOAK"),
    reason="two minutes of both processors, which the other tests need: `make soak` runs it",
)
@pytest.mark.requirement("X-06")
async def test_whatever_dies_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    report = await run(SEED, 15.0, tmp_path)
    assert set(report.deaths) == set(VICTIMS), report.told()
    assert len(report.asked.operations) >= len(report.plan.lives), report.told()
    assert report.breaches == [], report.told()
