"""A run whose process dies before any of its writes: what readers see is the old or the new."""

import random
from typing import Any

import pytest

from shared.adapters.blob_accounts import BlobAccounts
from shared.planning.snapshots import Position
from tests.fakes.blobs import FakeContainer
from tests.in_memory.snapshots.histories import History, Run
from tests.in_memory.snapshots.listings import Listings
from tests.in_memory.snapshots.test_histories import everything, in_words, stage, told

pytestmark = [
    pytest.mark.usefixtures("small"),
    pytest.mark.requirement("X-15", "N-21", "D-34"),
]


class Died(BaseException):
    """The process ends; no handler of the store may catch it."""


async def history(store: BlobAccounts, runs: History, published: int) -> Run:
    """Some published runs, and another one that is staged."""
    for _ in range(published):
        run = runs.next()
        await stage(store, run, random.Random(runs.seed))  # noqa: S311 - repeatable
        await store.publish(run.summary, removals="apply")
    run = runs.next()
    await stage(store, run, random.Random(runs.seed))  # noqa: S311 - repeatable
    return run


async def seen(store: BlobAccounts) -> dict[str, Any]:
    found = await everything(store)
    found["changes"] = in_words(await told(store, Position()))
    return found


@pytest.mark.parametrize(
    ("kind", "seed", "runs"),
    [(History, 1, 2), (History, 4, 2), (Listings, 1, 0), (Listings, 2, 1), (Listings, 3, 0)],
)
async def test_a_publication_that_dies_before_any_write_is_repeated(
    kind: type[History], seed: int, runs: int
) -> None:
    whole = FakeContainer()
    undisturbed = BlobAccounts(whole)  # type: ignore[arg-type] # as much of it as is used
    run = await history(undisturbed, kind(seed), runs)
    before = await seen(undisturbed)
    start = len(whole.requests)
    done = await undisturbed.publish(run.summary, removals="apply")
    after = await seen(undisturbed)
    writes = sum(verb not in ("get", "list") for verb, _, _ in whole.requests[start:])

    for nth in range(1, writes + 1):
        container = FakeContainer()
        store = BlobAccounts(container)  # type: ignore[arg-type]
        await history(store, kind(seed), runs)
        container.before_write = dying(nth)
        with pytest.raises(Died):
            await store.publish(run.summary, removals="apply")
        container.before_write = lambda name: None
        next_one = BlobAccounts(container)  # type: ignore[arg-type]
        assert await seen(next_one) in (before, after), nth
        assert await next_one.publish(run.summary, removals="apply") == done
        assert await seen(next_one) == after
        assert staged(container) == staged(whole)


def staged(container: FakeContainer) -> int:
    """Those tables are left that became the snapshot's as they were."""
    return len([name for name in container.blobs if "/stage/" in name])


def dying(nth: int) -> Any:
    left = nth

    def count(_: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Died

    return count
