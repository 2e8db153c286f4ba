"""What people change by hand, through the SDKs: seen, told, and healed where safe.

The steps and all adapters of Graph, the token endpoint and the vault are the product's own.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.messages import RESUME
from shared.model.connection import Aspect, Status
from shared.model.credential import HeldSecret
from tests.contracts.cloud import Cloud, clouds
from tests.contracts.tenancy import administer
from tests.fakes.drive import drive
from tests.in_memory.chain.test_by_hand import shown, told
from tests.in_memory.chain.world import NAME, connection, onboard

STAGED = f"{NAME}--next"
UNIQUE = f"keyturn-{NAME}"
Change = Callable[[Cloud], Awaitable[object]]


@pytest.fixture
async def cloud(stage_tls: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cloud]:
    async with clouds(stage_tls, monkeypatch) as made:
        await onboard(made.ctx)
        await drive(made.ctx)
        conditions = {c.type: (c.status, c.reason) for c in (await connection(made.ctx)).conditions}
        assert {status for status, _ in conditions.values()} == {Status.TRUE}, conditions
        yield made


async def a_day(cloud: Cloud) -> None:
    """The timers of one day, each once; no person asks for anything."""
    cloud.ctx.clock.advance(days=1)
    for kind in ("verify", "rotate", "retire", RESUME):
        await sweep(cloud.ctx, kind)
        await drive(cloud.ctx)


async def some_weeks(cloud: Cloud) -> None:
    for _ in range(3):
        cloud.ctx.clock.advance(days=6)
        await a_day(cloud)


async def held(cloud: Cloud) -> list[HeldSecret]:
    found = await cloud.ctx.credentials.held((await connection(cloud.ctx)).facts.object_id)
    assert found is not None
    return found


async def served(cloud: Cloud) -> str:
    current = await cloud.ctx.vault.current(NAME)
    assert current is not None
    return current.key_id


async def tenant(cloud: Cloud, method: str, path: str, body: Any = None) -> Any:
    """An administrator's call: *path* may name the application and its service principal."""
    facts = (await connection(cloud.ctx)).facts
    full = path.format(app=facts.object_id, principal=facts.principal_id)
    return await administer(cloud.stage, method, full, body)


async def remove_served(cloud: Cloud) -> None:
    body = {"keyId": await served(cloud)}
    await tenant(cloud, "POST", "/applications/{app}/removePassword", body)


async def disable(cloud: Cloud) -> None:
    await cloud.people.update_secret_properties(NAME, enabled=False)


async def delete(cloud: Cloud) -> None:
    await cloud.people.delete_secret(NAME)


async def purge(cloud: Cloud) -> None:
    await cloud.people.delete_secret(NAME)
    await cloud.people.purge_deleted_secret(NAME)


async def type_in(cloud: Cloud) -> None:
    await cloud.people.set_secret(NAME, "typed by somebody")


async def strip(cloud: Cloud) -> None:
    await cloud.people.update_secret_properties(NAME, tags={})


HEALED: dict[str, tuple[Change, str]] = {
    "secret removed from the application": (remove_served, "somebody removed it"),
    "current version disabled": (disable, "is disabled"),
    "secret deleted from the vault": (delete, "was deleted or purged"),
    "secret purged": (purge, "was deleted or purged"),
    "another value entered": (type_in, "put there by hand"),
    "tags removed": (strip, "put there by hand"),
}


@pytest.mark.requirement("X-09", "M-09")
@pytest.mark.diagnosis("SECRET_MISSING")
@pytest.mark.parametrize("name", HEALED)
async def test_it_is_told_and_healed_by_one_new_secret(cloud: Cloud, name: str):
    change, words = HEALED[name]
    (first,) = [secret.key_id for secret in await held(cloud)]
    await change(cloud)
    await a_day(cloud)
    (problem,) = told(cloud.ctx)
    assert problem["reason"] == "SECRET_MISSING" and words in problem["message"]
    assert (await shown(cloud.ctx)).status == Status.TRUE
    await some_weeks(cloud)
    new = [secret.key_id for secret in await held(cloud)]
    assert new == [await served(cloud)] and new != [first]
    assert len(told(cloud.ctx)) == 1
    assert len(await cloud.stage.traffic("POST", "addPassword")) == 2


@pytest.mark.requirement("X-13")
@pytest.mark.diagnosis("TWO_ROTATORS")
async def test_a_secret_made_by_hand_survives_rotation_and_retirement(cloud: Cloud):
    body = {"passwordCredential": {"displayName": "by hand"}}
    made = await tenant(cloud, "POST", "/applications/{app}/addPassword", body)
    await a_day(cloud)
    assert (await shown(cloud.ctx)).reason == "TWO_ROTATORS"
    await onboarding.run(cloud.ctx, NAME, "rotate", "rotate-1", asked_by="test")
    await drive(cloud.ctx)
    await some_weeks(cloud)
    (stray,) = (await connection(cloud.ctx)).strays
    assert stray.key_id == made["keyId"]
    assert {s.key_id for s in await held(cloud)} == {made["keyId"], await served(cloud)}


async def test_the_previous_secret_is_removed_during_the_overlap(cloud: Cloud):
    (first,) = await held(cloud)
    await onboarding.run(cloud.ctx, NAME, "rotate", "rotate-1", asked_by="test")
    await drive(cloud.ctx)
    body = {"keyId": first.key_id}
    await tenant(cloud, "POST", "/applications/{app}/removePassword", body)
    await some_weeks(cloud)
    assert told(cloud.ctx) == []
    assert [s.key_id for s in await held(cloud)] == [await served(cloud)]
    known = (await connection(cloud.ctx)).credential
    assert known is not None and known.previous_key_id == ""


