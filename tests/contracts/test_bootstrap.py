"""The context is built whole or not at all, and says what is wrong."""

import gc

import aiohttp
import pytest

from shared import bootstrap
from shared.errors import TryLater
from shared.settings import SettingsError, load

KEY = "a2V5"
NOWHERE = "http://127.0.0.1:1/account"
SETTINGS = {
    "KEYTURN_TENANT_ID": "2f1c8e0a-52b7-4f0e-9d51-6f2f0a7b9c3d",
    "KEYTURN_VAULT_URL": "https://127.0.0.1:1",
    "ServiceBus": f"Endpoint=sb://127.0.0.1:1;SharedAccessKeyName=x;SharedAccessKey={KEY}",
    "KEYTURN_STORAGE": (
        f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={KEY};"
        f"BlobEndpoint={NOWHERE};TableEndpoint={NOWHERE};"
    ),
}


def open_sessions() -> list[aiohttp.ClientSession]:
    sessions = (found for found in gc.get_objects() if isinstance(found, aiohttp.ClientSession))
    return [session for session in sessions if not session.closed]


async def test_storage_that_is_down_at_the_start_is_a_reason_to_wait() -> None:
    """The process works on: messages are sent again for later, and use up no deliveries."""
    before = {id(session) for session in open_sessions()}
    ctx = await bootstrap.build(load(SETTINGS))
    with pytest.raises(TryLater) as reason:
        await ctx.ledger.connection("dvls-prod")
    assert reason.value.code == "LEDGER_DOWN"
    for session in open_sessions():
        if id(session) not in before:  # a context lives as long as its process
            await session.close()


async def test_a_malformed_connection_string_is_named_without_its_value(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in {**SETTINGS, "KEYTURN_STORAGE": "hush"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bootstrap, "_context", None)
    with pytest.raises(SettingsError, match="KEYTURN_STORAGE") as refusal:
        await bootstrap.context()
    assert "hush" not in str(refusal.value)
