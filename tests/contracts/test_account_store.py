"""`ports.AccountStore` against Azurite, through the real SDK."""

import asyncio
import gzip
import tracemalloc
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from msgspec.structs import replace

from emulators.azurite.server import Azurite, serving
from shared.adapters.blob_accounts import BlobAccounts
from shared.adapters.blob_lines import PARTS, PIECE
from shared.errors import TryLater
from shared.model.accounts import Account, Origin, Summary
from shared.model.entities import KINDS, Entity, Link
from shared.planning.changes import Patch
from shared.planning.snapshots import Position, Published

START = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)
STAFF = Origin(kind="group", id="g1", name="Staff")


pytestmark = pytest.mark.asyncio(loop_scope="module")  # one Azurite for all of them


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def azurite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Azurite]:
    async with serving(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def container(azurite: Azurite) -> AsyncIterator[ContainerClient]:
    parts: dict[str, Any] = dict(PARTS)
    async with BlobServiceClient.from_connection_string(
        azurite.connection_string, **parts
    ) as service:
        made = service.get_container_client(f"accounts-{uuid.uuid4().hex}")
        await made.create_container()
        yield made


@pytest.fixture
def store(container: ContainerClient) -> BlobAccounts:
    return BlobAccounts(container)


def account(number: int, **changes: object) -> Account:
    plain = Account(
        id=f"id-{number}",
        user_principal_name=f"Zoë.O'Neil{number}@contoso.com",
        display_name=f"Zoë {number}\n{uuid.uuid5(uuid.NAMESPACE_OID, str(number))}",
        enabled=True,
        guest=False,
        mail="",
        origins=(STAFF,),
    )
    return replace(plain, **changes)


def accounts(*numbers: int) -> list[Account]:
    return [account(number) for number in numbers]


def running(operation: str, minute: int = 0, connection: str = "pam") -> Summary:
    return Summary(
        operation=operation,
        connection=connection,
        state="running",
        mode="groups",
        started=START + timedelta(minutes=minute),
    )


def finished(operation: str, minute: int = 0, connection: str = "pam") -> Summary:
    begun = running(operation, minute, connection)
    return replace(begun, state="succeeded", finished=begun.started + timedelta(seconds=30))


async def read(store: BlobAccounts, connection: str = "pam") -> list[Account]:
    return [row async for row in store.accounts(connection)]


async def test_nothing_is_there_at_first(store: BlobAccounts) -> None:
    assert await read(store) == []
    assert await store.summaries("pam") == []


async def test_a_snapshot_comes_back_as_it_was(store: BlobAccounts) -> None:
    eligible = account(2, guest=True, enabled=False, eligible=True, mail="a@b.c")
    saved = await store.save(finished("o1"), [account(1), eligible])
    assert saved == replace(
        finished("o1"),
        added=2,
        accounts=2,
        guests=1,
        disabled=1,
        entities={"user": 2},
        changes=2,
        snapshot="pam/o1.ndjson.gz",
    )
    assert await read(store) == [account(1), eligible]
    assert await store.summaries("pam") == [saved]


async def test_an_empty_snapshot_is_a_snapshot(store: BlobAccounts) -> None:
    await store.save(finished("o1"), accounts(1))
    saved = await store.save(finished("o2", 1), [])
    assert saved.removed == 1
    assert await read(store) == []


async def test_it_is_compared_with_the_one_before(store: BlobAccounts) -> None:
    await store.save(finished("o1"), accounts(1, 2, 3))
    saved = await store.save(finished("o2", 1), [account(1), account(2, enabled=False), account(4)])
    assert (saved.added, saved.changed, saved.removed, saved.unchanged) == (1, 1, 1, 1)


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
    await store.save(finished("o1"), accounts(1))
    assert [s.state for s in await store.summaries("pam")] == ["succeeded"]


async def test_a_failed_run_leaves_the_snapshot_before(store: BlobAccounts) -> None:
    await store.save(finished("o1"), accounts(1))
    await store.note(replace(finished("o2", 1), state="failed"))
    assert await read(store) == accounts(1)
    assert [s.state for s in await store.summaries("pam")] == ["failed", "succeeded"]


async def test_saving_an_operation_again_changes_nothing(store: BlobAccounts) -> None:
    await store.save(finished("o1"), accounts(1))
    first = await store.save(finished("o2", 1), accounts(1, 2))
    later = replace(finished("o2", 1), finished=START + timedelta(hours=1))
    again = await store.save(later, accounts(1, 2, 3))
    assert again == first
    assert await read(store) == accounts(1, 2)


async def test_a_connection_does_not_see_another_ones(store: BlobAccounts) -> None:
    await store.save(finished("o1", connection="pam"), accounts(1))
    await store.save(finished("o2", connection="pam-2"), accounts(2))
    assert await read(store, "pam") == accounts(1)
    assert await read(store, "pam-2") == accounts(2)


@pytest.mark.parametrize("before", [True, False], ids=["second run", "first run"])
async def test_a_snapshot_is_not_seen_before_all_of_it_is_stored(
    container: ContainerClient, store: BlobAccounts, *, before: bool
) -> None:
    """What a crash just before the last write leaves: everything but the pointer."""
    if before:
        await store.save(finished("o1"), accounts(1))
        kept = await container.get_blob_client("pam/published.json").download_blob()
        pointer = await kept.readall()
    await store.save(finished("o2", 1), accounts(1, 2))
    if before:
        await container.upload_blob("pam/published.json", pointer, overwrite=True)
    else:
        await container.delete_blob("pam/published.json")

    assert await read(store) == (accounts(1) if before else [])
    assert (await store.summaries("pam"))[0] == running("o2", 1)

    repeated = await store.save(finished("o2", 1), accounts(1, 2, 3))
    assert repeated.added == (2 if before else 3)
    assert await read(store) == accounts(1, 2, 3)
    assert (await store.summaries("pam"))[0] == repeated


@pytest.mark.parametrize("before", [True, False], ids=["second run", "first run"])
async def test_of_two_at_once_one_is_told_to_come_again(
    container: ContainerClient, store: BlobAccounts, *, before: bool
) -> None:
    class Overtaken(BlobAccounts):
        """Another run publishes between this one's last read and its last write."""

        async def _publish(self, fresh: Published, tag: str) -> None:
            await store.save(finished("o2", 2), accounts(1, 3))
            await super()._publish(fresh, tag)

    if before:
        await store.save(finished("o0"), accounts(1))
    with pytest.raises(TryLater) as refused:
        await Overtaken(container).save(finished("o1", 1), accounts(1, 2))
    assert refused.value.code == "SNAPSHOT_CONFLICT"
    assert await read(store) == accounts(1, 3)

    again = await store.save(finished("o1", 3), accounts(1, 2))
    assert (again.added, again.removed, again.unchanged) == (1, 1, 1)


async def test_many_at_once_leave_one_whole_snapshot(
    container: ContainerClient, store: BlobAccounts
) -> None:
    runs = [
        BlobAccounts(container).save(finished(f"o{n}", n), accounts(n, n + 100)) for n in range(8)
    ]
    ended = await asyncio.gather(*runs, return_exceptions=True)
    won = [one.operation for one in ended if isinstance(one, Summary)]
    lost = [one.code for one in ended if isinstance(one, TryLater)]
    assert won
    assert lost == ["SNAPSHOT_CONFLICT"] * (8 - len(won))
    ids = {row.id for row in await read(store)}
    assert ids in [{f"id-{op[1:]}", f"id-{int(op[1:]) + 100}"} for op in won]


async def test_a_reader_keeps_its_snapshot_while_a_new_one_appears(store: BlobAccounts) -> None:
    many = accounts(*range(2000))
    await store.save(finished("o1"), many)
    rows = store.accounts("pam")
    first = await anext(rows)
    await store.save(finished("o2", 1), accounts(1))
    assert [first, *[row async for row in rows]] == many
    assert await read(store) == accounts(1)


async def test_a_snapshot_is_gzipped_lines_of_json(
    container: ContainerClient, store: BlobAccounts
) -> None:
    saved = await store.save(finished("o1"), accounts(*range(500)))
    stream = await container.get_blob_client(saved.snapshot).download_blob()
    lines = gzip.decompress(await stream.readall()).splitlines()
    assert [msgspec.json.decode(line, type=Account) for line in lines] == accounts(*range(500))


async def test_a_large_snapshot_is_read_in_bounded_memory(
    azurite: Azurite, container: ContainerClient, store: BlobAccounts
) -> None:
    size = 30_000
    await store.save(finished("o1"), accounts(*range(size)))
    assert size * len(msgspec.json.encode(account(0))) > 25 * PIECE
    small: dict[str, Any] = {"max_single_get_size": 1 << 16, "max_chunk_get_size": 1 << 16}
    async with ContainerClient.from_connection_string(
        azurite.connection_string, container.container_name, **small
    ) as client:
        rows = BlobAccounts(client).accounts("pam")
        count = len([await anext(rows)])  # whatever is imported at first use is imported now
        tracemalloc.start()
        try:
            async for _ in rows:
                count += 1
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert count == size
    assert peak < 8 * PIECE


async def test_storage_that_is_gone_is_a_reason_to_wait(
    container: ContainerClient, store: BlobAccounts
) -> None:
    await container.delete_container()
    with pytest.raises(TryLater) as refused:
        await store.note(running("o1"))
    assert refused.value.code == "STORAGE_UNAVAILABLE"


def pilot(number: int, job: str = "Pilot") -> Account:
    return account(number, attributes={"jobTitle": job})


def group(number: int) -> Entity:
    return Entity(kind="group", id=f"g-{number}", display_name=f"Group {number}")


def member(number: int, of: int = 1) -> Link:
    return Link(kind="members", of="group", source=f"g-{of}", target=f"id-{number}")


def patch(*, whole: bool = False, gone: tuple[str, ...] = (), **rows: Any) -> Patch:
    made = Patch(gone=set(gone), whole=set(KINDS) if whole else set())
    for name, found in rows.items():
        getattr(made, name).update({row.id: row for row in found})
    return made


async def told(store: BlobAccounts, after: Position) -> list[tuple[str, str, str, str]]:
    return [
        (str(place), change.command, change.kind, change.id)
        async for place, change in store.changes("pam", after)
    ]


FIRST = patch(whole=True, accounts=[pilot(1), pilot(2)], entities=[group(1)], links=[member(1)])


@pytest.mark.requirement("N-20", "N-21", "D-34")
async def test_changes_lead_from_one_snapshot_to_the_next(store: BlobAccounts) -> None:
    one = await store.apply(finished("o1"), FIRST, {"user?": "link-1"})
    assert (one.entities, one.links, one.changes) == ({"group": 1, "user": 2}, 1, 4)
    later = patch(accounts=[pilot(2, "Cook"), account(3)], gone=("id-1",), links=[member(2)])
    two = await store.apply(finished("o2", 1), later, {"user?": "link-2"})

    assert (two.accounts, two.added, two.changed, two.removed) == (2, 1, 1, 1)
    assert [row.id for row in await read(store)] == ["id-2", "id-3"]
    assert [row async for row in store.entities("pam")] == [group(1)]
    assert [row async for row in store.links("pam")] == [member(2)]
    assert await store.cookies("pam") == {"user?": "link-2"}
    end = await store.position("pam")
    assert await told(store, Position(number=1)) == [
        ("2.1", "delete", "user", "id-1"),
        ("2.2", "update", "user", "id-2"),
        ("2.3", "insert", "user", "id-3"),
        ("2.4", "delete", "members", "members/g-1/id-1"),
        ("2.5", "insert", "members", "members/g-1/id-2"),
    ]
    assert len(await told(store, Position(number=0))) == 9
    assert [row[0] for row in await told(store, Position(number=2, row=3))] == ["2.4", "2.5"]
    assert (str(end), await told(store, end)) == ("2", [])


async def test_a_run_without_changes_writes_no_rows_again(
    container: ContainerClient, store: BlobAccounts
) -> None:
    await store.apply(finished("o1"), FIRST, {"user?": "link-1"})
    before = {name async for name in container.list_blob_names()}
    same = await store.apply(finished("o2", 1), Patch(), {"user?": "link-2"})
    after = {name async for name in container.list_blob_names()}
    assert [name.partition("-")[2] for name in after - before] == ["o2.json"]
    assert (same.accounts, same.unchanged, same.links, same.changes) == (2, 2, 1, 0)
    assert len(await read(store)) == 2
    assert await store.cookies("pam") == {"user?": "link-2"}


@pytest.mark.requirement("N-21")
async def test_a_crash_before_the_last_write_loses_no_change(
    container: ContainerClient, store: BlobAccounts
) -> None:
    """Everything but the head is written: the cookies of the next run are the old ones."""
    await store.apply(finished("o1"), FIRST, {"user?": "link-1"})
    kept = await container.get_blob_client("pam/published.json").download_blob()
    head = await kept.readall()
    later = patch(accounts=[account(3)])
    await store.apply(finished("o2", 1), later, {"user?": "link-2"})
    await container.upload_blob("pam/published.json", head, overwrite=True)

    assert await store.cookies("pam") == {"user?": "link-1"}
    again = await store.apply(finished("o3", 2), later, {"user?": "link-2"})
    assert again.added == 1
    assert [row[1:] for row in await told(store, Position(number=1))] == [
        ("insert", "user", "id-3")
    ]


async def test_changes_that_nobody_can_know_of(store: BlobAccounts) -> None:
    await store.apply(finished("o1"), FIRST, {})
    with pytest.raises(LookupError):
        await told(store, Position(number=2))


async def test_files_that_were_replaced_are_deleted_a_day_later(
    container: ContainerClient, store: BlobAccounts
) -> None:
    async def files() -> set[str]:
        names = {name async for name in container.list_blob_names()}
        return {name for name in names if name.endswith("gz") and "changes" not in name}

    await store.apply(finished("o1"), FIRST, {})
    await store.apply(finished("o2", 1), patch(accounts=[account(3)]), {})
    assert await files() == {
        "pam/o1.ndjson.gz",  # somebody may be reading it
        "pam/o1.entities.ndjson.gz",
        "pam/o1.links.ndjson.gz",
        "pam/o2.ndjson.gz",
    }
    for operation, minutes in (("o3", 60 * 24 + 5), ("o4", 60 * 24 + 6)):
        await store.apply(finished(operation, minutes), Patch(), {})
        assert await files() == {
            "pam/o1.entities.ndjson.gz",
            "pam/o1.links.ndjson.gz",
            "pam/o2.ndjson.gz",
        }
    assert len(await read(store)) == 3
