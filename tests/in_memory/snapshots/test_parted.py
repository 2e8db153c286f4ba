"""Links to what came and went between two readings: no later reading would take them away."""

from datetime import timedelta

import pytest

from shared.adapters.blob_accounts import BlobAccounts
from shared.model.accounts import Account, Origin, Summary
from shared.model.entities import Entity, Findings, Link
from shared.model.scan import Progress
from shared.ports import AccountStore
from tests.fakes.blobs import FakeContainer
from tests.fakes.faults import Faults
from tests.fakes.published import publish, source
from tests.fakes.snapshots import FakeAccountStore
from tests.in_memory.snapshots.histories import CONNECTION, START
from tests.unit.planning.samples import account

pytestmark = [pytest.mark.usefixtures("small"), pytest.mark.requirement("N-20", "N-21")]

TENANT = Origin(kind="tenant", id="users", name="All users")
USERS, GROUPS, MEMBERS = "user?", "group?", "membership?"


@pytest.fixture(params=["blobs", "fake"])
def store(request: pytest.FixtureRequest) -> AccountStore:
    if request.param == "fake":
        return FakeAccountStore(Faults())
    return BlobAccounts(FakeContainer())  # type: ignore[arg-type] # as much of it as is used


def run(number: int) -> Summary:
    begun = START + timedelta(hours=number)
    return Summary(
        operation=f"o{number}",
        connection=CONNECTION,
        state="succeeded",
        mode="all",
        started=begun,
        finished=begun + timedelta(minutes=1),
    )


def user(id_: str) -> Account:
    return account(id_, TENANT)


def group(id_: str) -> Entity:
    return Entity(kind="group", id=id_, display_name=id_)


def member(of: str, target: str) -> Link:
    return Link(kind="members", of="group", source=of, target=target)


async def links(store: AccountStore) -> list[str]:
    found = [link.id async for link in store.links(CONNECTION)]
    for link in [link async for link in store.links(CONNECTION)]:
        assert link in [known async for known in store.links_to(CONNECTION, link.target)]
    return found


STAYS = member("staff", "ann")
BRIEF = member("staff", "brief")


async def test_in_a_first_run(store: AccountStore) -> None:
    done = await publish(
        store,
        run(1),
        {
            MEMBERS: Findings(links=(STAYS, BRIEF)),
            GROUPS: Findings(rows=(group("staff"),)),
            USERS: Findings(rows=(user("ann"),), gone=("brief",)),
        },
    )
    assert await links(store) == [STAYS.id]
    assert done.links == 1


@pytest.mark.parametrize("for_good", [(), ("brief",)])
async def test_in_a_run_of_changes(store: AccountStore, for_good: tuple[str, ...]) -> None:
    await publish(
        store,
        run(1),
        {
            GROUPS: Findings(rows=(group("staff"),), links=(STAYS,)),
            USERS: Findings(rows=(user("ann"),)),
        },
    )
    done = await publish(
        store,
        run(2),
        {
            GROUPS: Findings(links=(BRIEF,)),
            USERS: Findings(gone=("brief",), for_good=for_good),
        },
        source(GROUPS, full=False),
        source(USERS, full=False),
    )
    assert await links(store) == [STAYS.id]
    assert (done.removed, done.removed_for_good) == (0, 0)  # nobody has seen it


async def test_a_link_that_an_earlier_run_left(store: AccountStore) -> None:
    """Members were read before the deletion, users after it; only the next run is told of it."""
    first = {
        GROUPS: Findings(rows=(group("staff"),), links=(STAYS, BRIEF)),
        USERS: Findings(rows=(user("ann"),)),
    }
    await publish(store, run(1), first)
    assert await links(store) == [STAYS.id, BRIEF.id]
    await publish(
        store,
        run(2),
        {GROUPS: Findings(), USERS: Findings(gone=("brief",))},
        source(GROUPS, full=False),
        source(USERS, full=False),
    )
    assert await links(store) == [STAYS.id]


async def test_not_when_the_source_that_tells_it_was_not_read_to_its_end(
    store: AccountStore,
) -> None:
    pages = {
        GROUPS: Findings(rows=(group("staff"),), links=(STAYS, BRIEF)),
        USERS: Findings(rows=(user("ann"),), gone=("brief",)),
    }
    await publish(store, run(1), pages, source(GROUPS), source(USERS, state="failed"))
    assert await links(store) == [STAYS.id, BRIEF.id]


async def test_not_when_it_came_back(store: AccountStore) -> None:
    pages = [
        (GROUPS, Findings(gone=("staff",))),
        (GROUPS, Findings(rows=(group("staff"),), links=(STAYS,))),
        (USERS, Findings(gone=("ann",))),
        (USERS, Findings(rows=(user("ann"),))),
    ]
    for number in (1, 2):  # the second time, all is as it was
        summary = run(number)
        stage = await store.staging(CONNECTION, summary.operation)
        for key, page in pages:
            await stage.stage(key, page)
        await stage.checkpoint(
            Progress(
                operation=summary.operation,
                connection=CONNECTION,
                started=summary.started,
                sources=(source(GROUPS, full=False), source(USERS, full=False)),
            )
        )
        await store.publish(summary, removals="apply")
        assert await links(store) == [STAYS.id]
