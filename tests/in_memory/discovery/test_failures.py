"""How readers of large directories fail: each ends whole, or honestly in part, never in a loss.

The sources of these cases are the issue trackers of comparable collectors: a list that stops in
the middle, a token that expires, changes that come twice, an empty answer that is no error.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.errors import NeedsHuman, StepError, TryLater
from shared.model.accounts import Summary
from shared.model.connection import Operation
from shared.runtime import run
from shared.scanning.together import READERS
from shared.step import STEPS
from tests.fakes import FakeContext
from tests.in_memory.discovery.exporting import exporting, names, status, tenant, user
from tests.in_memory.discovery.killing import survive, world
from tests.in_memory.discovery.scans import (
    NAME,
    begin,
    condition,
    connected,
    deliver,
    end,
    found,
)

pytestmark = pytest.mark.requirement("X-15")

THROTTLED = TryLater(
    "THROTTLED", "HTTP 429", after=timedelta(minutes=2), limit=timedelta(hours=1), exact=True
)
BROKEN = TryLater("GRAPH_UNAVAILABLE", "HTTP 500", after=timedelta(minutes=1))
EXPIRED = NeedsHuman("PAGE_TOKEN_EXPIRED", "HTTP 400 Directory_ExpiredPageToken", "None.")


def refusing(what: str, problem: StepError, *, pages: int = 0) -> Callable[[str, str], None]:
    """Every page of a source but the first *pages* of each reading."""
    read: list[str] = []

    def refuse(source: str, link: str) -> None:
        if source == what:
            read.append(link)
            if len(read) > pages:
                raise problem

    return refuse


# Throttling and broken answers.


@pytest.mark.diagnosis("THROTTLED")
async def test_a_group_that_stays_throttled_keeps_its_last_known_members() -> None:
    ctx = await connected(world=world(600))
    people = ctx.account_reader.people
    ada, bo, chen, dana = (people.add_user(name) for name in ("ada", "bo", "chen", "dana"))
    people.add_group("A", [ada])
    slow = people.add_group("B", [bo, chen, dana])
    await survive(ctx, "o1")
    people.members[slow] = [bo, ada, chen]
    ctx.account_reader.on_page = refusing(slow, THROTTLED, pages=1)
    began = ctx.clock.now()

    summary = await survive(ctx, "o2")

    assert ctx.clock.now() - began > timedelta(hours=1)
    assert (summary.state, summary.removed) == ("partial", 0)
    assert status(summary)["A"] == ("complete", "")
    assert status(summary)["B"][0] == "failed"
    assert "THROTTLED: HTTP 429 (gave up after" in status(summary)["B"][1]
    states = {name: row.state for name, row in (await found(ctx)).items()}
    assert states == {"ada": "found", "bo": "stale", "chen": "stale", "dana": "stale"}
    assert summary.waited >= 3600

    ctx.account_reader.on_page = None
    assert (await survive(ctx, "o3")).removed == 1


async def test_one_source_that_waits_holds_up_no_other() -> None:
    ctx = await exporting()
    ctx.entity_reader.on_page = refusing("group", THROTTLED)
    await begin(ctx, "o1")
    await deliver(ctx, "o1")
    read = await ctx.account_store.progress(NAME, "o1")
    assert read is not None
    assert {source.id: source.state for source in read.sources} == {
        "user": "complete",
        "group": "waiting",
        "directoryRole": "complete",
        "servicePrincipal": "complete",
    }
    ctx.entity_reader.on_page = None
    ctx.entity_reader.asked.clear()
    summary = await finished(ctx, "o1")
    assert {kind for kind, _ in ctx.entity_reader.asked} == {"group"}
    assert (summary.state, summary.accounts, summary.links) == ("succeeded", 12, 12)


async def test_while_graph_is_closed_to_us_the_other_sources_are_not_even_tried() -> None:
    ctx = await connected(world=world(600))
    people = ctx.account_reader.people
    for number in range(30):
        people.add_group(f"g{number:02}", [people.add_user(f"u{number}")])
    await survive(ctx, "o1")
    asked: list[str] = []

    def close(source: str, link: str) -> None:
        asked.append(source)
        if len(asked) > 10:
            raise THROTTLED

    ctx.account_reader.on_page = close
    await begin(ctx, "o2")
    await deliver(ctx, "o2")
    assert len(asked) < 10 + 2 * READERS  # those that were under way have to be asked
    summary = await finished(ctx, "o2")
    assert (summary.state, summary.removed) == ("partial", 0)
    states = [source.status for source in summary.sources]
    assert (states.count("complete"), states.count("failed")) == (10, 20)
    assert {row.state for row in (await found(ctx)).values()} == {"found", "stale"}


async def test_a_page_that_fails_for_good_takes_nobody_away() -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    known = tenant(ctx)
    known.put(user(0, display_name="renamed"))
    known.put(user(50))
    known.remove("user-011")
    known.expired.add("user")  # so that everything is read again
    ctx.entity_reader.on_page = refusing("user", BROKEN, pages=3)

    summary = await survive(ctx, "o2")

    assert (summary.state, summary.removed) == ("partial", 0)
    assert status(summary)["user"][0] == "failed"
    assert "HTTP 500" in status(summary)["user"][1]
    seen = await names(ctx)
    assert len(seen) == 12
    assert {"renamed", "u11"} <= set(seen)
    assert (await condition(ctx)).reason == "PARTIAL"

    ctx.entity_reader.on_page = None
    healed = await survive(ctx, "o3")
    assert (healed.state, healed.added, healed.removed) == ("succeeded", 1, 1)


# Page tokens.


@pytest.mark.diagnosis("PAGE_TOKEN_EXPIRED")
async def test_a_list_whose_token_expired_is_read_again_from_its_start() -> None:
    ctx = await exporting(users=9)
    known = tenant(ctx)
    known.put(user(1, id="user-0015"))
    read: list[str] = []

    def expire(kind: str, link: str) -> None:
        if kind == "user":
            read.append(link)
        if kind == "user" and len(read) == 3:
            known.remove("user-0015")  # it was on a page that had been read
            raise EXPIRED

    ctx.entity_reader.on_page = expire
    summary = await survive(ctx, "o1")
    assert (summary.state, summary.accounts, summary.links) == ("succeeded", 9, 9)
    assert await names(ctx) == [f"u{n}" for n in range(9)]
    (users,) = [source for source in summary.sources if source.id == "user"]
    assert users.accounts == 9
    assert (await survive(ctx, "o2")).changes == 0


@pytest.mark.diagnosis("PAGE_TOKEN_EXPIRED")
async def test_tokens_that_always_expire_end_in_an_incomplete_source() -> None:
    ctx = await exporting()
    await survive(ctx, "o1")
    known = tenant(ctx)
    known.remove("user-011")
    known.expired.add("user")

    def expire(kind: str, link: str) -> None:
        if kind == "user" and ":" in link:
            raise EXPIRED

    ctx.entity_reader.on_page = expire
    ctx.entity_reader.asked.clear()
    summary = await survive(ctx, "o2")

    assert status(summary)["user"][0] == "failed"
    assert "PAGE_TOKEN_EXPIRED" in status(summary)["user"][1]
    assert (summary.state, summary.removed) == ("partial", 0)
    asked = [link for kind, link in ctx.entity_reader.asked if kind == "user"]
    assert len(asked) == 6  # from its delta link, and five times from its start
    ctx.entity_reader.on_page = None
    assert (await survive(ctx, "o3")).removed == 1


async def test_a_stored_link_that_expired_meanwhile_is_tried_once() -> None:
    ctx = await exporting(seconds=20)
    await begin(ctx, "o1")
    await deliver(ctx, "o1")
    stored = await ctx.account_store.progress(NAME, "o1")
    assert stored is not None
    (users,) = [source for source in stored.sources if source.id == "user"]
    assert (users.state, users.pages > 0) == ("reading", True)
    tenant(ctx).dead.add(users.link)
    ctx.entity_reader.asked.clear()

    summary = await finished(ctx, "o1")

    asked = [link for kind, link in ctx.entity_reader.asked if kind == "user"]
    assert asked[:2] == [users.link, ""]
    assert (summary.state, summary.accounts) == ("succeeded", 12)


# Runs that are cut short.


async def test_while_a_run_goes_on_readers_see_the_snapshot_before_and_how_far_it_is() -> None:
    ctx = await exporting(seconds=20)
    await survive(ctx, "o1")
    before = await names(ctx)
    tenant(ctx).put(user(77))
    tenant(ctx).expired.add("user")
    ctx.clock.advance(minutes=1)
    await begin(ctx, "o2")
    await deliver(ctx, "o2")
    running, *_ = await ctx.account_store.summaries(NAME)
    assert (running.state, running.moved) == ("running", ctx.clock.now())
    assert {source.status for source in running.sources} & {"reading", "waiting"}
    assert await names(ctx) == before
    await finished(ctx, "o2")
    assert "u77" in await names(ctx)


@pytest.mark.diagnosis("SCANNING")
async def test_slices_are_no_waiting_however_many() -> None:
    ctx = await exporting(users=40, seconds=10)
    began = ctx.clock.now()
    await begin(ctx, "o1")
    await deliver(ctx, "o1")
    assert (await condition(ctx)).reason == "SCANNING"
    attempts = []
    while (sent := ctx.outbox.take()) is not None and sent.step == "discovery":
        message = sent.message
        attempts.append(message.attempt)
        assert (message.waiting_since, message.waiting_for) == (None, "")
        assert sent.at <= ctx.clock.now()
        ctx.clock.advance(minutes=29)  # the rescue of stuck operations looks after thirty
        operation = await ctx.ledger.operation(NAME, "o1")
        assert operation is not None
        assert ctx.clock.now() - operation.changed < timedelta(minutes=30)
        await deliver(ctx, "o1", attempt=message.attempt)
    assert attempts == [*range(2, len(attempts) + 2)]  # a queue drops what it had before
    assert ctx.clock.now() - began > timedelta(hours=4)
    summary, *_ = await ctx.account_store.summaries(NAME)
    assert (summary.state, summary.accounts) == ("succeeded", 40)


async def test_an_emergency_need_not_wait_for_the_end_of_a_slice() -> None:
    ctx = await exporting(users=60, seconds=3600)
    now = ctx.clock.now()
    urgent = Operation(
        id="e1",
        kind="emergency",
        connection=NAME,
        state="running",
        step="credentials",
        started=now,
        changed=now,
    )
    begun: list[asyncio.Task[bool]] = []

    def overtake(kind: str, link: str) -> None:
        if not begun:
            begun.append(asyncio.create_task(ctx.ledger.begin(urgent, instead_of="o1")))

    ctx.entity_reader.on_page = overtake
    await begin(ctx, "o1")
    await deliver(ctx, "o1")
    assert ctx.clock.now() - now < timedelta(minutes=2)
    (running,) = await ctx.account_store.summaries(NAME)
    assert running.state == "running"

    ctx.outbox.queued.clear()
    await deliver(ctx, "o1")
    over = await ctx.ledger.operation(NAME, "o1")
    assert over is not None
    assert over.state == "superseded"


async def finished(ctx: FakeContext, operation: str) -> Summary:
    """What is left of an operation."""
    while (sent := ctx.outbox.take()) is not None and sent.step == "discovery":
        ctx.clock.reach(sent.at)
        await run(STEPS["discovery"], sent.body, "message", ctx)
    ctx.outbox.queued.clear()
    await end(ctx, operation)
    runs = await ctx.account_store.summaries(NAME)
    return next(summary for summary in runs if summary.operation == operation)
