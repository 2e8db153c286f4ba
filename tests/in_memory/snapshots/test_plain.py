"""A first run's entities and links are the snapshot's as they were staged, where nothing has to be
settled; else they are merged. Either way they are what the slow rule makes of them."""

import pytest
from msgspec.structs import asdict

from shared.adapters.blob_accounts import BlobAccounts
from shared.model.entities import Entity, Findings, Link
from shared.model.scan import Progress
from shared.planning.snapshots import Position
from tests.fakes.blobs import FakeContainer
from tests.fakes.faults import Faults
from tests.fakes.published import source
from tests.fakes.snapshots import FakeAccountStore
from tests.in_memory.snapshots.conftest import SMALL, shrink
from tests.in_memory.snapshots.histories import CONNECTION
from tests.in_memory.snapshots.test_histories import everything, in_words, told
from tests.in_memory.snapshots.test_parted import GROUPS, USERS, group, links, member, run, user

pytestmark = pytest.mark.requirement("N-20", "N-21")

PRINCIPALS = "servicePrincipal?"
SECOND = "group/second?"
"""A group that was chosen."""

PEOPLE = Findings(rows=tuple(map(user, ("ann", "bea", "cyd"))))
STAFF = Findings(
    rows=(group("staff"), group("night")),
    links=(member("staff", "bea"), member("night", "ann"), member("staff", "ann")),
)
MORE = Findings(rows=(group("staff"),), links=(member("staff", "ann"), member("staff", "cyd")))
LEFT = Findings(unlinked=(member("staff", "ann"),))
ROBOT = Findings(rows=(Entity(kind="servicePrincipal", id="robot", display_name="Robot"),))
OWNED = Findings(links=(Link(kind="owners", of="group", source="staff", target="robot"),))

Staged = tuple[tuple[str, Findings] | None, ...]
"""By the keys of their sources; None is a checkpoint."""

SIMPLE: dict[str, Staged] = {
    "one page": ((GROUPS, STAFF), (USERS, PEOPLE)),
    "a link twice": ((GROUPS, STAFF), (GROUPS, MORE), (USERS, PEOPLE)),
    "parts in runs of their own": ((GROUPS, STAFF), None, (USERS, PEOPLE)),
}
OTHERS: dict[str, Staged] = {
    "two runs": ((GROUPS, STAFF), None, (GROUPS, MORE), (USERS, PEOPLE)),
    "two sources": ((GROUPS, STAFF), (PRINCIPALS, ROBOT), (PRINCIPALS, OWNED), (USERS, PEOPLE)),
    "a source that was chosen": ((SECOND, MORE), (USERS, PEOPLE)),
    "the same of two sources": ((GROUPS, STAFF), (SECOND, MORE), (USERS, PEOPLE)),
    "a link that went": ((GROUPS, STAFF), (GROUPS, LEFT), (USERS, PEOPLE)),
    "a link that went later": ((GROUPS, STAFF), None, (GROUPS, LEFT), (USERS, PEOPLE)),
    "a group that went": ((GROUPS, STAFF), (GROUPS, Findings(gone=("night",))), (USERS, PEOPLE)),
    "somebody who went": ((GROUPS, STAFF), (USERS, PEOPLE), (USERS, Findings(gone=("cyd", "x")))),
}


async def scanned(store: BlobAccounts | FakeAccountStore, staged: Staged) -> dict[str, object]:
    summary = run(1)
    sources = tuple(source(key) for key in dict.fromkeys(each[0] for each in staged if each))
    progress = Progress(
        operation=summary.operation,
        connection=CONNECTION,
        started=summary.started,
        sources=sources,
    )
    staging = await store.staging(CONNECTION, summary.operation)
    for each in staged:
        if each is None:
            await staging.checkpoint(progress)
        else:
            await staging.stage(*each)
    await staging.checkpoint(progress)
    return asdict(await store.publish(summary, removals="apply"))


def tables(container: FakeContainer) -> list[str]:
    """By their parts."""
    names = [name for name in container.blobs if "/tables/" in name or "/stage/" in name]
    return sorted(name.rsplit("-", 2)[1] for name in names)


@pytest.mark.parametrize("sizes", [{}, SMALL | {"tables_read.WRITTEN": 0}], ids=["usual", "small"])
@pytest.mark.parametrize("staged", [*SIMPLE.values(), *OTHERS.values()], ids=[*SIMPLE, *OTHERS])
async def test_it_is_as_by_the_slow_rule(
    store: BlobAccounts,
    staged: Staged,
    sizes: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shrink(monkeypatch, sizes)
    model = FakeAccountStore(Faults())
    assert await scanned(store, staged) == await scanned(model, staged)
    assert await everything(store) == await everything(model)
    assert in_words(await told(store, Position())) == in_words(await told(model, Position()))
    assert await links(store) == await links(model)


@pytest.mark.parametrize("staged", SIMPLE.values(), ids=SIMPLE)
async def test_it_is_stored_once_and_not_fetched(
    container: FakeContainer, store: BlobAccounts, staged: Staged
) -> None:
    await scanned(store, staged)
    assert tables(container) == ["accounts", "entities", "links", "targets"]
    written = [name for verb, name, _ in container.requests if verb != "get" and name.count("-")]
    assert sum(part in name for part in ("-entities-", "-links-") for name in written) == 2
    fetched = [name for verb, name, _ in container.requests if verb == "get"]
    assert not any("-entities-" in name or "-links-" in name for name in fetched)


@pytest.mark.parametrize("staged", OTHERS.values(), ids=OTHERS)
async def test_nothing_that_was_staged_is_left(
    container: FakeContainer, store: BlobAccounts, staged: Staged
) -> None:
    await scanned(store, staged)
    assert tables(container) == ["accounts", "entities", "links", "targets"]
