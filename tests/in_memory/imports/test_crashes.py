"""The process may die at any call of an import: the next delivery ends in the same users."""

import pytest

from functions.sweeps import sweep
from shared.model.imports import ImportRequest
from shared.operations import start
from tests.fakes import FakeContext
from tests.fakes.drive import drive
from tests.in_memory.imports.products import NAME, connected, connection, people

EXPECTED = {"ana": ("imported", "Administrator"), "bo": ("imported", "Password User")}


async def world() -> FakeContext:
    ctx = await connected()
    tenant = ctx.directory_reader.people
    tenant.add_group("Staff", [tenant.add_user("ana"), tenant.add_user("bo")])
    wish = ImportRequest(
        groups=("Staff",), roles={"ana@contoso.onmicrosoft.com": "Administrator"}, every="PT6H"
    )
    await ctx.import_store.keep(NAME, "import-1", wish)
    assert await start(ctx, NAME, "import", "import-1", asked_by="test", reason="requested")
    ctx.tenant.faults.calls.clear()
    return ctx


async def calls() -> list[tuple[str, int]]:
    """Every call of an import, with its place among those of the same method."""
    ctx = await world()
    await drive(ctx)
    made = ctx.tenant.faults.calls
    return [(name, made[: n + 1].count(name)) for n, name in enumerate(made)]


@pytest.mark.requirement("X-03", "X-06")
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_a_crash_at_any_call_is_made_good(*, after: bool):
    points = await calls()
    assert len(points) > 15
    for method, nth in points:
        ctx = await world()
        ctx.tenant.fail(method, RuntimeError("crash"), nth=nth, after_effect=after)
        await drive(ctx, redeliver=True)
        ctx.clock.advance(hours=1)
        await sweep(ctx, "resume")
        await drive(ctx, redeliver=True)
        where = f"{method} {nth}"
        assert await people(ctx) == EXPECTED, where
        runs = await ctx.import_store.summaries(NAME)
        assert [(run.state, run.imported) for run in runs] == [("succeeded", 2)], where
        row = await connection(ctx)
        assert row.import_schedule is not None and row.import_schedule.operation == "import-1"
        assert "import" in await ctx.ledger.due_times(NAME), where
        ended = await ctx.ledger.operation(NAME, "import-1")
        assert ended is not None and ended.state == "succeeded", where
