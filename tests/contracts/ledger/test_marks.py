"""When something was last done; and a ledger that lacks a table."""

import pytest

from shared.adapters.table_ledger import TableLedger
from shared.errors import NeedsHuman
from shared.model.storage import PREFIX
from shared.ports import Ledger
from tests.contracts.ledger.network import tables
from tests.contracts.ledger.values import minutes


async def test_the_last_mark_of_each_stays(ledger: Ledger) -> None:
    assert await ledger.marks() == {}
    await ledger.mark("sweep.rotate", minutes(1), {"started": 2})
    await ledger.mark("sweep.verify", minutes(2), {"started": 0})
    await ledger.mark("sweep.rotate", minutes(3), {"started": 4})
    marks = await ledger.marks()
    assert {what: data["started"] for what, data in marks.items()} == {
        "sweep.rotate": 4,
        "sweep.verify": 0,
    }
    assert marks["sweep.rotate"]["at"].startswith(f"{minutes(3):%Y-%m-%dT%H:%M}")


@pytest.mark.diagnosis("LEDGER_MISSING")
async def test_a_table_that_is_missing_is_named(table_ledger: TableLedger, storage: str) -> None:
    await table_ledger.check()
    async with tables(storage) as service:
        await service.delete_table(f"{PREFIX}leases")
    with pytest.raises(NeedsHuman) as told:
        await table_ledger.check()
    assert told.value.code == "LEDGER_MISSING" and f"{PREFIX}leases" in told.value.message
