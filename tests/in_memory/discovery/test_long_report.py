"""A report that takes half an hour in a large tenant holds up nobody's accounts."""

import itertools
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from shared.adapters.blob_accounts import BlobAccounts
from shared.errors import TryLater
from shared.model.accounts import Account, Summary
from shared.planning import discovery_runs
from shared.planning.snapshots import Position
from tests.fakes import FakeContext
from tests.fakes.blobs import FakeContainer
from tests.in_memory.discovery.exporting import exporting, names, tenant, user
from tests.in_memory.discovery.killing import killing, survive
from tests.in_memory.discovery.scans import NAME, begin, deliver, end, found, refusal
from tests.in_memory.discovery.test_telling import told as told_of

pytestmark = pytest.mark.requirement("M-29", "X-15", "N-21")

PEOPLE = 24
SLICE = 60.0
"""Eight pages of two rows: users, groups and all else take less than the report."""


@pytest.fixture(autouse=True)
def long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A report of some pages is long."""
    monkeypatch.setattr(discovery_runs, "LONG", 3)


@pytest.fixture(params=["fake", "blobs"])
def kept(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def with_report(kept: str = "fake") -> FakeContext:
    """As many pages of the report as of users; but only one of them at a time."""
    ctx = await exporting(PEOPLE, seconds=SLICE, read_mfa="yes", removal_limit=10**6)
    tenant(ctx).registered = {f"user-{n:03}": n % 2 == 0 for n in range(PEOPLE)}
    asked = itertools.count()

    def slow(kind: str, _: str) -> None:
        if kind == "registration" and next(asked) % 2:
            raise TryLater("THROTTLED", "five requests in ten seconds")

    ctx.entity_reader.on_page = slow
    if kept == "fake":
        return ctx
    parts = {field: getattr(ctx, field) for field in ctx.__struct_fields__}
    store = BlobAccounts(FakeContainer())  # type: ignore[arg-type] # as much of it as is used
    return FakeContext(**parts | {"account_store": store})


async def running(ctx: FakeContext) -> Summary:
    return (await ctx.account_store.summaries(NAME))[0]


async def until_shown(ctx: FakeContext, operation: str) -> Summary:
    """Deliver until accounts are published, while the run goes on."""
    ctx.clock.advance(minutes=1)
    await begin(ctx, operation)
    await deliver(ctx, operation)
    for _ in range(40):
        seen = await running(ctx)
        assert seen.state == "running"
        if seen.snapshot:
            return seen
        sent = ctx.outbox.take()
        assert sent is not None
        ctx.clock.reach(sent.at)
        await deliver(ctx, operation)
    raise AssertionError("it never shows anything")


async def to_its_end(ctx: FakeContext, operation: str) -> Summary:
    for _ in range(40):
        if (await running(ctx)).state != "running":
            break
        sent = ctx.outbox.take()
        assert sent is not None
        ctx.clock.reach(sent.at)
        await deliver(ctx, operation)
    ctx.outbox.queued.clear()
    await end(ctx, operation)
    return await running(ctx)


def told(ctx: FakeContext, operation: str) -> list[int]:
    """Changes that the events of each snapshot speak of."""
    return [event["total"] for event in told_of(ctx, operation)]


def facts(rows: dict[str, Account]) -> dict[str, str]:
    return {name: row.mfa for name, row in rows.items()}


WHOLE = {f"u{n}": "yes" if n % 2 == 0 else "no" for n in range(PEOPLE)}


async def test_accounts_are_there_before_it_is_read_to_its_end(kept: str) -> None:
    ctx = await with_report(kept)
    seen = await until_shown(ctx, "o1")
    assert (seen.accounts, seen.added, seen.finished) == (PEOPLE, PEOPLE, None)
    assert seen.published is not None
    early = facts(await found(ctx))
    assert set(early.values()) == {"yes", "no", "unknown"}
    assert all(mfa in ("unknown", WHOLE[name]) for name, mfa in early.items())
    assert told(ctx, "o1") == [seen.changes]
    done = await to_its_end(ctx, "o1")
    assert told(ctx, "o1") == [seen.changes, done.changes]  # by other ids
    assert facts(await found(ctx)) == WHOLE
    unknown = [*early.values()].count("unknown")
    assert (done.state, done.added, done.changed) == ("succeeded", PEOPLE, unknown)
    assert done.changed_attributes == {"mfa": unknown}
    assert done.finished is not None


async def test_what_it_said_before_stays_until_it_is_read_again(kept: str) -> None:
    ctx = await with_report(kept)
    await until_shown(ctx, "o1")
    await to_its_end(ctx, "o1")
    ctx.clock.advance(days=8)  # everything is read again
    tenant(ctx).put(user(90))
    tenant(ctx).remove("user-003")
    del tenant(ctx).registered["user-020"]
    await until_shown(ctx, "o2")
    early = facts(await found(ctx))
    assert {name: mfa for name, mfa in early.items() if name != "u90"} == {
        name: mfa for name, mfa in WHOLE.items() if name != "u3"
    }
    assert early["u90"] == "unknown"
    done = await to_its_end(ctx, "o2")
    assert facts(await found(ctx))["u20"] == "unknown"  # it is in the report no more
    assert (done.added, done.removed, done.changed) == (1, 1, 1)


async def test_a_report_that_fails_in_the_end_leaves_the_accounts(kept: str) -> None:
    ctx = await with_report(kept)
    await until_shown(ctx, "o1")
    tenant(ctx).refused["registration"] = refusal()
    done = await to_its_end(ctx, "o1")
    assert (done.state, done.accounts) == ("succeeded", PEOPLE)
    assert [s.status for s in done.sources if s.id == "registration"] == ["failed"]
    assert set(facts(await found(ctx)).values()) == {"yes", "no", "unknown"}


async def test_a_run_that_dies_after_it_is_closed_and_the_next_one_reads_on(kept: str) -> None:
    ctx = await with_report(kept)
    await until_shown(ctx, "o1")
    ctx.outbox.queued.clear()
    await end(ctx, "o1")  # taken over by another operation
    done = await survive(ctx, "o2")
    first = next(s for s in await ctx.account_store.summaries(NAME) if s.operation == "o1")
    assert (first.state, first.why) == ("failed", "abandoned")
    assert (done.state, done.added) == ("succeeded", 0)
    assert facts(await found(ctx)) == WHOLE


async def rows(ctx: FakeContext) -> dict[str, Any]:
    store = ctx.account_store
    return {
        "accounts": [row async for row in store.accounts(NAME)],
        "entities": [row async for row in store.entities(NAME)],
        "links": [row async for row in store.links(NAME)],
    }


async def followed(ctx: FakeContext) -> dict[str, bytes]:
    """What somebody holds who only reads the changes."""
    held: dict[str, bytes] = {}
    async for _, change in ctx.account_store.changes(NAME, Position()):
        if change.command == "delete":
            del held[change.id]
        else:
            held[change.id] = bytes(change.row)
    return held


@pytest.mark.parametrize("seed", range(8))
async def test_killed_anywhere_it_ends_with_the_same_rows(seed: int) -> None:
    calm = await with_report()
    expected = await survive(calm, "o1")
    calls = killing(calm).number
    chance = Random(f"report {seed}")  # noqa: S311 - no secret
    deaths = {(chance.randint(1, calls), chance.random() < 0.5) for _ in range(4)}
    ctx = await with_report()
    summary = await survive(ctx, "o1", deaths)
    assert killing(ctx).died >= 2
    assert await rows(ctx) == await rows(calm)
    assert await followed(ctx) == await followed(calm)
    counted = ("state", "accounts", "added", "removed", "entities", "links", "sources", "read")
    assert [getattr(summary, c) for c in counted] == [getattr(expected, c) for c in counted]


async def test_a_short_report_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery_runs, "LONG", 1000)
    ctx = await with_report()
    summary = await survive(ctx, "o1")
    assert (summary.published, summary.changed) == (None, 0)
    assert await names(ctx) == sorted(WHOLE, key=lambda name: int(name[1:]))
    assert replace(summary, published=None) == summary
