"""While a replaced secret still works: reminders, and the word of a person that ends it."""

from datetime import datetime, timedelta

import msgspec
import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman
from shared.messages import RESUME, Event
from shared.model.connection import Aspect, Credential
from shared.onboarding import Rejected
from shared.planning.credentials import SETTLE
from shared.requests import Acknowledgement
from tests.fakes import FakeContext
from tests.fakes.drive import drive
from tests.in_memory.campaign import Killed, killed_at_every_call
from tests.in_memory.chain.test_crash_points import deliver_through
from tests.in_memory.chain.test_emergency import emergency
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import held, rotate, served
from tests.in_memory.chain.world import NAME, connection

DAY = timedelta(days=1)


async def rotated() -> tuple[FakeContext, datetime]:
    """A connection in its overlap of seven days, and when that began."""
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    await rotate(ctx, "rotate-1")
    assert len(held(ctx)) == 2
    return ctx, (await credential(ctx)).published


async def credential(ctx: FakeContext) -> Credential:
    found = (await connection(ctx)).credential
    assert found is not None
    return found


async def swept(ctx: FakeContext, at: datetime) -> None:
    """Let the timer of retirements run at a time."""
    ctx.clock.reach(at)
    await sweep(ctx, "retire")
    await drive(ctx)


async def acknowledge(ctx: FakeContext, **given: str) -> None:
    said = Acknowledgement(**given)
    await onboarding.acknowledge(ctx, NAME, said, by="ana", asked_by="ana@contoso.com")


def reminders(ctx: FakeContext) -> list[Event]:
    return [event for event in ctx.outbox.events if event.type == "keyturn.handover.reminded"]


async def rows(ctx: FakeContext, what: str) -> list[dict[str, object]]:
    return [row for row in await ctx.ledger.history(NAME) if row["what"] == what]


@pytest.mark.requirement("X-10")
async def test_people_are_reminded_twice_and_told_what_to_do() -> None:
    ctx, begun = await rotated()
    for quarters in range(1, 40):
        await swept(ctx, begun + quarters * DAY / 4)
    assert [event.data["percent"] for event in reminders(ctx)] == [50, 80]
    told = reminders(ctx)[0].data
    published = await credential(ctx)
    assert (told["owner"], told["version"]) == ("ana@contoso.example", published.vault_version)
    assert told["handover"] == f"/api/connections/{NAME}/handover"
    assert told["acknowledge"] == f"/api/connections/{NAME}/handover/acknowledgement"
    assert told["removed"] == begun + 7 * DAY
    history = await rows(ctx, "handover.reminded")
    assert [(row["percent"], row["operation"]) for row in history] == [
        (50, "rotate-1"),
        (80, "rotate-1"),
    ]
    assert held(ctx) == [await served(ctx)]


async def test_retirement_is_looked_at_when_there_is_something_to_do() -> None:
    ctx, begun = await rotated()
    looked = [(await ctx.ledger.due_times(NAME))["retire"]]
    for _ in range(2):
        await swept(ctx, looked[-1])
        looked.append((await ctx.ledger.due_times(NAME))["retire"])
    assert [time - begun for time in looked] == [3.5 * DAY, 5.6 * DAY, 7 * DAY]


async def test_of_two_reminders_that_are_late_only_the_second_is_sent() -> None:
    ctx, begun = await rotated()
    await swept(ctx, begun + 6 * DAY)
    assert [event.data["percent"] for event in reminders(ctx)] == [80]
    await swept(ctx, begun + 8 * DAY)
    assert len(reminders(ctx)) == 1
    assert held(ctx) == [await served(ctx)]


async def test_another_rotation_is_another_overlap() -> None:
    ctx, begun = await rotated()
    await swept(ctx, begun + 4 * DAY)
    await rotate(ctx, "rotate-2")
    again = (await credential(ctx)).published
    for quarters in range(1, 40):
        await swept(ctx, again + quarters * DAY / 4)
    assert [event.data["operation"] for event in reminders(ctx)] == [
        "rotate-1",
        "rotate-2",
        "rotate-2",
    ]
    assert len({event.id for event in reminders(ctx)}) == 3


@pytest.mark.requirement("X-10")
async def test_an_acknowledgement_lets_the_old_secret_go() -> None:
    ctx, begun = await rotated()
    ctx.clock.reach(begun + DAY)
    await acknowledge(ctx, version=(await credential(ctx)).vault_version)
    await swept(ctx, begun + DAY)
    assert held(ctx) == [await served(ctx)]
    assert reminders(ctx) == []
    assert "retire" not in await ctx.ledger.due_times(NAME)
    said = (await connection(ctx)).condition(Aspect.HANDED_OVER)
    assert said is not None and said.reason == "ACKNOWLEDGED"


async def test_a_new_secret_settles_even_if_it_is_acknowledged_at_once() -> None:
    ctx, begun = await rotated()
    await acknowledge(ctx, operation="rotate-1")
    assert (await ctx.ledger.due_times(NAME))["retire"] == begun + SETTLE
    await ctx.ledger.set_due("retire", NAME, begun)
    await swept(ctx, begun + SETTLE - timedelta(minutes=5))
    assert len(held(ctx)) == 2
    await swept(ctx, begun + SETTLE)
    assert held(ctx) == [await served(ctx)]


