"""Deleted names are held, recoverable and purgeable; states take their time."""

from datetime import timedelta

import pytest
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceNotFoundError,
)

from tests.emulators.keyvault.bench import Bench
from tests.emulators.keyvault.conftest import Start

LAG = 60.0
DAY = timedelta(days=1)


async def test_deleted_bundle(start: Start) -> None:
    async with start(retention_days=7) as bench:
        client = await bench.client()
        made = await client.set_secret("name", "v", tags={"t": "1"})
        deleted = await client.delete_secret("name")
        assert deleted.id == made.id
        assert deleted.recovery_id == f"{bench.vault.url}/deletedsecrets/name"
        assert deleted.scheduled_purge_date - deleted.deleted_date == 7 * DAY
        assert deleted.properties.tags == {"t": "1"}
        assert deleted.properties.recovery_level == "CustomizedRecoverable+Purgeable"
        body = (await bench.send("GET", "/deletedsecrets/name")).body
        assert "value" not in body
        with pytest.raises(ResourceNotFoundError):
            await client.get_secret("name")
        with pytest.raises(ResourceNotFoundError):
            await client.get_secret("name", made.properties.version)


async def test_name_is_held_until_recovered(bench: Bench) -> None:
    client = await bench.client()
    made = await client.set_secret("name", "one")
    await client.delete_secret("name")
    with pytest.raises(ResourceExistsError) as caught:
        await client.set_secret("name", "two")
    assert caught.value.error.code == "Conflict"
    assert caught.value.error.innererror["code"] == "ObjectIsDeletedButRecoverable"
    assert "Secret name is currently in a deleted but recoverable state" in (
        caught.value.error.message
    )
    recovered = await client.recover_deleted_secret("name")
    assert recovered.id == made.id
    assert (await client.get_secret("name")).value == "one"
    await client.set_secret("name", "two")


async def test_name_is_held_while_the_deletion_still_runs(start: Start) -> None:
    async with start(deletion_lag=LAG) as bench:
        await bench.send("PUT", "/secrets/name", {"value": "v"})
        assert (await bench.send("DELETE", "/secrets/name")).status == 200
        assert (await bench.send("GET", "/deletedsecrets")).body["value"] == []
        assert (await bench.send("GET", "/deletedsecrets/name")).status == 404
        assert (await bench.send("GET", "/secrets/name/")).status == 404
        assert (await bench.send("DELETE", "/secrets/name")).status == 404
        refused = await bench.send("PUT", "/secrets/name", {"value": "v"})
        assert (refused.status, refused.inner) == (409, "ObjectIsDeletedButRecoverable")
        for method, path in (
            ("POST", "/deletedsecrets/name/recover"),
            ("DELETE", "/deletedsecrets/name"),
        ):
            refused = await bench.send(method, path)
            assert (refused.status, refused.inner) == (409, "ObjectIsBeingDeleted")
        bench.issuer.clock.advance(timedelta(seconds=LAG))
        assert (await bench.send("GET", "/deletedsecrets/name")).status == 200
        assert (await bench.send("DELETE", "/deletedsecrets/name")).status == 204


async def test_recovery_takes_its_time(start: Start) -> None:
    async with start(recovery_lag=LAG) as bench:
        await bench.send("PUT", "/secrets/name", {"value": "v"})
        await bench.send("DELETE", "/secrets/name")
        recovered = await bench.send("POST", "/deletedsecrets/name/recover")
        assert recovered.status == 200
        assert "value" not in recovered.body
        assert (await bench.send("GET", "/secrets/name/")).status == 404
        assert (await bench.send("GET", "/deletedsecrets/name")).status == 404
        for method, path, body in (
            ("PUT", "/secrets/name", {"value": "w"}),
            ("DELETE", "/secrets/name", None),
            ("POST", "/deletedsecrets/name/recover", None),
        ):
            refused = await bench.send(method, path, body)
            assert (refused.status, refused.inner) == (409, "ObjectIsBeingRecovered")
        bench.issuer.clock.advance(timedelta(seconds=LAG))
        assert (await bench.send("GET", "/secrets/name/")).body["value"] == "v"
        assert (await bench.send("PUT", "/secrets/name", {"value": "w"})).status == 200


async def test_client_waits_for_the_lag(bench: Bench) -> None:
    """The client polls until the deletion and the recovery are through."""
    await bench.admin("POST", "/lag", {"deletion": 0.5, "recovery": 0.5})
    client = await bench.client()
    await client.set_secret("name", "v")
    await client.delete_secret("name")
    await client.get_deleted_secret("name")
    await client.recover_deleted_secret("name")
    assert (await client.get_secret("name")).value == "v"


async def test_purge_frees_the_name(bench: Bench) -> None:
    client = await bench.client()
    await client.set_secret("name", "v")
    await client.delete_secret("name")
    await client.purge_deleted_secret("name")
    with pytest.raises(ResourceNotFoundError):
        await client.get_deleted_secret("name")
    with pytest.raises(ResourceNotFoundError):
        await client.purge_deleted_secret("name")
    await client.set_secret("name", "w")
    assert len([v async for v in client.list_properties_of_secret_versions("name")]) == 1


async def test_retention_ends_in_a_purge(start: Start) -> None:
    async with start(retention_days=7) as bench:
        client = await bench.client()
        await client.set_secret("name", "v")
        await client.delete_secret("name")
        bench.issuer.clock.advance(7 * DAY - timedelta(minutes=1))
        await client.get_deleted_secret("name")
        bench.issuer.clock.advance(timedelta(minutes=1))
        with pytest.raises(ResourceNotFoundError):
            await client.get_deleted_secret("name")
        await client.set_secret("name", "w")


async def test_purge_protection_leaves_only_the_system_to_purge(start: Start) -> None:
    async with start(purge_protection=True, retention_days=7) as bench:
        client = await bench.client()
        made = await client.set_secret("name", "v")
        assert made.properties.recovery_level == "CustomizedRecoverable"
        await client.delete_secret("name")
        with pytest.raises(HttpResponseError) as caught:
            await client.purge_deleted_secret("name")
        assert caught.value.status_code == 403
        bench.issuer.clock.advance(7 * DAY)
        with pytest.raises(ResourceNotFoundError):
            await client.get_deleted_secret("name")


async def test_what_is_not_deleted_is_neither_recovered_nor_purged(bench: Bench) -> None:
    await bench.send("PUT", "/secrets/name", {"value": "v"})
    assert (await bench.send("POST", "/deletedsecrets/name/recover")).status == 404
    assert (await bench.send("DELETE", "/deletedsecrets/name")).status == 404
    assert (await bench.send("DELETE", "/secrets/absent")).status == 404


async def test_retention_is_from_7_to_90_days(start: Start) -> None:
    for days in (6, 91):
        with pytest.raises(ValueError, match="7 to 90"):
            async with start(retention_days=days):
                pass
