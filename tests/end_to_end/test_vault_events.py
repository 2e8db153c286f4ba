"""Events of the emulated vault reach the functions through Service Bus, and are heeded."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.end_to_end.local import Local, until

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.requirement("X-12")]


@asynccontextmanager
async def portal(local: Local) -> AsyncIterator[Any]:
    """The vault as a person sees it, through the real SDK."""
    from azure.identity.aio import ClientSecretCredential
    from azure.keyvault.secrets.aio import SecretClient

    state = local.state
    async with (
        ClientSecretCredential(
            state["tenant_id"], state["client_id"], state["client_secret"], **local.authority()
        ) as admin,
        SecretClient(
            state["vault"],
            admin,
            verify_challenge_resource=False,
            connection_verify=state["ca_file"],
        ) as vault,
    ):
        yield vault


async def sweep(local: Local, kind: str) -> None:
    """Run a timer now, as the portal does."""
    answer = await local.call(
        "POST",
        f"/admin/functions/{kind}_due",
        json={"input": ""},
        headers={"x-functions-key": local.state["master_key"]},
    )
    assert answer.status_code == 202, answer.text


def runs(found: dict[str, Any] | None, kind: str) -> list[dict[str, Any]]:
    """Its operations of one kind that have ended."""
    listed = (found or {}).get("operations", [])
    return [run for run in listed if run["kind"] == kind and run["state"] != "running"]


async def test_a_near_expiry_event_rotates_the_connection_once(local: Local) -> None:
    """Somebody moves the end of the version near: the vault tells, and a good one replaces it."""
    name = "dvls-near-expiry"
    await local.onboard(name)
    before = await local.assert_onboarded(name)
    async with portal(local) as vault:
        near = datetime.now(UTC) + timedelta(days=20)
        await vault.update_secret_properties(name, expires_on=near)

        async def rotated() -> Any:
            return runs(await local.connection(name), "rotate")

        (run,) = await until("the event to rotate it", rotated)
        assert (run["asked_by"], run["state"]) == ("key-vault", "succeeded")
        found = await local.assert_onboarded(name, secrets=2)
        assert found["credential"]["key_id"] != before["credential"]["key_id"]
        current = await vault.get_secret(name)
    assert current.properties.expires_on > near + timedelta(days=100)
    assert len(runs(await local.connection(name), "rotate")) == 1


@pytest.mark.requirement("X-09")
async def test_a_value_entered_by_hand_is_noticed_and_replaced(local: Local) -> None:
    name = "dvls-typed-in"
    await local.onboard(name)
    await local.assert_onboarded(name)
    async with portal(local) as vault:
        await vault.set_secret(name, "typed by somebody")

        async def noticed() -> Any:
            await sweep(local, "verify")
            return runs(await local.connection(name), "verify")

        (run,) = await until("the event to have it verified", noticed)
        assert run["state"] == "needs-attention"

        async def healed() -> Any:
            await sweep(local, "rotate")
            return runs(await local.connection(name), "rotate")

        (run,) = await until("the next sweep to rotate it", healed)
        assert run["state"] == "succeeded"
        assert (await vault.get_secret(name)).value != "typed by somebody"
    await local.assert_onboarded(name, secrets=2)


async def test_both_triggers_at_once_make_one_rotation(local: Local) -> None:
    """The clock passes the timer's date and the vault's: whoever comes first rotates."""
    name = "dvls-both"
    await local.onboard(name)
    await local.assert_onboarded(name)
    await local.control("clock", {"advance_seconds": timedelta(days=151).total_seconds()})

    async def rotated() -> Any:
        await sweep(local, "rotate")  # a verification is due as well, and may be in flight
        return runs(await local.connection(name), "rotate")

    await until("a rotation", rotated)
    await sweep(local, "rotate")
    found = await local.assert_onboarded(name, secrets=2)
    assert len(runs(found, "rotate")) == 1
