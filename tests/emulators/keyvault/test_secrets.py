"""Set, get, update, list, versions: forms, limits and refusals."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.emulators.keyvault.bench import Bench

EXPIRY = datetime(2027, 1, 1, tzinfo=UTC)


async def test_set_makes_a_new_current_version_each_time(bench: Bench) -> None:
    client = await bench.client()
    first = await client.set_secret("name", "one")
    second = await client.set_secret("name", "one")
    assert first.properties.version != second.properties.version
    assert len(second.properties.version) == 32
    assert (await client.get_secret("name")).properties.version == second.properties.version
    assert (await client.get_secret("name", first.properties.version)).value == "one"


async def test_everything_given_comes_back(bench: Bench) -> None:
    client = await bench.client()
    start = EXPIRY - timedelta(days=400)
    await client.set_secret(
        "name",
        "value",
        content_type="text/plain",
        tags={"keyId": "k"},
        enabled=True,
        not_before=start,
        expires_on=EXPIRY,
    )
    read = (await client.get_secret("name")).properties
    assert (read.content_type, read.tags, read.enabled) == ("text/plain", {"keyId": "k"}, True)
    assert (read.not_before, read.expires_on) == (start, EXPIRY)
    assert (read.recovery_level, read.recoverable_days) == ("Recoverable+Purgeable", 90)
    assert read.created_on == read.updated_on


async def test_absent_keys_are_omitted(bench: Bench) -> None:
    bundle = (await bench.send("PUT", "/secrets/name", {"value": "v"})).body
    assert set(bundle) == {"value", "id", "attributes"}
    assert set(bundle["attributes"]) == {
        "enabled",
        "created",
        "updated",
        "recoveryLevel",
        "recoverableDays",
    }
    assert bundle["id"].startswith(f"{bench.vault.url}/secrets/name/")


@pytest.mark.parametrize("path", ["/secrets/name", "/secrets/name/"])
async def test_current_version_is_read_with_and_without_slash(bench: Bench, path: str) -> None:
    await bench.send("PUT", "/secrets/name", {"value": "v"})
    assert (await bench.send("GET", path)).body["value"] == "v"
    updated = await bench.send("PATCH", path, {"contentType": "t"})
    assert (updated.status, updated.body["contentType"]) == (200, "t")
    assert "value" not in updated.body


async def test_update_changes_only_what_is_given(bench: Bench) -> None:
    client = await bench.client()
    made = await client.set_secret("name", "v", tags={"a": "1"}, expires_on=EXPIRY)
    bench.issuer.clock.advance(timedelta(seconds=5))
    updated = await client.update_secret_properties("name", content_type="t")
    assert updated.version == made.properties.version
    assert (updated.tags, updated.expires_on, updated.content_type) == ({"a": "1"}, EXPIRY, "t")
    assert updated.updated_on >= made.properties.updated_on + timedelta(seconds=5)
    replaced = await client.update_secret_properties("name", tags={"b": "2"})
    assert replaced.tags == {"b": "2"}


async def test_disabled_secret_cannot_be_read_but_listed_updated_and_deleted(
    bench: Bench,
) -> None:
    client = await bench.client()
    await client.set_secret("name", "v", enabled=False)
    with pytest.raises(HttpResponseError) as caught:
        await client.get_secret("name")
    assert caught.value.status_code == 403
    assert caught.value.error.code == "Forbidden"
    assert caught.value.error.innererror["code"] == "SecretDisabled"
    assert "Operation get is not allowed on a disabled secret." in caught.value.error.message
    assert [p.enabled async for p in client.list_properties_of_secrets()] == [False]
    await client.update_secret_properties("name", enabled=True)
    assert (await client.get_secret("name")).value == "v"
    await client.update_secret_properties("name", enabled=False)
    await client.delete_secret("name")


async def test_expired_and_not_yet_valid_secrets_are_read(bench: Bench) -> None:
    client = await bench.client()
    now = bench.issuer.clock.now()
    await client.set_secret("old", "v", expires_on=now - timedelta(days=1))
    await client.set_secret("new", "v", not_before=now + timedelta(days=1))
    assert (await client.get_secret("old")).value == (await client.get_secret("new")).value


async def test_names_compare_without_case_and_keep_the_first_spelling(bench: Bench) -> None:
    client = await bench.client()
    await client.set_secret("Some-Name", "one")
    second = await client.set_secret("some-name", "two")
    assert second.name == "Some-Name"
    assert (await client.get_secret("SOME-NAME")).value == "two"
    assert [p.name async for p in client.list_properties_of_secrets()] == ["Some-Name"]


async def test_unknown_name_and_version_are_not_found(bench: Bench) -> None:
    client = await bench.client()
    with pytest.raises(ResourceNotFoundError) as caught:
        await client.get_secret("absent")
    assert caught.value.error.code == "SecretNotFound"
    await client.set_secret("name", "v")
    with pytest.raises(ResourceNotFoundError):
        await client.get_secret("name", "0" * 32)
    with pytest.raises(ResourceNotFoundError):
        await client.update_secret_properties("absent", enabled=True)
    assert [v async for v in client.list_properties_of_secret_versions("absent")] == []


LONG = "x" * 513


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/secrets/under_score", {"value": "v"}),
        ("/secrets/dot.ted", {"value": "v"}),
        ("/secrets/a%40b", {"value": "v"}),
        ("/secrets/" + "n" * 128, {"value": "v"}),
        ("/secrets/name", {"value": "x" * 25_601}),
        ("/secrets/name", {"value": "v", "contentType": "c" * 256}),
        ("/secrets/name", {"value": "v", "tags": {str(n): "" for n in range(16)}}),
        ("/secrets/name", {"value": "v", "tags": {"t": LONG}}),
        ("/secrets/name", {"value": "v", "tags": {LONG: "t"}}),
        ("/secrets/name", {"value": 5}),
        ("/secrets/name", {}),
        ("/secrets/name", {"value": "v", "attributes": {"exp": "soon"}}),
        ("/secrets/name", b"{"),
        ("/secrets/name", b""),
    ],
)
async def test_what_breaks_a_limit_is_refused(bench: Bench, path: str, body: Any) -> None:
    answer = await bench.send("PUT", path, body)
    assert (answer.status, answer.error["code"]) == (400, "BadParameter")
    assert await bench.admin("GET", "/state") == []


async def test_the_limits_themselves_are_kept(bench: Bench) -> None:
    name, tag = "n" * 127, "t" * 512
    tags = {tag: tag} | {str(n): "" for n in range(14)}
    body = {"value": "x" * 25_600, "contentType": "c" * 255, "tags": tags}
    answer = await bench.send("PUT", f"/secrets/{name}", body)
    assert answer.status == 200
    assert answer.body == {**answer.body, **body}


async def test_updates_keep_the_limits_too(bench: Bench) -> None:
    await bench.send("PUT", "/secrets/name", {"value": "v"})
    answer = await bench.send("PATCH", "/secrets/name/", {"contentType": "c" * 256})
    assert (answer.status, answer.error["code"]) == (400, "BadParameter")
    answer = await bench.send("PATCH", "/secrets/name/no-version", {"contentType": "c"})
    assert (answer.status, answer.error["code"]) == (400, "BadParameter")


async def test_unknown_operations_are_refused(bench: Bench) -> None:
    assert (await bench.send("POST", "/secrets/name")).status == 405
    assert (await bench.send("GET", "/keys")).status == 405


async def test_times_are_the_emulated_clocks(bench: Bench) -> None:
    bench.issuer.clock.advance(timedelta(days=1000))
    client = await bench.client()
    made = await client.set_secret("name", "v")
    assert abs(made.properties.created_on - bench.issuer.clock.now()) < timedelta(minutes=1)
