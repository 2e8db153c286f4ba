"""The discovery step with its real adapters: an emulated tenant and blob storage."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.blob_accounts import BlobAccounts
from shared.adapters.graph_client import Graph
from shared.adapters.graph_entities import GraphEntities
from shared.planning.snapshots import Position
from tests.contracts.blobs import blob_service
from tests.contracts.stage import Stage, settings_of
from tests.fakes import FakeContext
from tests.in_memory.discovery.scans import NAME, connected, scan

WEEK_AND_A_DAY = 8 * 86_400


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[BlobAccounts]:
    async with blob_service(tmp_path) as service:
        container = service.get_container_client("accounts")
        await container.create_container()
        yield BlobAccounts(container)


@pytest.fixture
async def ctx(stage: Stage, store: BlobAccounts) -> FakeContext:
    made = await connected(
        profile="netwrix-identity-manager",
        features={"export": True},
        search_mode=None,
        attributes=["jobTitle"],
    )
    return FakeContext(
        **{name: getattr(made, name) for name in made.__struct_fields__}
        | {"account_store": store, "entity_reader": GraphEntities(stage.graph)}
    )


async def told(ctx: FakeContext, after: int) -> set[tuple[str, str, str]]:
    found = ctx.account_store.changes(NAME, Position(number=after))
    return {(change.command, change.kind, change.id) async for _, change in found}


def named(name: str, **more: Any) -> dict[str, Any]:
    return {"displayName": name, "userPrincipalName": f"{name}@contoso.onmicrosoft.com"} | more


@pytest.mark.requirement("N-20", "N-21", "D-34", "X-15")
@pytest.mark.diagnosis("DELTA_EXPIRED")
async def test_full_then_changes_then_an_expired_link(stage: Stage, ctx: FakeContext) -> None:
    first = await scan(ctx, "o1")
    assert (first.state, first.read, first.entities["user"]) == ("succeeded", "full", 120)
    assert set(first.entities) == {"user", "group", "directoryRole", "servicePrincipal"}
    assert first.accounts == len([row async for row in ctx.account_store.accounts(NAME)])
    assert first.links == len([row async for row in ctx.account_store.links(NAME)])

    made = await stage.control("tenant", users=[named("ada", jobTitle="Pilot"), named("bo")])
    ada, bo = made["users"]
    made = await stage.control("tenant", groups=[{"displayName": "Crew", "members": [ada, bo]}])
    (crew,) = made["groups"]
    second = await scan(ctx, "o2")
    assert (second.read, second.added, second.why) == ("changes", 2, "")
    assert await told(ctx, 1) == {
        ("insert", "user", ada),
        ("insert", "user", bo),
        ("insert", "group", crew),
        ("insert", "members", f"members/{crew}/{ada}"),
        ("insert", "members", f"members/{crew}/{bo}"),
    }

    await stage.control(
        "tenant", delete_users=[bo], update_users=[{"user": ada, "jobTitle": "Cook"}]
    )
    await stage.control("clock", advance_seconds=WEEK_AND_A_DAY)
    third = await scan(ctx, "o3")
    assert (third.state, third.read) == ("succeeded", "full")
    assert "DELTA_EXPIRED" in third.why
    assert await told(ctx, 2) == {
        ("update", "user", ada),
        ("delete", "user", bo),
        ("delete", "members", f"members/{crew}/{bo}"),
    }

    fourth = await scan(ctx, "o4")
    assert (fourth.read, fourth.changes, fourth.accounts) == ("changes", 0, 121)


@pytest.mark.requirement("X-15")
@pytest.mark.diagnosis("THROTTLED")
async def test_short_waits_are_counted_too(stage: Stage, ctx: FakeContext) -> None:
    await stage.fault("F13", call="GET /groups/delta", retry_after=3, pattern="429")
    graph = Graph(settings_of(stage.running, pace=0.01), stage.credential)
    patient = {name: getattr(ctx, name) for name in ctx.__struct_fields__}
    summary = await scan(FakeContext(**patient | {"entity_reader": GraphEntities(graph)}), "o1")
    await graph.close()
    assert summary.state == "succeeded"
    assert summary.waited == pytest.approx(0.03)
