"""A vault that refuses, is slow or breaks off, and what the adapter makes of it."""

import asyncio
import logging
from datetime import timedelta

import pytest

from shared.adapters.identity import own_credential
from shared.adapters.keyvault import KeyVault
from shared.settings import Settings
from tests.contracts.stage import needs_human, try_later
from tests.contracts.vault.stage import NAME, TAGS, VALUE, Stage, secret
from tests.emulators.keyvault.bench import until


class TestAccess:
    async def test_a_role_that_is_not_in_force_yet(self, stage: Stage):
        await stage.bench.admin("POST", "/rbac", {"role": "none"})
        role = {"role": "officer", "app_id": stage.bench.issuer.client_id, "delay": 300}
        await stage.bench.admin("POST", "/rbac", role)
        for call in (stage.vault.put(NAME, secret(), TAGS), stage.vault.current(NAME)):
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
