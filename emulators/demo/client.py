"""Calls the functions, the queue and the vault as people and other systems do."""

import json
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx

from emulators.callers import Bearer
from emulators.demo.products import Product
from emulators.stack import Cloud


class Failed(Exception):
    """The demo did not end as it must."""


class Client:
    """The API, as the operator and as the approver sign in to it."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.onboarded: set[str] = set()
        """Names of the connections that were asked for."""
        self._http = httpx.AsyncClient(verify=trust(cloud.state()), timeout=60, trust_env=False)
        self._callers = {role: Bearer(cloud.state(), role) for role in ("operator", "approver")}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def call(
        self, method: str, path: str, *, role: str = "operator", **options: Any
    ) -> httpx.Response:
        state = self._cloud.state()  # anew: a restarted host has other keys
        headers = {"x-functions-key": state["function_key"]}
        url, auth = state["functions"] + path, self._callers[role]
        return await self._http.request(method, url, headers=headers, auth=auth, **options)

    async def get(self, path: str) -> Any:
        answer = await self.call("GET", path)
        answer.raise_for_status()
        return answer.json()

    async def text(self, path: str) -> str:
        answer = await self.call("GET", path)
        answer.raise_for_status()
        return answer.text

    async def onboard(self, product: Product) -> None:
        self.onboarded.add(product.name)
        if product.by_queue:
            await self._post(product)
            return
        answer = await self.call("POST", "/api/connections", json=product.body())
        if answer.status_code != httpx.codes.ACCEPTED:
            raise Failed(f"onboarding was answered {answer.status_code}: {answer.text}")

    async def approve(self, product: Product) -> None:
        """As somebody other than the one who asked, and with that role."""
        path, body = f"/api/connections/{product.name}/approval", {"reason": product.approval}
        answer = await self.call("POST", path, role="approver", json=body)
        if not answer.is_success:
            raise Failed(f"the approval was answered {answer.status_code}: {answer.text}")

    async def connection(self, name: str) -> dict[str, Any] | None:
        """Its status; None while it is not known, or the host is being restarted."""
        try:
            answer = await self.call("GET", f"/api/connections/{name}")
        except httpx.TransportError:
            return None
        found: dict[str, Any] | None = (
            answer.json() if answer.status_code == httpx.codes.OK else None
        )
        return found

    async def _post(self, product: Product) -> None:
        from azure.servicebus import ServiceBusMessage
        from azure.servicebus.aio import ServiceBusClient

        text = json.dumps(product.message())
        connection = self._cloud.state()["servicebus_connection_string"]
        async with (
            ServiceBusClient.from_connection_string(connection) as client,
            client.get_queue_sender("provisioning") as sender,
        ):
            message = ServiceBusMessage(text, message_id=f"demo-{product.name}")
            await sender.send_messages(message)


def authority(state: dict[str, Any]) -> dict[str, Any]:
    """Options of a credential that signs in to the emulated tenant."""
    return {
        "authority": state["authority"],
        "disable_instance_discovery": True,
        "connection_verify": state["ca_file"],
    }


async def sign_in(state: dict[str, Any], client_id: str, secret: str, audience: str) -> str:
    """A token of the emulated tenant, by the real credential class."""
    from azure.identity.aio import ClientSecretCredential

    async with ClientSecretCredential(
        state["tenant_id"], client_id, secret, **authority(state)
    ) as credential:
        token = await credential.get_token(f"{audience}/.default")
    return token.token


async def secret_of(state: dict[str, Any], name: str) -> str:
    """What the vault serves, read by the administrator."""
    from azure.identity.aio import ClientSecretCredential
    from azure.keyvault.secrets.aio import SecretClient

    async with (
        ClientSecretCredential(
            state["tenant_id"], state["client_id"], state["client_secret"], **authority(state)
        ) as admin,
        SecretClient(
            state["vault"],
            admin,
            verify_challenge_resource=False,
            connection_verify=state["ca_file"],
        ) as vault,
    ):
        return (await vault.get_secret(name)).value or ""


def trust(state: dict[str, Any]) -> ssl.SSLContext:
    """The authority that signed the emulators' certificates."""
    return ssl.create_default_context(cafile=state["ca_file"])


async def order(state: dict[str, Any], path: str, body: dict[str, Any]) -> None:
    """Have the emulated tenant's control do something."""
    async with httpx.AsyncClient(verify=trust(state), trust_env=False, timeout=60) as http:
        (await http.post(f"{state['admin']}/{path}", json=body)).raise_for_status()


async def control(state: dict[str, Any], path: str, read: Callable[[httpx.Response], Any]) -> Any:
    """What the emulated tenant's control answers."""
    async with httpx.AsyncClient(verify=trust(state), trust_env=False, timeout=60) as http:
        return read((await http.get(f"{state['admin']}/{path}")).raise_for_status())
