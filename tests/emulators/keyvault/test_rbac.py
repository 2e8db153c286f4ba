"""Roles decide, and grants take effect late."""

from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError

from tests.emulators.keyvault.bench import Bench
from tests.emulators.keyvault.conftest import Start

READER = "22222222-0000-4000-8000-000000000001"


async def refused(awaitable) -> str:
    with pytest.raises(HttpResponseError) as caught:
        await awaitable
    assert caught.value.status_code == 403
    assert caught.value.error.code == "Forbidden"
    assert caught.value.error.innererror["code"] == "ForbiddenByRbac"
    return caught.value.error.message


async def test_user_may_only_get_and_only_what_it_is_scoped_to(bench: Bench) -> None:
    officer, reader = await bench.client(), await bench.client(READER)
    for name in ("One", "two"):
        await officer.set_secret(name, name)
    grant = {"app_id": READER, "role": "Key Vault Secrets User", "names": ["one"]}
    await bench.admin("POST", "/rbac", grant)
    assert (await reader.get_secret("ONE")).value == "One"
    text = await refused(reader.get_secret("two"))
    assert f"appid={READER}" in text
    assert "Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'" in text
    await refused(reader.set_secret("one", "v"))
    await refused(reader.update_secret_properties("one", enabled=False))
    await refused(reader.delete_secret("one"))
    await refused(reader.backup_secret("one"))
    await refused(anext(reader.list_properties_of_secrets()))
    await refused(anext(reader.list_properties_of_secret_versions("one")))
    await bench.admin("POST", "/rbac", {"app_id": READER, "role": "user"})
    assert (await reader.get_secret("two")).value == "two"


async def test_officer_role_is_the_default_and_none_refuses(bench: Bench) -> None:
    client = await bench.client()
    await client.set_secret("name", "v")
    await bench.admin("POST", "/rbac", {"app_id": bench.issuer.client_id, "role": "none"})
    await refused(client.get_secret("name"))
    other = await bench.client(READER)
    await other.get_secret("name")
    await bench.admin("POST", "/rbac", {"role": "none"})
    await refused(other.get_secret("name"))


async def test_grant_takes_effect_after_the_delay(start: Start) -> None:
    async with start(default_role="none", grant_delay=300.0) as bench:
        client = await bench.client()
        await refused(client.set_secret("name", "v"))
        grant = {"app_id": bench.issuer.client_id, "role": "officer"}
        await bench.admin("POST", "/rbac", grant)
        await refused(client.set_secret("name", "v"))
        bench.issuer.clock.advance(timedelta(seconds=300))
        await client.set_secret("name", "v")
        await bench.admin("POST", "/rbac", grant | {"role": "none", "delay": 0})
        await refused(client.get_secret("name"))


async def test_purge_and_recover_need_the_officer_role(bench: Bench) -> None:
    officer, reader = await bench.client(), await bench.client(READER)
    await bench.admin("POST", "/rbac", {"app_id": READER, "role": "user"})
    await officer.set_secret("name", "v")
    await officer.delete_secret("name")
    await refused(reader.purge_deleted_secret("name"))
    await refused(reader.recover_deleted_secret("name"))
    await refused(reader.get_deleted_secret("name"))
    await officer.recover_deleted_secret("name")
