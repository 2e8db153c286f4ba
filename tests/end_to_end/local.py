"""A local cloud in use: HTTP calls, control of the tenant, and waiting for conditions."""

import asyncio
import json
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any, Self

import httpx

from emulators.callers import Bearer
from emulators.stack import Cloud

DEADLINE = 240.0
"""Seconds until something awaited must have come; generous, for busy machines."""

ASPECTS = (
    "Registered",
    "Consented",
    "RoleAssigned",
    "CredentialReady",
    "Verified",
    "Discovered",
    "HandedOver",
)
FOUR = [
    "Group.Read.All",
    "RoleManagement.ReadWrite.Directory",
    "User-PasswordProfile.ReadWrite.All",
    "User.Read.All",
]


TEAMS = ["Team 04", "Team 05"]
"""Groups of ordinary users: with administrators in scope, the guide's role would not suffice."""


def request(name: str, mode: str = "groups", **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "profile": "devolutions-server",
        "features": {"discovery": True, "password_rotation": True},
        "inputs": {
            "provider_name": "DVLS PAM",
            "config_name": "nightly",
            "search_mode": mode,
            "filter": TEAMS if mode == "groups" else ["Reports Reader"],
        },
        "owner": "ana@contoso.example",
        **changes,
    }


def order(name: str, **changes: Any) -> dict[str, Any]:
    """The same as a message of the ``provisioning`` queue."""
    body = request(name, **changes)
    return {"apiVersion": "keyturn/v1", "kind": "onboard", "connection": body.pop("name"), **body}


async def until(what: str, check: Callable[[], Awaitable[Any]], limit: float = DEADLINE) -> Any:
    """Ask *check* until it answers something true; a deadline, not a sleep, ends the wait."""
    end = time.monotonic() + limit
    while True:
        found = await check()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {limit:.0f} s in vain for {what}")
        await asyncio.sleep(0.05)


def _waits(condition: dict[str, Any]) -> bool:
    return condition["status"] == "False" and condition["reason"] == "APPROVAL_PENDING"


