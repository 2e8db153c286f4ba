"""What a run has changed, told on the topic."""

import json
from typing import Any

import pytest

from shared.planning.snapshots import Position
from shared.scanning import telling
from tests.fakes import FakeContext
from tests.in_memory.discovery.scans import NAME, connected, deliver, scan


def told(ctx: FakeContext, operation: str) -> list[dict[str, Any]]:
    """The events of one run, each once, as subscribers that drop repeated ids see them."""
    found = {e.id: e for e in ctx.outbox.events if e.type == "keyturn.accounts.changed"}
    return [e.data for e in found.values() if e.data["operation"] == operation]


async def staffed(users: int) -> FakeContext:
    ctx = await connected()
    people = ctx.account_reader.people
    people.add_group("Staff", [people.add_user(f"u{n}") for n in range(users)])
    return ctx


async def test_each_change_is_told_once_with_its_name() -> None:
    ctx = await staffed(3)
    await scan(ctx, "o1")
    people = ctx.account_reader.people
    (staff,) = people.members
    people.members[staff] = [*people.members[staff][1:], people.add_user("dana")]
    await scan(ctx, "o2")

    (first,) = told(ctx, "o1")
    assert {row["name"] for row in first["changes"]} == {
        f"u{n}@contoso.onmicrosoft.com" for n in range(3)
    }
    assert (first["batch"], first["total"], first["more"]) == (1, 3, False)
    (second,) = told(ctx, "o2")
    assert {(row["command"], row["kind"], row["id"]) for row in second["changes"]} == {
        ("insert", "user", "user-dana"),
        ("delete", "user", "user-u0"),
    }


async def test_nothing_is_told_of_a_run_without_changes() -> None:
    ctx = await staffed(2)
    await scan(ctx, "o1")
    await scan(ctx, "o2")
    assert told(ctx, "o2") == []


@pytest.mark.parametrize(("users", "sizes"), [(450, [200, 200, 50]), (400, [200, 200])])
async def test_many_changes_come_in_batches(users: int, sizes: list[int]) -> None:
    ctx = await staffed(users)
    await scan(ctx, "o1")
    batches = told(ctx, "o1")
    assert [len(batch["changes"]) for batch in batches] == sizes
    assert not any(batch["more"] for batch in batches)
    assert all(len(json.dumps(batch)) < 200_000 for batch in batches)
    seen = {row["id"] for batch in batches for row in batch["changes"]}
    assert len(seen) == users


async def test_a_flood_is_cut_and_says_from_where_to_read_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(telling, "BATCH", 3)
    monkeypatch.setattr(telling, "MOST", 2)
    ctx = await staffed(9)
    await scan(ctx, "o1")
    batches = told(ctx, "o1")
    assert [(len(batch["changes"]), batch["more"]) for batch in batches] == [(3, False), (3, True)]
    number, _, row = batches[-1]["cursor"].partition(".")
    after = Position(number=int(number), row=int(row))
    rest = [change.id async for _, change in ctx.account_store.changes(NAME, after)]
    assert rest[:3] == [row["id"] for row in batches[-1]["changes"]]
    assert len(rest) == 6


async def test_a_message_that_comes_late_tells_nothing_of_a_newer_run() -> None:
    ctx = await staffed(1)
    await scan(ctx, "o1")
    before = told(ctx, "o1")
    people = ctx.account_reader.people
    (staff,) = people.members
    people.members[staff].append(people.add_user("dana"))
    await scan(ctx, "o2")
    await deliver(ctx, "o1")
    assert told(ctx, "o1") == before
