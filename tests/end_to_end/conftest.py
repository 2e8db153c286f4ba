"""One local cloud for the end-to-end tests of a process: starting one takes as long as a test.

Files that come to the same process share it; names of connections differ from file to file.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emulators.stack import Cloud, Options
from tests.end_to_end.local import Local


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    async with Cloud(Options(folder=folder, users=120)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def local(cloud: Cloud) -> AsyncIterator[Local]:
    async with Local(cloud) as clients:
        yield clients