class Local:
    """Clients of one local cloud; every answer of the functions is kept for the leak check."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.state = cloud.state()
        self.answers: list[bytes] = []
        trust = ssl.create_default_context(cafile=self.state["ca_file"])
        headers = {"x-functions-key": self.state["function_key"]}
        self._api = httpx.AsyncClient(
            base_url=self.state["functions"],
            headers=headers,
            timeout=60,
            trust_env=False,
            verify=trust,
        )
        self._sign_ins = {
            who: Bearer(self.state, who) for who in ("operator", "approver", "reader")
        }
        self._control = httpx.AsyncClient(verify=trust, timeout=60, trust_env=False)

    def rebase(self) -> None:
        """Take over the keys of restarted functions."""
        self.state = self.cloud.state()
        self._api.base_url = httpx.URL(self.state["functions"])
        self._api.headers["x-functions-key"] = self.state["function_key"]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._api.aclose()
        await self._control.aclose()

    async def call(
        self, method: str, path: str, *, caller: str = "operator", **options: Any
    ) -> httpx.Response:
        """Call the functions as the operator, or as another *caller* of the emulated tenant."""
        options.setdefault("auth", self._sign_ins[caller])
        answer = await self._api.request(method, path, **options)
        self.answers.append(answer.content)
        return answer

    async def get(self, path: str) -> Any:
        answer = await self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def control(self, path: str, body: Any = None, *, vault: bool = False) -> Any:
        base = self.state["vault_admin"] if vault else self.state["admin"]
        if body is None:
            answer = await self._control.get(f"{base}/{path}")
        else:
            answer = await self._control.post(f"{base}/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    async def graph(self, method: str, path: str, body: Any) -> None:
        """Somebody changes the tenant: a call of Graph as its administrator."""
        state = self.state
        form = {
            "grant_type": "client_credentials",
            "client_id": state["client_id"],
            "client_secret": state["client_secret"],
            "scope": "https://graph.microsoft.com/.default",
        }
        url = f"{state['authority']}/{state['tenant_id']}/oauth2/v2.0/token"
        token = (await self._control.post(url, data=form)).json()["access_token"]
        answer = await self._control.request(
            method,
            state["graph"] + path,
            json=body,
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code < 300, answer.text

    async def onboard(self, name: str, **changes: Any) -> None:
        """Ask as the operator; the approver approves."""
        answer = await self.call("POST", "/api/connections", json=request(name, **changes))
        assert answer.status_code == 202, answer.text
        await self.approve(name)

    async def approve(self, name: str) -> None:
        """Approve as soon as the connection is there: an order in a queue takes its time."""

        async def approved() -> bool:
            body = {"reason": "reviewed"}
            path = f"/api/connections/{name}/approval"
            answer = await self.call("POST", path, json=body, caller="approver")
            assert answer.status_code in (200, 202, 404), answer.text
            return answer.status_code != httpx.codes.NOT_FOUND

        await until(f"{name} to be approved", approved)

    async def connection(self, name: str) -> dict[str, Any] | None:
        try:
            answer = await self.call("GET", f"/api/connections/{name}")
        except httpx.TransportError:
            return None  # the functions are being restarted
        return answer.json() if answer.status_code == 200 else None

    async def ended(self, name: str, limit: float = DEADLINE) -> dict[str, Any]:
        """The connection once none of its operations runs any more, nor is about to."""

        async def check() -> dict[str, Any] | None:
            found = await self.connection(name) or {}
            runs, held = found.get("operations", []), found.get("conditions", [])
            # An approval that came while a step was stopping for want of it starts another run.
            approved = found.get("approval") and any(_waits(condition) for condition in held)
            over = runs and all(run["state"] != "running" for run in runs) and not approved
            return found if over else None

        found: dict[str, Any] = await until(f"{name} to end", check, limit)
        return found

    async def post(self, queue: str, *bodies: tuple[str, bytes]) -> None:
        """Post messages (id, body) with the plain SDK."""
        from azure.servicebus import ServiceBusMessage
        from azure.servicebus.aio import ServiceBusClient

        connection = self.state["servicebus_connection_string"]
        async with (
            ServiceBusClient.from_connection_string(connection) as client,
            client.get_queue_sender(queue) as sender,
        ):
            for id_, body in bodies:
                await sender.send_messages(ServiceBusMessage(body, message_id=id_))

    async def applications(self, name: str) -> list[dict[str, Any]]:
        tenant = await self.control("state")
        unique = f"keyturn-{name}"
        return [app for app in tenant["applications"] if app.get("uniqueName") == unique]

    async def assert_onboarded(self, name: str, secrets: int = 1) -> dict[str, Any]:
        """Every condition true; one application; the live secrets are the served one's."""
        found = await self.ended(name)
        conditions = {c["type"]: c for c in found["conditions"]}
        wrong = {t: c for t, c in conditions.items() if c["status"] != "True"}
        assert wrong == {} and tuple(conditions) == ASPECTS, json.dumps(wrong)
        (application,) = await self.applications(name)
        held = application["passwordCredentials"] + application["keyCredentials"]
        keys = [credential["keyId"] for credential in held]
        assert len(keys) == secrets and found["credential"]["key_id"] in keys
        return found

    async def token_roles(self, name: str, client_id: str) -> list[str]:
        """Roles of a token that the published secret yields, with the real credential class."""
        import jwt
        from azure.identity.aio import ClientSecretCredential

        secret = await self.secret(name)
        async with ClientSecretCredential(
            self.state["tenant_id"], client_id, secret, **self.authority()
        ) as credential:
            token = await credential.get_token("https://graph.microsoft.com/.default")
        claims = jwt.decode(token.token, options={"verify_signature": False})
        return sorted(claims.get("roles", []))

    async def secret(self, name: str) -> str:
        from azure.identity.aio import ClientSecretCredential
        from azure.keyvault.secrets.aio import SecretClient

        state = self.state
        async with (
            ClientSecretCredential(
                state["tenant_id"], state["client_id"], state["client_secret"], **self.authority()
            ) as admin,
            SecretClient(
                state["vault"],
                admin,
                verify_challenge_resource=False,
                connection_verify=state["ca_file"],
            ) as vault,
        ):
            found = await vault.get_secret(name)
        assert found.value
        return found.value

    def authority(self) -> dict[str, Any]:
        return {
            "authority": self.state["authority"],
            "disable_instance_discovery": True,
            "connection_verify": self.state["ca_file"],
        }
