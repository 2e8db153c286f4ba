"""The whole chain, invoked by Microsoft's own worker library instead of our host's converters."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emulators.stack import Cloud, Options
from tests.end_to_end.local import FOUR, Local, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cloud]:
    pytest.importorskip("azure_functions_runtime")
    folder = tmp_path_factory.mktemp("cloud")
    async with Cloud(Options(folder=folder, users=120, host="tests.worker.native")) as running:
        yield running


async def test_http_queue_and_timer_functions_run_on_it(local: Local) -> None:
    await local.onboard("dvls-worker")
    found = await local.assert_onboarded("dvls-worker")
    assert found["granted"] == FOUR
    started = await local.call(
        "POST",
        "/admin/functions/verify_due",
        json={"input": ""},
        headers={"x-functions-key": local.state["master_key"]},
    )
    assert started.status_code == 202, started.text

    async def swept() -> bool:
        return "sweep.finished" in (local.cloud.folder / "host.log").read_text()

    await until("the timer's sweep to be logged", swept)
