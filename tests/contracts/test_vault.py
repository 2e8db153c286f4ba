"""`ports.Vault` in the emulated vault, through the real SDK."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.keyvault.secrets._shared import HttpChallengeCache
from cryptography.hazmat.primitives.asymmetric import rsa

from emulators.clock import Clock
from emulators.keyvault.settings import Settings as VaultSettings
from shared.adapters.identity import own_credential
from shared.adapters.keyvault import CONTENT_TYPES, KeyVault
from shared.model.credential import Masked, NewSecret
from shared.model.shape import Shape
from shared.settings import Settings
from tests.contracts.conftest import trust
from tests.contracts.stage import needs_human, try_later
from tests.emulators.keyvault.bench import Bench, bench_of, until
from tests.emulators.keyvault.issuer import Issuer

NAME = "dvls-prod"
ENDS = datetime(2027, 5, 1, 12, 30, 15, tzinfo=UTC)
TAGS = {"operation": "op-1", "profile": "devolutions-server"}
VALUE = "~8Q~the.value-that_nobody-may-see"


@dataclass(frozen=True)
class Stage:
    vault: KeyVault
    bench: Bench

    async def fault(self, operation: str, fault: str, **more: object) -> None:
        await self.bench.admin("POST", "/faults", {"operation": operation, "fault": fault, **more})

    async def heal(self) -> None:
        await self.bench.admin("DELETE", "/faults")

    async def hits(self) -> int:
        return sum(fault["hits"] for fault in await self.bench.admin("GET", "/faults"))

    async def versions(self, name: str = NAME) -> int:
        state = await self.bench.admin("GET", "/state")
        return sum(len(secret["versions"]) for secret in state if secret["name"] == name)


@pytest.fixture(scope="module")
def signing_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture
async def bench(signing_key: rsa.RSAPrivateKey, tmp_path: Path) -> AsyncIterator[Bench]:
    issuer = Issuer(Clock(tmp_path / "clock"), tmp_path / "tls", signing_key)

    def settings(up: Issuer) -> VaultSettings:
        return VaultSettings(tls=up.tls, clock=up.clock, authority=up.url, tenant=up.tenant)

    HttpChallengeCache.clear()  # kept per host and port for the whole process; ports return
    async with bench_of(issuer, settings) as running:
        yield running
    HttpChallengeCache.clear()


@pytest.fixture
async def stage(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stage]:
    issuer = bench.issuer
    trust(monkeypatch, issuer.ca_file)
    monkeypatch.setenv("AZURE_TENANT_ID", issuer.tenant)
    monkeypatch.setenv("AZURE_CLIENT_ID", issuer.client_id)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", issuer.client_secret)
    settings = Settings(
        tenant_id=issuer.tenant, authority=issuer.url, vault_url=bench.vault.url, pace=0.0
    )
    credential = own_credential(settings)
    vault = KeyVault(settings, credential)
    yield Stage(vault, bench)
    await vault.close()
    await credential.close()


def secret(key_id: str = "key-1", value: str = VALUE) -> NewSecret:
    return NewSecret(key_id=key_id, ends=ENDS, hint="~8Q", value=value)


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


class TestAccess:
    async def test_a_role_that_is_not_in_force_yet(self, stage: Stage):
        await stage.bench.admin("POST", "/rbac", {"role": "none"})
        role = {"role": "officer", "app_id": stage.bench.issuer.client_id, "delay": 300}
        await stage.bench.admin("POST", "/rbac", role)
        for call in (
            stage.vault.put(NAME, secret(), TAGS),
            stage.vault.current(NAME),
        ):
            error = await try_later(call, "VAULT_FORBIDDEN")
            assert error.limit == timedelta(minutes=10)
            assert NAME in error.message
            assert "needs the role Key Vault Secrets Officer" in error.message
        await stage.bench.admin("POST", "/clock", {"seconds": 301})
        made = await stage.vault.put(NAME, secret(), TAGS)
        assert await stage.vault.current(NAME) == made

    async def test_reading_only(self, stage: Stage):
        made = await stage.vault.put(NAME, secret(), TAGS)
        await stage.bench.admin("POST", "/rbac", {"role": "user"})
        assert await stage.vault.current(NAME) == made
        await try_later(stage.vault.put(NAME, secret(), TAGS), "VAULT_FORBIDDEN")
        await try_later(stage.vault.retag(made, {}), "VAULT_FORBIDDEN")
        await try_later(stage.vault.disable(made), "VAULT_FORBIDDEN")

    async def test_a_wrong_secret_of_the_automation(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setenv("AZURE_CLIENT_SECRET", "not-the-secret")
        settings = Settings(
            tenant_id=stage.bench.issuer.tenant,
            authority=stage.bench.issuer.url,
            vault_url=stage.bench.vault.url,
        )
        credential = own_credential(settings)
        vault = KeyVault(settings, credential)
        error = await needs_human(vault.current(NAME), "AUTOMATION_IDENTITY")
        assert "not-the-secret" not in error.message
        await vault.close()
        await credential.close()

    async def test_a_name_that_no_vault_takes(self, stage: Stage):
        refused = stage.vault.put("no_underscores", secret(), TAGS)
        assert "(request-id " in (await needs_human(refused, "VAULT_REFUSED")).message


class TestDisturbances:
    @pytest.mark.parametrize("fault", ["throttled", "unavailable"])
    @pytest.mark.parametrize("operation", ["set", "get"])
    async def test_a_short_one_is_not_noticed(self, stage: Stage, operation, fault):
        await stage.fault(operation, fault, times=2, retry_after=0)
        made = await stage.vault.put(NAME, secret(), TAGS)
        assert await stage.hits() == 2
        assert await stage.vault.current(NAME) == made

    @pytest.mark.parametrize("fault", ["throttled", "unavailable"])
    async def test_a_longer_one_is_a_reason_to_wait(self, stage: Stage, fault):
        await stage.fault("*", fault, retry_after=0)
        error = await try_later(stage.vault.put(NAME, secret(), TAGS), "VAULT_UNAVAILABLE")
        assert await stage.hits() == 3
        assert f"storing {NAME}" in error.message
        assert await stage.versions() == 0
        await try_later(stage.vault.current(NAME), "VAULT_UNAVAILABLE")

    async def test_no_step_sleeps_as_long_as_the_vault_asks_for(self, stage: Stage):
        await stage.fault("*", "throttled", retry_after=3600)
        async with asyncio.timeout(30):
            await try_later(stage.vault.put(NAME, secret(), TAGS), "VAULT_UNAVAILABLE")
        assert await stage.hits() == 1

    @pytest.mark.parametrize("call", ["retag", "disable"])
    async def test_other_writes(self, stage: Stage, call):
        made = await stage.vault.put(NAME, secret(), TAGS)
        await stage.fault("update", "unavailable")
        later = stage.vault.disable(made) if call == "disable" else stage.vault.retag(made, {})
        error = await try_later(later, "VAULT_UNAVAILABLE")
        assert NAME in error.message

    async def test_a_lost_answer(self, stage: Stage):
        """The write was done: who reads back finds it by its key id."""
        await stage.fault("set", "lost-answer")
        error = await try_later(stage.vault.put(NAME, secret(), TAGS), "VAULT_UNREACHABLE")
        assert VALUE not in error.message
        assert (await stage.vault.current(NAME)).key_id == "key-1"

    async def test_a_lost_answer_and_a_repeat(self, stage: Stage):
        await stage.fault("set", "lost-answer", times=1)
        made = await stage.vault.put(NAME, secret(), TAGS)
        assert await stage.versions() == 2
        assert await stage.vault.current(NAME) == made

    async def test_a_dropped_connection(self, stage: Stage):
        await stage.fault("*", "drop")
        await try_later(stage.vault.put(NAME, secret(), TAGS), "VAULT_UNREACHABLE")
        await try_later(stage.vault.current(NAME), "VAULT_UNREACHABLE")
        await stage.heal()
        assert await stage.vault.current(NAME) is None

    async def test_another_version_written_meanwhile(self, stage: Stage):
        """Between writing and reading back, while the latter is told to come again."""
        await stage.fault("get", "throttled", times=1, retry_after=1)
        writing = asyncio.create_task(stage.vault.put(NAME, secret(), TAGS))
        planted = stage.bench.vault.faults.planted
        await until(lambda: planted[0].hits == 1)
        other = await stage.bench.client()
        await other.set_secret(NAME, "somebody else's")
        error = await try_later(writing, "VAULT_RACE")
        assert NAME in error.message


async def test_no_error_and_no_log_has_a_secret(stage: Stage, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    for fault in ("throttled", "unavailable", "forbidden", "lost-answer", "drop"):
        await stage.fault("set", fault, retry_after=0)
        with pytest.raises(Exception, match=NAME) as raised:
            await stage.vault.put(NAME, secret(), TAGS)
        told += [str(raised.value), repr(raised.value), repr(raised.value.__cause__)]
        await stage.heal()
    made = await stage.vault.put(NAME, secret(), TAGS)
    told += [repr(made), repr(await stage.vault.reveal(made))]
    assert len(told) == 17
    assert all(VALUE not in text for text in told)
    assert VALUE not in caplog.text + "".join(str(vars(record)) for record in caplog.records)
