"""Random histories: tables in Blob storage agree with rows in plain dicts, run after run."""

import random
from typing import Any

import pytest
from msgspec.structs import asdict

from shared.adapters.blob_accounts import BlobAccounts
from shared.model.entities import Change
from shared.planning.snapshots import Position
from shared.ports import AccountStore
from tests.fakes.faults import Faults
from tests.fakes.snapshots import FakeAccountStore
from tests.in_memory.snapshots.histories import CONNECTION, GROUPS, PEOPLE, History, Run

pytestmark = pytest.mark.requirement("X-15", "N-21", "D-34")


async def stage(store: AccountStore, run: Run, chance: random.Random) -> None:
    """All pages; now and then the attempt dies and the next one reads on from its checkpoint."""
    operation, done = run.summary.operation, 0
    staging = await store.staging(CONNECTION, operation)
    await staging.checkpoint(run.progress)
    at = 0
    while at < len(run.pages):
        key, page = run.pages[at]
        await (staging.restart(key) if page is None else staging.stage(key, page))
        at += 1
        if chance.random() < 0.3:
            await staging.checkpoint(run.progress)
            done = at
        if chance.random() < 0.1:
            staging, at = await store.staging(CONNECTION, operation), done
    await staging.checkpoint(run.progress)


async def everything(store: AccountStore) -> dict[str, Any]:
    return {
        "accounts": [row async for row in store.accounts(CONNECTION)],
        "entities": [row async for row in store.entities(CONNECTION)],
        "links": [row async for row in store.links(CONNECTION)],
        "held": await store.held(CONNECTION),
        "held rows": [row async for row in store.held_rows(CONNECTION)],
        "cookies": await store.cookies(CONNECTION),
        "position": await store.position(CONNECTION),
    }


async def told(store: AccountStore, after: Position) -> list[Change]:
    return [change async for _, change in store.changes(CONNECTION, after)]


def in_words(changes: list[Change]) -> list[tuple[str, str, str, bytes]]:
    return sorted((c.command, c.kind, c.id, bytes(c.row)) for c in changes)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(16))
async def test_tables_agree_with_plain_dicts(store: BlobAccounts, seed: int) -> None:
    model, history = FakeAccountStore(Faults()), History(seed)
    followed: dict[tuple[str, str], bytes] = {}
    for _ in range(6):
        run = history.next()
        before = await store.position(CONNECTION)
        for each in (store, model):
            await stage(each, run, random.Random(seed))  # noqa: S311 - repeatable
        operation = run.summary.operation
        assert await store.losses(CONNECTION, operation) == await model.losses(
            CONNECTION, operation
        )
        done = await store.publish(run.summary, removals=run.removals)
        assert asdict(done) == asdict(await model.publish(run.summary, removals=run.removals))
        assert await store.publish(run.summary, removals="apply") == done
        await agree(store, model)
        new = await told(store, before)
        assert in_words(new) == in_words(await told(model, before))
        follow(followed, new)
        if history.chance.random() < 0.4:
            approve = history.chance.random() < 0.5
            before = await store.position(CONNECTION)
            at = run.summary.started
            released = await store.release(CONNECTION, approve=approve, now=at)
            assert released == await model.release(CONNECTION, approve=approve, now=at)
            await agree(store, model)
            follow(followed, await told(store, before))
    assert {key[1] for key in followed} == {
        row.id
        for part in ("accounts", "entities", "links")
        for row in (await everything(store))[part]
    }


async def agree(store: BlobAccounts, model: FakeAccountStore) -> None:
    found, expected = await everything(store), await everything(model)
    for part, rows in expected.items():
        assert found[part] == rows, part
    for id_ in (*PEOPLE[:5], "u-99"):
        assert await store.account(CONNECTION, id_) == await model.account(CONNECTION, id_)
    for id_ in GROUPS:
        assert await store.entity(CONNECTION, id_) == await model.entity(CONNECTION, id_)
        for each in ("members", "owners"):
            assert [x async for x in store.links_of(CONNECTION, each, id_)] == [
                x async for x in model.links_of(CONNECTION, each, id_)
            ]
    for id_ in (*PEOPLE[:5], *GROUPS[:2]):
        assert [x async for x in store.links_to(CONNECTION, id_)] == [
            x async for x in model.links_to(CONNECTION, id_)
        ]
    for part in ("accounts", "entities", "links"):
        rows = expected[part]
        for row in rows[:: max(len(rows) // 3, 1)]:
            behind = [r async for r in getattr(store, part)(CONNECTION, row.id)]
            assert behind == rows[rows.index(row) + 1 :]


def follow(rows: dict[tuple[str, str], bytes], changes: list[Change]) -> None:
    """What somebody holds who only reads the changes."""
    for change in changes:
        key = (change.kind, change.id)
        if change.command == "delete":
            del rows[key]
        else:
            assert (key in rows) == (change.command == "update")
            rows[key] = bytes(change.row)


async def test_changes_can_be_read_on_from_any_place(store: BlobAccounts) -> None:
    history = History(3)
    for _ in range(4):
        run = history.next()
        await stage(store, run, history.chance)
        await store.publish(run.summary, removals="apply")
    every = [found async for found in store.changes(CONNECTION, Position())]
    for at, (place, _) in enumerate(every):
        rest = [found async for found in store.changes(CONNECTION, place)]
        assert rest == every[at + 1 :]
