"""One local cloud for all end-to-end tests of a process; those that break it have their own."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emulators.stack import Cloud, Options
from tests.end_to_end.local import Local


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    async with Cloud(Options(folder=folder, users=120)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(cloud: Cloud) -> AsyncIterator[Local]:
    async with Local(cloud) as clients:
        yield clients
