"""The request ids of writes, which the audit history keeps."""

import asyncio

import pytest

from shared import telemetry
from tests.contracts.stage import WANTED, Stage


@pytest.mark.requirement("X-17")
async def test_writes_are_noted_with_graphs_own_id_and_reads_are_not(stage: Stage) -> None:
    with telemetry.collecting_writes():
        await stage.directory.tenant()
        assert telemetry.take_writes() == []
        # Also from a task of its own, as adapters send side by side.
        await asyncio.create_task(stage.applications.ensure(WANTED))
        noted = telemetry.take_writes()
        assert telemetry.take_writes() == []
    (sent,) = await stage.traffic("PATCH", "/applications")
    answered = {name.lower(): value for name, value in sent["response_headers"].items()}
    assert noted == [answered["request-id"]]


async def test_outside_of_a_step_nothing_is_kept(stage: Stage) -> None:
    await stage.applications.ensure(WANTED)
    assert telemetry.take_writes() == []
