"""A backup holds all versions; restore needs a free name."""

from base64 import urlsafe_b64decode

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from tests.emulators.keyvault.bench import Bench
from tests.emulators.keyvault.conftest import Start


async def test_all_versions_return_with_ids_and_attributes(bench: Bench) -> None:
    client = await bench.client()
    old = await client.set_secret("name", "one", tags={"t": "1"}, enabled=False)
    new = await client.set_secret("name", "two", content_type="c")
    backup = await client.backup_secret("name")
    await client.delete_secret("name")
    await client.purge_deleted_secret("name")
    restored = await client.restore_secret_backup(backup)
    assert (restored.id, restored.content_type) == (new.id, "c")
    versions = {v.id: v async for v in client.list_properties_of_secret_versions("name")}
    assert versions.keys() == {old.id, new.id}
    assert (versions[old.id].tags, versions[old.id].enabled) == ({"t": "1"}, False)
    assert versions[old.id].created_on == old.properties.created_on
    assert (await client.get_secret("name")).value == "two"


async def test_restore_answers_without_value_and_needs_a_free_name(bench: Bench) -> None:
    await bench.send("PUT", "/secrets/name", {"value": "v"})
    backup = (await bench.send("POST", "/secrets/name/backup")).body
    assert set(backup) == {"value"}
    client = await bench.client()
    with pytest.raises(ResourceExistsError) as caught:
        await client.restore_secret_backup(
            urlsafe_b64decode(backup["value"] + "=" * (-len(backup["value"]) % 4))
        )
    assert caught.value.error.code == "Conflict"
    await client.delete_secret("name")
    refused = await bench.send("POST", "/secrets/restore", backup)
    assert (refused.status, refused.inner) == (409, "ObjectIsDeletedButRecoverable")
    await client.purge_deleted_secret("name")
    restored = await bench.send("POST", "/secrets/restore", backup)
    assert restored.status == 200
    assert "value" not in restored.body


async def test_backup_goes_to_another_vault(start: Start) -> None:
    async with start() as bench:
        client = await bench.client()
        made = await client.set_secret("name", "v")
        backup = await client.backup_secret("name")
    async with start() as bench:
        client = await bench.client()
        restored = await client.restore_secret_backup(backup)
        assert restored.version == made.properties.version
        assert (await client.get_secret("name")).value == "v"


async def test_backup_is_opaque_and_malformed_ones_are_refused(bench: Bench) -> None:
    client = await bench.client()
    await client.set_secret("name", "open-sesame")
    assert b"open-sesame" not in await client.backup_secret("name")
    for blob in (b"", b"nonsense"):
        with pytest.raises(HttpResponseError) as caught:
            await client.restore_secret_backup(blob)
        assert caught.value.status_code == 400
        assert caught.value.error.code == "BadParameter"
