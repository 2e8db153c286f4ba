"""Token credentials, and shared access signatures in strict mode."""

import time
from typing import Self

import pytest
from azure.core.credentials import AccessToken
from azure.servicebus import ServiceBusMessage
from azure.servicebus.aio import ServiceBusClient
from azure.servicebus.exceptions import ServiceBusAuthenticationError

from emulators.clock import Clock
from emulators.servicebus.cbs import Tokens
from emulators.servicebus.server import serving
from tests.emulators.servicebus.client import FAST
from tests.emulators.servicebus.entities import config_text
from tests.emulators.servicebus.peer import Peer


class _Credential:
    """Answers a token without asking anybody."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **_options: object) -> AccessToken:
        self.scopes += scopes
        return AccessToken("a.b.c", int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        """Nothing to close."""


async def test_token_credential() -> None:
    credential = _Credential()
    async with serving(config_text()) as server:
        host = f"127.0.0.1:{server.port}"
        async with (
            ServiceBusClient(host, credential, use_tls=False) as client,
            client.get_queue_sender("q1") as sender,
        ):
            await sender.send_messages(ServiceBusMessage("x"))
    assert credential.scopes == ["https://servicebus.azure.net//.default"]


async def test_strict_signatures() -> None:
    async with serving(config_text(), strict_sas=True) as server:
        right = server.connection_string
        async with (
            ServiceBusClient.from_connection_string(right, **FAST) as client,
            client.get_queue_sender("q1") as sender,
        ):
            await sender.send_messages(ServiceBusMessage("x"))
        wrong = right.replace("SAS_KEY_VALUE", "ANOTHER_VALUE")
        async with ServiceBusClient.from_connection_string(wrong, **FAST) as client:
            with pytest.raises(ServiceBusAuthenticationError):
                await client.get_queue_sender("q1").send_messages(ServiceBusMessage("x"))


async def test_strict_mode_wants_a_token_before_an_entity() -> None:
    async with serving(config_text(), strict_sas=True) as server, Peer(server.port) as peer:
        await peer.begin()
        await peer.attach_sender("q1")
        detached = await peer.expect(0x16)
        assert detached[2].value[0] == "amqp:unauthorized-access"


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("sr=x&se=99999999999&skn=RootManageSharedAccessKey", "sig"),
        ("sr=x&sig=y&se=99999999999&skn=Other", "key name"),
        ("sr=x&sig=y&se=99999999999&skn=RootManageSharedAccessKey", "match"),
        ("", "no"),
    ],
)
def test_wrong_signatures(token: str, why: str) -> None:
    refusal = Tokens(Clock(), strict=True).check(token)
    assert why in refusal
