"""A scan whose process dies again and again, with its real adapters: Graph's pages and blobs."""

import inspect
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob.aio import BlobServiceClient

from shared.adapters.blob_accounts import BlobAccounts
from shared.adapters.graph_accounts import GraphAccounts
from shared.adapters.graph_entities import GraphEntities
from tests.contracts.blobs import blob_service
from tests.contracts.stage import Stage
from tests.fakes import FakeContext
from tests.in_memory.discovery.killing import (
    Killing,
    killing,
    picture,
    some_deaths,
    survive,
    world,
)
from tests.in_memory.discovery.scans import connected

SEEDS = 5

INPUTS: dict[str, dict[str, Any]] = {
    "all": {
        "profile": "netwrix-identity-manager",
        "features": {"export": True},
        "search_mode": None,
    },
    "groups": {"read_mfa": "yes"},
}


class Mortal:
    """An adapter each of whose calls may be the last one of the process."""

    def __init__(self, adapter: Any, faults: Killing, part: str) -> None:
        self._adapter, self._faults, self._part = adapter, faults, part

    def __getattr__(self, name: str) -> Any:
        known = getattr(self._adapter, name)
        method = f"{self._part}.{name}"
        if inspect.iscoroutinefunction(known):
            return self._call(known, method)
        if inspect.isasyncgenfunction(known):
            return self._pages(known, method)
        return known

    def _call(self, known: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def call(*args: Any, **options: Any) -> Any:
            fault = self._faults.take(method)
            if fault is not None and not fault.after_effect:
                fault.strike()
            answer = await known(*args, **options)
            if fault is not None:
                fault.strike()
            return Mortal(answer, self._faults, method) if method.endswith(".staging") else answer

        return call

    def _pages(self, known: Callable[..., Any], method: str) -> Callable[..., Any]:
        async def pages(*args: Any, **options: Any) -> AsyncIterator[Any]:
            async for page in known(*args, **options):
                fault = self._faults.take("entity_reader.read")  # takes its time, as in the fakes
                if fault is not None:
                    fault.strike()
                yield page

        return pages


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[BlobServiceClient]:
    async with blob_service(tmp_path) as service:
        yield service


async def context(stage: Stage, service: BlobServiceClient, mode: str, name: str) -> FakeContext:
    container = service.get_container_client(name)
    await container.create_container()
    made = await connected(world=world(seconds=30), **INPUTS[mode])
    faults = killing(made)
    parts = {
        "account_store": Mortal(BlobAccounts(container), faults, "account_store"),
        "entity_reader": Mortal(GraphEntities(stage.graph), faults, "entity_reader"),
        "account_reader": Mortal(GraphAccounts(stage.graph), faults, "account_reader"),
    }
    return FakeContext(**{field: getattr(made, field) for field in made.__struct_fields__} | parts)


async def seen(ctx: FakeContext) -> dict[str, Any]:
    """Without what a later reading of the same tenant may have otherwise: its own links."""
    found = await picture(ctx)
    found.pop("links to go on from")
    return found


@pytest.mark.requirement("X-15", "N-21")
@pytest.mark.parametrize("mode", INPUTS)
async def test_the_snapshot_is_that_of_an_undisturbed_run(
    stage: Stage, service: BlobServiceClient, mode: str
) -> None:
    calm = await context(stage, service, mode, "calm")
    await survive(calm, "o1")
    calls = killing(calm).number
    expected = await seen(calm)
    assert expected["counts"]["state"] == "succeeded"
    assert len(expected["accounts"]) > 10
    died = 0
    for seed in range(SEEDS):
        ctx = await context(stage, service, mode, f"seed-{seed}")
        await survive(ctx, "o1", some_deaths(seed, calls))
        died += killing(ctx).died
        assert await seen(ctx) == expected, f"seed {seed}"
        left = await container_blobs(service, f"seed-{seed}")
        named = await published(service, f"seed-{seed}")
        assert not [name for name in left if "/stage/" in name and f'"{name}"' not in named]
    assert died >= SEEDS


async def published(service: BlobServiceClient, name: str) -> str:
    """What names the tables of the snapshot; one may be as it was staged."""
    container = service.get_container_client(name)
    heads = [blob async for blob in container.list_blob_names() if blob.endswith("published.json")]
    stream = await container.get_blob_client(heads[0]).download_blob()
    return (await stream.readall()).decode()


async def container_blobs(service: BlobServiceClient, name: str) -> list[str]:
    return [found async for found in service.get_container_client(name).list_blob_names()]