async def test_a_word_for_the_secret_before_is_refused_and_ends_nothing() -> None:
    ctx = await onboarded()
    old = (await credential(ctx)).vault_version
    await acknowledge(ctx)
    ctx.clock.advance(days=1)
    await rotate(ctx, "rotate-1")
    begun = (await credential(ctx)).published
    with pytest.raises(Rejected) as refused:
        await acknowledge(ctx, version=old)
    assert refused.value.problem.code == "VERSION_NOT_SERVED"
    assert (await credential(ctx)).vault_version in refused.value.problem.hint
    await swept(ctx, begun + 2 * DAY)
    assert len(held(ctx)) == 2  # the earlier word is none for this version
    await swept(ctx, begun + 4 * DAY)
    assert [event.data["percent"] for event in reminders(ctx)] == [50]


async def test_a_repeated_word_changes_nothing() -> None:
    ctx, begun = await rotated()
    ctx.clock.reach(begun + DAY)
    await acknowledge(ctx)
    first = await connection(ctx)
    ctx.clock.advance(hours=5)
    await acknowledge(ctx)
    assert await connection(ctx) == first
    assert len(await rows(ctx, "handover.acknowledged")) == 1
    assert (await ctx.ledger.due_times(NAME))["retire"] == begun + DAY


async def test_a_word_that_comes_while_retirement_is_looked_at_is_not_put_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The step has read the connection, then somebody acknowledges, then it notes its next look."""
    ctx, begun = await rotated()
    ctx.clock.reach(begun + 4 * DAY)
    await sweep(ctx, "retire")
    looked_up = ctx.credentials.held

    async def meanwhile(object_id: str) -> object:
        await acknowledge(ctx)
        return await looked_up(object_id)

    with monkeypatch.context() as patch:
        patch.setattr(ctx.credentials, "held", meanwhile)
        await drive(ctx)
    assert reminders(ctx) == []
    await swept(ctx, begun + 4 * DAY + timedelta(minutes=1))
    assert held(ctx) == [await served(ctx)]


async def reminded_then_acknowledged(ctx: FakeContext, begun: datetime) -> int:
    """Both reminders, a word, the end; answers how often the process was killed."""
    killed = 0
    for after in (3.6, 5.7, 6.0):
        ctx.clock.reach(begun + after * DAY)
        if after == 6.0:
            killed += await insisting(ctx)
        for kind in ("retire", RESUME, "retire"):  # what was killed is taken up by a later one
            try:
                await sweep(ctx, kind)
            except Killed:
                killed += 1
            killed += await deliver_through(ctx)
            ctx.clock.advance(minutes=62)
    return killed


async def insisting(ctx: FakeContext) -> int:
    """Acknowledge, and once more when the call failed: so people do."""
    try:
        await acknowledge(ctx)
    except Killed:
        await acknowledge(ctx)
        return 1
    return 0


@pytest.mark.requirement("X-06", "X-10")
@pytest.mark.slow
@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
async def test_killed_at_every_call_of_an_overlap(*, after_effect: bool) -> None:
    async def begun() -> FakeContext:
        return (await rotated())[0]

    async def run(ctx: FakeContext) -> int:
        return await reminded_then_acknowledged(ctx, (await credential(ctx)).published)

    tried = await killed_at_every_call(begun, run, reminded_once, after_effect=after_effect)
    assert tried.deaths > 20


async def reminded_once(ctx: FakeContext) -> None:
    assert held(ctx) == [await served(ctx)]
    assert [row["percent"] for row in await rows(ctx, "handover.reminded")] == [50, 80]
    assert len({event.id for event in reminders(ctx)}) == 2
    assert len(await rows(ctx, "handover.acknowledged")) == 1
    assert (await connection(ctx)).takeover is not None


async def test_an_emergency_has_no_overlap_even_if_the_removal_is_refused_at_first() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    leaked = await served(ctx)
    ctx.tenant.fail("credentials.remove", NeedsHuman("REFUSED", "HTTP 403", "allow it"), times=1)
    await emergency(ctx)
    begun = (await credential(ctx)).published
    assert leaked in held(ctx)
    assert (await credential(ctx)).overlap_until == begun
    for hours in range(1, 5):
        await swept(ctx, begun + hours * DAY / 24 + timedelta(minutes=1))
    assert held(ctx) == [await served(ctx)]
    assert reminders(ctx) == []
    assert "retire" not in await ctx.ledger.due_times(NAME)


async def test_a_failed_attempt_that_was_removed_leaves_no_overlap_open() -> None:
    """Nothing was published before, but an attempt's secret had to go."""
    ctx, begun = await rotated()
    alone = msgspec.structs.replace(await credential(ctx), previous_key_id="")
    await ctx.ledger.amend(NAME, credential=alone)
    await swept(ctx, begun + 8 * DAY)
    assert held(ctx) == [await served(ctx)]
    assert (await credential(ctx)).overlap_until is None
