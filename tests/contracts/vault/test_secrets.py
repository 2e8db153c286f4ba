"""`ports.Vault` in the emulated vault, through the real SDK."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.adapters.keyvault import CONTENT_TYPES
from shared.model.credential import Masked, NewSecret
from shared.model.shape import Shape
from tests.contracts.stage import try_later
from tests.contracts.vault.stage import ENDS, NAME, TAGS, VALUE, Stage, secret


class TestSecrets:
    async def test_nothing_is_there_at_first(self, stage: Stage):
        assert await stage.vault.current(NAME) is None

    async def test_it_is_stored_as_described(self, stage: Stage):
        made = await stage.vault.put(NAME, secret(), {**TAGS, "previousKeyId": "key-0"})
        assert made == await stage.vault.current(NAME)
        assert (made.name, made.key_id, made.operation) == (NAME, "key-1", "op-1")
        assert (made.hint, made.previous_key_id) == ("~8Q", "key-0")
        assert (made.enabled, made.verified, made.expires) == (True, False, ENDS)
        assert abs(made.created.timestamp() - stage.bench.issuer.clock.time()) < 5
        (state,) = await stage.bench.admin("GET", "/state")
        assert state["versions"][0]["content_type"] == CONTENT_TYPES[Shape.CLIENT_SECRET]

    @pytest.mark.parametrize(
        ("shape", "content_type"),
        [(Shape.PEM, "application/x-pem-file"), (Shape.PFX, "application/x-pkcs12")],
    )
    async def test_a_certificate_comes_back_as_what_it_is(
        self, stage: Stage, shape: Shape, content_type: str
    ):
        given = NewSecret(
            key_id="key-1", ends=ENDS, hint="AB12", value=VALUE, shape=shape, thumbprint="AB12CD"
        )
        made = await stage.vault.put(NAME, given, TAGS)
        assert (made.shape, made.thumbprint) == (shape, "AB12CD")
        back = await stage.vault.reveal(made)
        assert back is not None
        assert (back.shape, back.thumbprint, back.reveal()) == (shape, "AB12CD", VALUE)
        await stage.vault.keep("of-the-product", back, {}, ENDS)
        state = await stage.bench.admin("GET", "/state")
        kinds = {s["name"]: s["versions"][-1]["content_type"] for s in state}
        assert kinds == {NAME: content_type, "of-the-product": content_type}

    async def test_a_private_key_that_a_person_stored_is_no_client_secret(self, stage: Stage):
        text = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
        made = await stage.vault.keep(NAME, Masked(text), {}, None)
        back = await stage.vault.reveal(made)
        assert back is not None and back.shape is Shape.PEM

    @pytest.mark.requirement("A-09")
    async def test_what_a_product_reads_by_name_keeps_its_tags(self, stage: Stage):
        tags = {"connection": "crm", "env": "PAN_SEC_MICROSOFT_ENTRA_TENANT_ID"}
        name = "crm--PAN-SEC-MICROSOFT-ENTRA-TENANT-ID"
        made = await stage.vault.keep(name, Masked("tenant-1"), tags, None)
        assert made == await stage.vault.current(name)
        assert (made.tags, made.expires) == (tags, None)
        back = await stage.vault.reveal(made)
        assert back is not None and back.same(Masked("tenant-1"))

    async def test_its_value_comes_back(self, stage: Stage):
        made = await stage.vault.put(NAME, secret(), TAGS)
        back = await stage.vault.reveal(made)
        assert back is not None
        assert back.reveal() == VALUE
        assert (back.key_id, back.ends, back.hint) == ("key-1", ENDS, "~8Q")

    async def test_the_newest_is_current_and_the_old_one_stays(self, stage: Stage):
        first = await stage.vault.put(NAME, secret(), TAGS)
        second = await stage.vault.put(NAME, secret("key-2", "other"), TAGS)
        assert await stage.vault.current(NAME) == second
        assert second.version != first.version
        assert (await stage.vault.reveal(first)).reveal() == VALUE
        assert (await stage.vault.reveal(second)).reveal() == "other"

    async def test_tags_are_replaced(self, stage: Stage):
        made = await stage.vault.put(NAME, secret(), TAGS)
        for _ in range(2):
            await stage.vault.retag(made, {"keyId": "key-1", "verified": "true"})
        found = await stage.vault.current(NAME)
        assert (found.verified, found.key_id, found.operation, found.hint) == (
            True,
            "key-1",
            "",
            "",
        )
        assert (found.version, found.expires) == (made.version, ENDS)

    async def test_disabled_is_not_there(self, stage: Stage):
        made = await stage.vault.put(NAME, secret(), TAGS)
        for _ in range(2):
            await stage.vault.disable(made)
        assert await stage.vault.current(NAME) is None
        assert await stage.vault.reveal(made) is None

    async def test_a_disabled_name_can_be_written_again(self, stage: Stage):
        await stage.vault.disable(await stage.vault.put(NAME, secret(), TAGS))
        made = await stage.vault.put(NAME, secret("key-2"), TAGS)
        assert await stage.vault.current(NAME) == made

    async def test_an_expired_one_is_still_served(self, stage: Stage):
        made = await stage.vault.put(NAME, secret(), TAGS)
        past = ENDS - datetime.now(UTC) + timedelta(days=1)
        await stage.bench.admin("POST", "/clock", {"seconds": past.total_seconds()})
        assert await stage.vault.current(NAME) == made

    async def test_one_that_was_put_there_by_hand(self, stage: Stage):
        by_hand = await stage.bench.client()
        await by_hand.set_secret(NAME, "x")
        found = await stage.vault.current(NAME)
        assert (found.key_id, found.operation, found.expires) == ("", "", None)
        back = await stage.vault.reveal(found)
        assert (back.reveal(), back.ends) == ("x", datetime.max.replace(tzinfo=UTC))

    async def test_a_version_that_is_not_there(self, stage: Stage):
        made = await stage.vault.put(NAME, secret(), TAGS)
        other = type(made)(
            name=NAME,
            version="0" * 32,
            key_id="",
            operation="",
            created=made.created,
            expires=None,
            enabled=True,
        )
        assert await stage.vault.reveal(other) is None

    async def test_reference(self, stage: Stage):
        url = stage.bench.vault.url
        made = await stage.vault.put(NAME, secret(), TAGS)
        reference = stage.vault.reference(NAME, made.version)
        assert reference == f"{url}/secrets/{NAME}/{made.version}"
        assert (await stage.bench.send("GET", reference.removeprefix(url))).status == 200


@pytest.mark.requirement("X-18")
class TestRemoved:
    async def test_every_version_is_listed_and_then_the_name_is_gone(self, stage: Stage):
        assert await stage.vault.all_versions(NAME) == []
        first = await stage.vault.put(NAME, secret(), TAGS)
        await stage.vault.disable(first)
        second = await stage.vault.put(NAME, secret("key-2"), TAGS)
        listed = await stage.vault.all_versions(NAME)
        assert {v.version: v.enabled for v in listed} == {
            first.version: False,
            second.version: True,
        }
        assert {v.key_id for v in listed} == {"key-1", "key-2"}
        for _ in range(2):
            await stage.vault.remove(NAME)
            assert await stage.vault.all_versions(NAME) == []
            assert await stage.vault.current(NAME) is None
        (state,) = await stage.bench.admin("GET", "/state")
        assert state["deleted"] and len(state["versions"]) == 2  # kept, not purged

    async def test_a_deletion_that_takes_long_is_not_waited_for(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("shared.adapters.keyvault.PATIENCE", 0.5)
        await stage.bench.admin("POST", "/lag", {"deletion": 3600})
        await stage.vault.put(NAME, secret(), TAGS)
        await stage.vault.remove(NAME)
        assert await stage.vault.all_versions(NAME) == []

    async def test_the_name_can_be_taken_up_again(self, stage: Stage):
        made = await stage.vault.put(NAME, secret(), TAGS)
        await stage.vault.disable(made)
        await stage.vault.remove(NAME)
        assert (await stage.vault.put(NAME, secret("key-2"), TAGS)).key_id == "key-2"
        enabled = {v.key_id: v.enabled for v in await stage.vault.all_versions(NAME)}
        assert enabled == {"key-1": False, "key-2": True}


class TestDeleted:
    async def test_it_is_brought_back_then_written(self, stage: Stage):
        await stage.vault.put(NAME, secret(), TAGS)
        by_hand = await stage.bench.client()
        await by_hand.delete_secret(NAME)
        assert await stage.vault.current(NAME) is None
        made = await stage.vault.put(NAME, secret("key-2"), TAGS)
        assert made.key_id == "key-2"
        assert await stage.versions() == 2

    async def test_bringing_it_back_takes_longer_than_a_step_may(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("shared.adapters.keyvault.PATIENCE", 0.5)
        await stage.vault.put(NAME, secret(), TAGS)
        by_hand = await stage.bench.client()
        await by_hand.delete_secret(NAME)
        await stage.bench.admin("POST", "/lag", {"recovery": 60})
        error = await try_later(stage.vault.put(NAME, secret("key-2"), TAGS), "VAULT_RECOVERING")
        assert NAME in error.message
        assert VALUE not in error.message
        await try_later(stage.vault.put(NAME, secret("key-2"), TAGS), "VAULT_UNAVAILABLE")
        await stage.bench.admin("POST", "/clock", {"seconds": 61})
        assert (await stage.vault.put(NAME, secret("key-2"), TAGS)).key_id == "key-2"

    async def test_while_it_is_being_brought_back(self, stage: Stage):
        await stage.vault.put(NAME, secret(), TAGS)
        by_hand = await stage.bench.client()
        await by_hand.delete_secret(NAME)
        await stage.bench.admin("POST", "/lag", {"recovery": 60})
        await stage.bench.send("POST", f"/deletedsecrets/{NAME}/recover")
        await try_later(stage.vault.put(NAME, secret("key-2"), TAGS), "VAULT_UNAVAILABLE")
        await stage.bench.admin("POST", "/clock", {"seconds": 61})
        await stage.vault.put(NAME, secret("key-2"), TAGS)