async def delete_staged(cloud: Cloud) -> None:
    await cloud.people.delete_secret(STAGED)


async def purge_staged(cloud: Cloud) -> None:
    await cloud.people.delete_secret(STAGED)
    await cloud.people.purge_deleted_secret(STAGED)


async def disable_staged(cloud: Cloud) -> None:
    await cloud.people.update_secret_properties(STAGED, enabled=False)


@pytest.mark.requirement("X-06")
@pytest.mark.parametrize(
    "change", [delete_staged, purge_staged, disable_staged], ids=lambda c: c.__name__
)
async def test_the_staged_secret_is_taken_away_in_the_middle(cloud: Cloud, change: Change):
    (first,) = await held(cloud)
    await cloud.stage.control("lag", token_seconds=600)
    await onboarding.run(cloud.ctx, NAME, "rotate", "rotate-1", asked_by="test")
    await drive(cloud.ctx, lambda sent: sent.step == "credentials" and sent.message.attempt == 2)
    assert len(await held(cloud)) == 2
    await change(cloud)
    await cloud.stage.control("lag", token_seconds=0)
    await drive(cloud.ctx)
    operation = await cloud.ctx.ledger.operation(NAME, "rotate-1")
    assert operation is not None and operation.state == "succeeded"
    assert {s.key_id for s in await held(cloud)} == {first.key_id, await served(cloud)}
    assert await served(cloud) != first.key_id


@pytest.mark.requirement("X-09")
@pytest.mark.diagnosis("APP_DELETED")
async def test_a_deleted_application_goes_on_after_its_restoration(cloud: Cloud):
    before = await served(cloud)
    await tenant(cloud, "DELETE", "/applications/{app}")
    for _ in range(3):
        await a_day(cloud)
    found = await shown(cloud.ctx)
    assert (found.status, found.reason) == (Status.FALSE, "APP_DELETED"), found
    assert "was deleted on 20" in found.message and "Restore it within 30 days" in found.remedy
    assert not [
        a for a in (await cloud.stage.state())["applications"] if a.get("uniqueName") == UNIQUE
    ]
    await tenant(cloud, "POST", "/directory/deletedItems/{app}/restore")
    await a_day(cloud)
    conditions = (await connection(cloud.ctx)).conditions
    assert {c.status for c in conditions} == {Status.TRUE}, conditions
    assert await served(cloud) == before


@pytest.mark.diagnosis("APP_DELETED")
async def test_an_application_that_was_purged_is_not_made_anew(cloud: Cloud):
    await tenant(cloud, "DELETE", "/applications/{app}")
    await tenant(cloud, "DELETE", "/directory/deletedItems/{app}")
    await a_day(cloud)
    found = await shown(cloud.ctx)
    assert (found.status, found.reason) == (Status.FALSE, "APP_DELETED"), found
    assert "onboard the product under another name" in found.remedy
    await onboard(cloud.ctx)  # nor by a repeated request
    await drive(cloud.ctx)
    assert (await shown(cloud.ctx, Aspect.REGISTERED)).reason == "APP_DELETED"
    assert not [
        a for a in (await cloud.stage.state())["applications"] if a.get("uniqueName") == UNIQUE
    ]


@pytest.mark.diagnosis("SP_DISABLED")
@pytest.mark.parametrize("how", ["disabled", "deleted"])
async def test_a_service_principal_is_not_switched_on_by_a_timer(cloud: Cloud, how: str):
    path = "/servicePrincipals/{principal}"
    if how == "disabled":
        await tenant(cloud, "PATCH", path, {"accountEnabled": False})
    else:
        await tenant(cloud, "DELETE", path)
    for _ in range(2):
        await a_day(cloud)
    found = await shown(cloud.ctx)
    assert (found.status, found.reason) == (Status.FALSE, "SP_DISABLED"), found
    assert len(await held(cloud)) == 1
    if how == "disabled":
        await tenant(cloud, "PATCH", path, {"accountEnabled": True})
    else:
        await tenant(cloud, "POST", "/directory/deletedItems/{principal}/restore")
    await a_day(cloud)
    assert (await shown(cloud.ctx)).status == Status.TRUE


@pytest.mark.requirement("X-20")
@pytest.mark.diagnosis("AUTOMATION_PRIVILEGE")
@pytest.mark.parametrize("right", ["Application.ReadWrite.OwnedBy", "Key Vault Secrets Officer"])
async def test_a_right_that_was_taken_is_named_and_waited_for(cloud: Cloud, right: str):
    cloud = replace(cloud, ctx=msgspec.structs.replace(cloud.ctx, pace=1.0))  # waits end somewhere
    before, own = await served(cloud), cloud.stage.running.automation.client_id
    if right.startswith("Key"):
        cloud.role("user")
    else:
        await cloud.stage.forbid(right)
    cloud.ctx.clock.advance(days=120)
    await a_day(cloud)
    (problem,) = told(cloud.ctx)
    assert right in problem["message"] + problem["remedy"], problem
    if right.startswith("Key"):
        cloud.role("officer")
    else:
        await cloud.stage.control("grant", app=own, role=right)
    await a_day(cloud)
    assert await served(cloud) != before
    conditions = (await connection(cloud.ctx)).conditions
    assert {c.status for c in conditions} == {Status.TRUE}, conditions
