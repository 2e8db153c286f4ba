"""The vault names that a product reads by itself follow the published secret."""

from datetime import timedelta

import pytest

from functions.sweeps import sweep
from shared.model.connection import Aspect, Connection
from shared.model.credential import Masked
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.handover.products import condition, known, onboarded, request

NETWRIX = "netwrix-identity-manager"
NAME = f"{NETWRIX}-prod"
PREFIX = "Connections--MicrosoftEntraIDExport--"
KEY = PREFIX + "ApplicationKey"


async def rotated(ctx: FakeContext) -> Connection:
    """Let the secret become due, and the timer rotate it."""
    due = (await ctx.ledger.due_times(NAME))["rotate"]
    ctx.clock.reach(due + timedelta(minutes=1))
    assert await sweep(ctx, "rotate") == 1
    await drive(ctx)
    return await known(ctx, NAME)


@pytest.mark.requirement("N-16", "N-18", "A-09")
async def test_the_product_finds_its_three_names():
    ctx = fake_context()
    connection = await onboarded(ctx, NETWRIX)
    served = await ctx.vault.current(NAME)
    key = await ctx.vault.current(KEY)
    assert served is not None and key is not None
    assert ctx.vault.value(KEY) == ctx.vault.value(NAME)
    assert (key.expires, key.key_id) == (served.expires, served.key_id)
    assert ctx.vault.value(PREFIX + "ApplicationId") == connection.facts.client_id
    assert ctx.vault.value(PREFIX + "TenantId") == ctx.tenant.identity.id
    assert key.tags["connection"] == NAME and key.tags["profile"] == NETWRIX
    assert connection.handed[KEY] == key.version
    assert condition(connection, Aspect.HANDED_OVER).status == "True"


@pytest.mark.requirement("N-18")
async def test_a_rotation_reaches_the_agent_without_a_change_of_its_file():
    ctx = fake_context()
    before = await onboarded(ctx, NETWRIX)
    old = ctx.vault.value(KEY)
    after = await rotated(ctx)
    assert ctx.vault.value(KEY) == ctx.vault.value(NAME) != old
    assert after.handed[KEY] != before.handed[KEY]
    ids = [name for name in before.handed if name != KEY]
    assert [after.handed[name] for name in ids] == [before.handed[name] for name in ids]
    assert after.credential is not None and after.credential.overlap_until is not None
    assert after.credential.overlap_until - after.credential.published == timedelta(days=14)


async def test_a_repeat_writes_nothing():
    ctx = fake_context()
    await onboarded(ctx, NETWRIX)
    count = ctx.tenant.faults.count("vault.keep")
    await onboarded(ctx, NETWRIX)
    assert ctx.tenant.faults.count("vault.keep") == count == 3


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_crash_at_any_name_is_made_good(nth: int, *, after_effect: bool):
    ctx = fake_context()
    crash = RuntimeError("the process is gone")
    ctx.tenant.fail("vault.keep", crash, nth=nth, after_effect=after_effect)
    wanted = request(NETWRIX)
    with pytest.raises(RuntimeError):
        await onboarded(ctx, NETWRIX)
    await onboarded(ctx, NETWRIX)  # somebody sends the request again, the message is lost
    ctx.clock.advance(timedelta(hours=1))
    await sweep(ctx, "resume")
    await drive(ctx)
    assert ctx.vault.value(KEY) == ctx.vault.value(wanted.spec.name)
    assert len((await known(ctx, NAME)).handed) == 3


async def test_what_somebody_wrote_over_is_written_again():
    ctx = fake_context()
    await onboarded(ctx, NETWRIX)
    await ctx.vault.keep(KEY, Masked("pasted by hand"), {}, None)
    await onboarded(ctx, NETWRIX)
    due = (await ctx.ledger.due_times(NAME))["verify"]
    ctx.clock.reach(due)
    await sweep(ctx, "verify")
    await drive(ctx)
    assert ctx.vault.value(KEY) == ctx.vault.value(NAME)


@pytest.mark.requirement("N-15", "A-17")
@pytest.mark.diagnosis("INPUT_INVALID")
async def test_a_name_of_another_connection_is_not_overwritten():
    ctx = fake_context()
    await onboarded(ctx, NETWRIX, "first")
    value = ctx.vault.value(KEY)
    second = await onboarded(ctx, NETWRIX, "second")
    stopped = [c for c in second.conditions if c.status == "False"]
    assert [c.reason for c in stopped] == ["INPUT_INVALID:connection_id"]
    assert "first" in stopped[0].message and "connection=second" in stopped[0].remedy
    assert ctx.vault.value(KEY) == value


async def test_a_secret_that_keyturn_did_not_make_is_not_overwritten():
    ctx = fake_context()
    await ctx.vault.keep(KEY, Masked("of somebody else"), {}, None)
    stopped = await onboarded(ctx, NETWRIX)
    assert [c.reason for c in stopped.conditions if c.status == "False"] == [
        "INPUT_INVALID:connection_id"
    ]
    assert ctx.vault.value(KEY) == "of somebody else"
    mine = ctx.vault.versions[KEY][-1]
    mine.tags["connection"] = NAME  # as the remedy says
    await onboarded(ctx, NETWRIX)
    assert ctx.vault.value(KEY) == ctx.vault.value(NAME)
