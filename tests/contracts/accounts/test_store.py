"""`ports.AccountStore` against Azurite, through the real SDK."""

import asyncio
from datetime import timedelta

import pytest
from azure.storage.blob.aio import ContainerClient
from msgspec.structs import replace

from shared.adapters.blob_accounts import BlobAccounts
from shared.errors import TryLater
from shared.model.accounts import Summary
from shared.model.entities import Findings
from shared.model.scan import Progress
from shared.planning.snapshots import Position
from tests.contracts.accounts.rows import (
    START,
    account,
    accounts,
    finished,
    group,
    member,
    read,
    running,
    save,
)
from tests.fakes.published import publish, source

pytestmark = pytest.mark.asyncio(loop_scope="package")  # one Azurite for all of them

PROGRESS = Progress(operation="o1", connection="pam", started=START, sources=(source("user?"),))


async def test_nothing_is_there_at_first(store: BlobAccounts) -> None:
    assert await read(store) == []
    assert await store.summaries("pam") == []
    assert await store.account("pam", "id-1") is None
    assert await store.held("pam") is None


async def test_a_snapshot_comes_back_as_it_was(store: BlobAccounts) -> None:
    eligible = account(2, guest=True, enabled=False, eligible=True, mail="a@b.c")
    saved = await publish(store, finished("o1"), {"user?": Findings(rows=(eligible, account(1)))})
    assert saved == replace(
        finished("o1"),
        added=2,
        accounts=2,
        guests=1,
        disabled=1,
        entities={"user": 2},
        changes=2,
        snapshot="pam/o1",
    )
    assert await read(store) == [account(1), eligible]
    assert await store.account("pam", eligible.id) == eligible
    assert await store.summaries("pam") == [saved]


async def test_an_empty_snapshot_is_a_snapshot(store: BlobAccounts) -> None:
    await save(store, finished("o1"), 1)
    saved = await save(store, finished("o2", 1))
    assert (saved.removed, saved.accounts) == (1, 0)
    assert await read(store) == []


async def test_summaries_come_newest_first(store: BlobAccounts) -> None:
    for minute in (5, 0, 9):
        await store.note(running(f"o{minute}", minute))
    await store.note(running("other", 7, "pam-2"))
    assert [s.operation for s in await store.summaries("pam")] == ["o9", "o5", "o0"]
    assert [s.operation for s in await store.summaries("pam-2")] == ["other"]


@pytest.mark.requirement("D-33", "D-34")
async def test_a_run_has_one_summary_from_its_start_to_its_end(store: BlobAccounts) -> None:
    await store.note(running("o1"))
    assert [s.state for s in await store.summaries("pam")] == ["running"]
    await save(store, finished("o1"), 1)
    assert [s.state for s in await store.summaries("pam")] == ["succeeded"]


async def test_a_failed_run_leaves_the_snapshot_before(store: BlobAccounts) -> None:
    await save(store, finished("o1"), 1)
    await store.note(replace(finished("o2", 1), state="failed"))
    assert await read(store) == accounts(1)
    assert [s.state for s in await store.summaries("pam")] == ["failed", "succeeded"]


async def test_a_connection_does_not_see_another_ones(store: BlobAccounts) -> None:
    await save(store, finished("o1", connection="pam"), 1)
    await save(store, finished("o2", connection="pam-2"), 2)
    assert await read(store, "pam") == accounts(1)
    assert await read(store, "pam-2") == accounts(2)


async def test_publishing_again_changes_nothing(store: BlobAccounts) -> None:
    first = await save(store, finished("o1"), 1)
    later = replace(finished("o1"), finished=START + timedelta(hours=1))
    assert await save(store, later, 1, 2) == first
    assert await read(store) == accounts(1)


async def test_what_was_never_checkpointed_cannot_be_published(store: BlobAccounts) -> None:
    with pytest.raises(ValueError, match="checkpoint"):
        await store.publish(finished("o1"), removals="apply")


async def test_many_at_once_leave_one_whole_snapshot(
    container: ContainerClient, store: BlobAccounts
) -> None:
    runs = [save(BlobAccounts(container), finished(f"o{n}", n), n, n + 100) for n in range(6)]
    ended = await asyncio.gather(*runs, return_exceptions=True)
    won = [one.operation for one in ended if isinstance(one, Summary)]
    lost = [one.code for one in ended if isinstance(one, TryLater)]
    assert won
    assert lost == ["SNAPSHOT_CONFLICT"] * (6 - len(won))
    assert await read(store) in [accounts(int(op[1:]), int(op[1:]) + 100) for op in won]


async def test_of_two_attempts_at_a_run_one_gets_no_further(store: BlobAccounts) -> None:
    first, second = [await store.staging("pam", "o1") for _ in range(2)]
    run = finished("o1", 1)
    page = Findings(rows=tuple(accounts(1, 2)))
    await first.stage("user?", page)
    await first.checkpoint(PROGRESS)
    with pytest.raises(TryLater) as refused:
        await second.checkpoint(PROGRESS)
    assert refused.value.code == "SNAPSHOT_CONFLICT"
    assert await store.progress("pam", "o1") == PROGRESS
    await store.publish(run, removals="apply")
    assert await read(store) == accounts(1, 2)


