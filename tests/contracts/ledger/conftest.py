"""Ledgers to test: the fake one, and the real one on Azurite."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from emulators.azurite.server import serving
from shared.adapters.table_ledger import TableLedger
from shared.model import storage as names
from shared.ports import Ledger
from tests.contracts.ledger.network import Network, tables
from tests.fakes import WRITE_SPACING, FakeClock
from tests.fakes.faults import Faults
from tests.fakes.ledger import FakeLedger


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def azurite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The connection string of an Azurite that all tests of this process share."""
    async with serving(tmp_path_factory.mktemp("azurite"), durable=False) as running:
        yield running.connection_string


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest_asyncio.fixture
async def storage(azurite: str) -> str:
    """The connection string of a storage without tables."""
    async with tables(azurite) as service:
        for name in names.tables():
            await service.delete_table(name)
    return azurite


@pytest.fixture
def network() -> Network:
    return Network()


@pytest_asyncio.fixture
async def table_ledger(
    storage: str, network: Network, clock: FakeClock
) -> AsyncIterator[TableLedger]:
    async with tables(storage, network) as service:
        ledger = TableLedger(service, clock, write_spacing=WRITE_SPACING)
        await ledger.ensure_tables()
        network.calls.clear()
        yield ledger


@pytest.fixture(params=["fake", "tables"])
def ledger(request: pytest.FixtureRequest, clock: FakeClock) -> Ledger:
    if request.param == "fake":
        return FakeLedger(clock, Faults(), write_spacing=WRITE_SPACING)
    real: TableLedger = request.getfixturevalue("table_ledger")
    return real
