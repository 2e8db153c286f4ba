"""After an onboarding the first import comes by itself, when the request names somebody."""

from datetime import timedelta
from typing import Any

import pytest

from functions.sweeps import sweep
from shared.messages import StepMessage
from shared.model.connection import Aspect, Credential, Operation
from tests.fakes import FakeContext
from tests.fakes.drive import drive
from tests.in_memory.imports.products import NAME, connected, connection, ended, people


async def onboarded(ctx: FakeContext, operation: str = "onboard-1") -> None:
    """Run the end of an onboarding: everything from discovery on."""
    now = ctx.clock.now()
    begun = Operation(
        id=operation,
        kind="onboard",
        connection=NAME,
        state="running",
        step="discovery",
        started=now,
        changed=now,
    )
    assert await ctx.ledger.begin(begun)
    message = StepMessage(kind="onboard", connection=NAME, operation=operation)
    await ctx.outbox.send("discovery", message)
    await drive(ctx)
    found = await ctx.ledger.operation(NAME, operation)
    assert found is not None and found.state == "succeeded"


async def world(*users: str, **more: Any) -> FakeContext:
    ctx = await connected(**more)
    for user in users:
        ctx.directory_reader.people.add_user(user)
    now = ctx.clock.now()
    credential = Credential(
        key_id="key-1",
        expires=now + timedelta(days=180),
        published=now,
        due=now + timedelta(days=150),
        vault_name=NAME,
        vault_version="version-1",
    )
    await ctx.ledger.amend(NAME, credential=credential)
    return ctx


@pytest.mark.requirement("M-23", "M-25", "M-17")
async def test_named_groups_are_imported_and_stay_in_step():
    ctx = await world("ana", groups=["Staff"], sync_interval_hours=12)
    ctx.directory_reader.people.add_group("Staff", ["user-ana"])
    await onboarded(ctx)
    assert await sweep(ctx, "import") == 1
    summary = await ended(ctx)
    assert (summary.imported, summary.scheduled) == (1, True)
    assert await people(ctx) == {"ana": ("imported", "Password User")}
    schedule = (await connection(ctx)).import_schedule
    assert schedule is not None and schedule.every == "PT12H"
    told = (await connection(ctx)).condition(Aspect.DISCOVERED)
    assert told is not None and told.reason == "IMPORTED"
    assert await sweep(ctx, "import") == 0
    ctx.clock.advance(hours=13)
    assert await sweep(ctx, "import") == 1


@pytest.mark.requirement("M-17")
async def test_without_synchronisation_it_is_imported_once():
    ctx = await world("ana", features={"sync": False}, users=["ana"])
    await onboarded(ctx)
    assert await sweep(ctx, "import") == 1
    assert (await ended(ctx)).imported == 1
    assert "import" not in await ctx.ledger.due_times(NAME)
    assert (await connection(ctx)).import_schedule is None


@pytest.mark.requirement("M-17")
async def test_nobody_named_waits_for_groups_to_be_ticked():
    ctx = await world("ana")
    await onboarded(ctx)
    assert await sweep(ctx, "import") == 0
    assert await ctx.import_store.summaries(NAME) == []


async def test_a_repeated_onboarding_does_not_bring_back_a_removed_schedule():
    ctx = await world("ana", users=["ana"])
    await onboarded(ctx)
    await sweep(ctx, "import")
    await ended(ctx)
    await ctx.ledger.amend(NAME, import_schedule=None)
    await ctx.ledger.set_due("import", NAME, None)
    await onboarded(ctx, "onboard-2")
    assert (await connection(ctx)).import_schedule is None