async def test_a_reader_keeps_its_snapshot_while_a_new_one_appears(store: BlobAccounts) -> None:
    await save(store, finished("o1"), *range(2000))
    rows = store.accounts("pam")
    first = await anext(rows)
    await save(store, finished("o2", 1), 1)
    assert [first, *[row async for row in rows]] == accounts(*range(2000))
    assert await read(store) == accounts(1)


async def test_pages_begin_anywhere(store: BlobAccounts) -> None:
    await save(store, finished("o1"), *range(2000))
    for number in (0, 999, 1998, 1999):
        behind = store.accounts("pam", account(number).id)
        assert [row.id async for row in behind] == [
            row.id for row in accounts(*range(number + 1, 2000))
        ]


async def test_links_are_found_from_both_ends(store: BlobAccounts) -> None:
    links = tuple(member(number, of) for of in range(3) for number in range(4))
    pages = {"group?": Findings(rows=(group(0), group(1), group(2)), links=links)}
    await publish(store, finished("o1"), pages)
    assert [x async for x in store.links_of("pam", "members", "g-1")] == list(links[4:8])
    assert [x async for x in store.links_to("pam", account(2).id)] == [
        links[2],
        links[6],
        links[10],
    ]
    assert await store.entity("pam", "g-2") == group(2)


@pytest.mark.requirement("N-20", "N-21", "D-34")
async def test_changes_lead_from_one_snapshot_to_the_next(store: BlobAccounts) -> None:
    first = {
        "user?": Findings(rows=(account(1), account(2))),
        "group?": Findings(rows=(group(1),), links=(member(1),)),
    }
    kinds = [source("user?", cookie="u1"), source("group?", cookie="g1")]
    one = await publish(store, finished("o1"), first, *kinds)
    assert (one.entities, one.links, one.changes) == ({"group": 1, "user": 2}, 1, 4)
    later = {
        "user?": Findings(rows=(account(2, mail="x@y.z"), account(3)), gone=(account(1).id,)),
        "group?": Findings(links=(member(2),)),
    }
    kinds = [source("user?", full=False, cookie="u2"), source("group?", full=False, state="failed")]
    two = await publish(store, finished("o2", 1), later, *kinds)
    assert (two.accounts, two.added, two.changed, two.removed) == (2, 1, 1, 1)
    assert two.changed_attributes == {"mail": 1}
    assert [x async for x in store.links("pam")] == [member(2)]  # the other went with the account
    assert await store.cookies("pam") == {"user?": "u2", "group?": "g1"}

    end = await store.position("pam")
    told = [(str(p), c.command, c.id) async for p, c in store.changes("pam", Position(number=1))]
    assert told == [
        ("2.1", "delete", account(1).id),
        ("2.2", "update", account(2).id),
        ("2.3", "insert", account(3).id),
        ("2.4", "delete", member(1).id),
        ("2.5", "insert", member(2).id),
    ]
    assert len([x async for x in store.changes("pam", Position())]) == 9
    assert [x async for x in store.changes("pam", end)] == []
    with pytest.raises(LookupError):
        await anext(store.changes("pam", Position(number=3)))


async def test_a_run_without_changes_writes_no_rows(
    container: ContainerClient, store: BlobAccounts
) -> None:
    await save(store, finished("o1"), 1, 2)
    before = {name async for name in container.list_blob_names()}
    same = await save(store, finished("o2", 1), 1, 2)
    after = {name async for name in container.list_blob_names()}
    assert [name.rpartition("-")[2] for name in after - before] == ["o2.json"]
    assert (same.accounts, same.unchanged, same.changes) == (2, 2, 0)


async def test_replaced_tables_are_deleted_a_day_later(
    container: ContainerClient, store: BlobAccounts
) -> None:
    async def tables() -> set[str]:
        return {name async for name in container.list_blob_names(name_starts_with="pam/tables/")}

    await save(store, finished("o1"), 1, 2)
    first = await tables()
    await save(store, finished("o2", 1), 3)
    second = await tables()
    assert first < second  # somebody may be reading it, and its rows are changes
    await save(store, finished("o3", 2), 4)
    assert second < await tables()
    for operation, minutes in (("o4", 60 * 24 + 5), ("o5", 60 * 24 + 6)):
        await save(store, finished(operation, minutes), 4)
    gone = second - await tables()
    assert [name.rpartition("-")[0] for name in gone] == ["pam/tables/o2-accounts"]
    assert first <= await tables()
    assert await read(store) == accounts(4)


async def test_storage_that_is_gone_is_a_reason_to_wait(
    container: ContainerClient, store: BlobAccounts
) -> None:
    await container.delete_container()
    with pytest.raises(TryLater) as refused:
        await store.note(running("o1"))
    assert refused.value.code == "STORAGE_UNAVAILABLE"
