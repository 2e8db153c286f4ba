"""`ports.ImportStore` against Azurite, through the real SDK."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from msgspec.structs import replace

from emulators.azurite.server import Azurite, serving
from shared.adapters.blob_imports import BlobImports, Head
from shared.errors import TryLater
from shared.model.imports import (
    Edge,
    ImportedGroup,
    ImportedUser,
    ImportRequest,
    ImportRow,
    ImportSummary,
    Membership,
    UserStore,
    Warned,
)

START = datetime(2026, 1, 5, 9, 0, 0, 123456, tzinfo=UTC)

pytestmark = pytest.mark.asyncio(loop_scope="module")  # one Azurite for all of them


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def azurite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Azurite]:
    async with serving(tmp_path_factory.mktemp("azurite")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def container(azurite: Azurite) -> AsyncIterator[ContainerClient]:
    async with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        made = service.get_container_client(f"imports-{uuid.uuid4().hex}")
        await made.create_container()
        yield made


@pytest.fixture
def store(container: ContainerClient) -> BlobImports:
    return BlobImports(container)


def users(*names: str, role: str = "Password User") -> UserStore:
    return UserStore(
        users=tuple(
            ImportedUser(
                id=f"id-{name}",
                user_principal_name=f"{name}@contoso.com",
                display_name=f"Zoë {name}",
                mail="",
                enabled=True,
                guest=False,
                role=role,
                since=START,
            )
            for name in names
        ),
        groups=(ImportedGroup(id="g1", name="Staff"), ImportedGroup(id="g2", name="Inner")),
        edges=(Edge(parent="g1", child="g2"),),
        memberships=tuple(Membership(group="g2", user=f"id-{name}") for name in names),
    )


def rows(*names: str) -> list[ImportRow]:
    return [ImportRow(kind="user", state="imported", id=f"id-{name}") for name in names]


def running(operation: str, minute: int = 0, connection: str = "pam") -> ImportSummary:
    started = START + timedelta(minutes=minute)
    return ImportSummary(
        operation=operation, connection=connection, state="running", started=started
    )


def finished(operation: str, minute: int = 0, connection: str = "pam") -> ImportSummary:
    begun = running(operation, minute, connection)
    warned = Warned(code="NO_ADMINISTRATOR", message="none", next_step="give it")
    return replace(begun, state="succeeded", finished=begun.started, warnings=(warned,))


async def read(store: BlobImports, operation: str) -> list[ImportRow]:
    return [row async for row in store.rows("pam", operation)]


async def test_nothing_is_there_at_first(store: BlobImports) -> None:
    assert await store.load("pam") == (UserStore(), "")
    assert await store.summaries("pam") == []
    assert await store.request("pam", "o1") is None
    assert await read(store, "o1") == []


async def test_what_to_import_comes_back_as_it_was(store: BlobImports) -> None:
    wish = ImportRequest(
        users=("Zoë, R.",), roles={"a": "b"}, options={"n": 1, "x": True}, every=""
    )
    await store.keep("pam", "o1", wish)
    assert await store.request("pam", "o1") == wish
    assert await store.request("pam-2", "o1") is None


async def test_users_rows_and_summary_become_visible_together(store: BlobImports) -> None:
    await store.note(running("o1"))
    await store.save("pam", users("ana", "bo"), "", finished("o1"), rows("ana", "bo"))
    known, tag = await store.load("pam")
    assert (known, bool(tag)) == (users("ana", "bo"), True)
    assert await store.summaries("pam") == [finished("o1")]
    assert await read(store, "o1") == rows("ana", "bo")
    assert (await store.load("pam-2"))[0] == UserStore()


async def test_a_change_without_an_import_keeps_the_summaries(store: BlobImports) -> None:
    await store.save("pam", users("ana"), "", finished("o1"), rows("ana"))
    _, tag = await store.load("pam")
    await store.save("pam", users("ana", role="Administrator"), tag)
    assert (await store.load("pam"))[0].users[0].role == "Administrator"
    assert await store.summaries("pam") == [finished("o1")]


async def test_summaries_come_newest_first(store: BlobImports) -> None:
    for minute in (5, 0, 9):
        await store.note(running(f"o{minute}", minute))
    await store.note(running("other", 7, "pam-2"))
    assert [run.operation for run in await store.summaries("pam")] == ["o9", "o5", "o0"]


@pytest.mark.requirement("D-31")
async def test_of_two_changes_at_once_one_is_told(
    container: ContainerClient, store: BlobImports
) -> None:
    class Overtaken(BlobImports):
        """Somebody else publishes between this one's last read and its last write."""

        async def _publish(self, connection: str, head: Head, tag: str) -> None:
            await store.save(connection, users("cy"), tag)
            await super()._publish(connection, head, tag)

    for known in ("", None):
        tag = known if known is not None else (await store.load("pam"))[1]
        with pytest.raises(TryLater) as refused:
            await Overtaken(container).save("pam", users("ana"), tag, finished("o1"), rows("ana"))
        assert refused.value.code == "CONFIG_CONFLICT"
        assert (await store.load("pam"))[0] == users("cy")
    assert [run.state for run in await store.summaries("pam")] == ["running"]
    with pytest.raises(TryLater):
        await store.save("pam", users("ana"), "an old tag")


async def test_many_at_once_leave_one_whole_change(store: BlobImports) -> None:
    async def change(number: int) -> Sequence[str]:
        names = (f"a{number}", f"b{number}")
        await store.save("pam", users(*names), "")
        return names

    ended = await asyncio.gather(*map(change, range(8)), return_exceptions=True)
    won = [one for one in ended if not isinstance(one, BaseException)]
    assert {one.code for one in ended if isinstance(one, TryLater)} <= {"CONFIG_CONFLICT"}
    assert len(won) == 1
    assert (await store.load("pam"))[0] == users(*won[0])


async def test_storage_that_is_gone_is_a_reason_to_wait(
    container: ContainerClient, store: BlobImports
) -> None:
    await container.delete_container()
    with pytest.raises(TryLater) as refused:
        await store.note(running("o1"))
    assert refused.value.code == "STORAGE_UNAVAILABLE"
