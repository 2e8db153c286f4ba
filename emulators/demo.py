"""``make demo``: the main job end to end on the local cloud, watched live."""

import asyncio
import json
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live
from rich.table import Table

from emulators.callers import Bearer
from emulators.stack import Cloud, Options

FOLDER = Path("build/demo")
LIMIT = 180.0  # seconds until an onboarding must have ended
ORDER = (
    "Registered",
    "Consented",
    "RoleAssigned",
    "CredentialReady",
    "Verified",
    "Discovered",
    "HandedOver",
)
MARKS = {"True": "[green]done[/]", "False": "[red]stopped[/]", "Unknown": "[yellow]waiting[/]"}


class Failed(Exception):
    """The demo did not end as it must."""


def request(name: str, mode: str) -> dict[str, Any]:
    """What a person sends to onboard Devolutions Server.

    Who holds roles are administrators, for whom the guide's role does not suffice.
    """
    return {
        "name": name,
        "profile": "devolutions-server",
        "features": {
            "discovery": True,
            "password_rotation": True,
            "admin_targets": mode == "roles",
        },
        "inputs": {
            "provider_name": f"DVLS PAM {name}",
            "config_name": "nightly",
            "search_mode": mode,
            "filter": ["Team 04", "Team 05"] if mode == "groups" else [],
        },
        "owner": "ana@contoso.example",
    }


class Client:
    """Calls the functions as a person's tool would."""

    def __init__(self, state: dict[str, Any]) -> None:
        self._http = httpx.AsyncClient(
            base_url=state["functions"],
            headers={"x-functions-key": state["function_key"]},
            auth=Bearer(state, "operator"),
            verify=ssl.create_default_context(cafile=state["ca_file"]),
            timeout=60,
            trust_env=False,
        )
        self._approver = Bearer(state, "approver")

    async def get(self, path: str) -> dict[str, Any]:
        answer = await self._http.get(path)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    async def onboard(self, body: dict[str, Any]) -> None:
        answer = await self._http.post("/api/connections", json=body)
        if answer.status_code != httpx.codes.ACCEPTED:
            raise Failed(f"onboarding was answered {answer.status_code}: {answer.text}")

    async def approve(self, name: str) -> None:
        """Approve the high-risk items, as somebody else than the one who asked."""
        body = {"reason": "reviewed, change 4711"}
        for _ in range(600):
            answer = await self._http.post(
                f"/api/connections/{name}/approval", json=body, auth=self._approver
            )
            if answer.status_code != httpx.codes.NOT_FOUND:
                break
            await asyncio.sleep(0.05)  # an order in a queue takes its time; polling with a bound
        answer.raise_for_status()

    async def watch(self, console: Console, name: str) -> dict[str, Any]:
        """Show the conditions until the onboarding has ended; answers the connection."""
        began = time.monotonic()
        with Live(console=console, refresh_per_second=8, transient=False) as live:
            while time.monotonic() - began < LIMIT:
                connection = await self._try(name)
                live.update(board(name, connection, time.monotonic() - began))
                if connection and ended(connection):
                    break
                await asyncio.sleep(0.1)  # pacing of the display, the wait has its own limit
            else:
                raise Failed(f"{name} did not end within {LIMIT:.0f} s: {json.dumps(connection)}")
        console.print()  # a live view leaves the cursor at the end of its last line
        return connection

    async def _try(self, name: str) -> dict[str, Any] | None:
        """The connection's status; None while it is not known, or the host is being restarted."""
        try:
            answer = await self._http.get(f"/api/connections/{name}")
        except httpx.TransportError:
            return None
        return answer.json() if answer.status_code == httpx.codes.OK else None

    async def close(self) -> None:
        await self._http.aclose()


def ended(connection: dict[str, Any]) -> bool:
    operations = connection.get("operations", [])
    return bool(operations) and all(o["state"] != "running" for o in operations)


def board(name: str, connection: dict[str, Any] | None, seconds: float) -> Table:
    """The conditions of one connection, as they stand."""
    shown = Table(title=f"{name}  {seconds:5.1f} s", title_justify="left", min_width=78)
    for column in ("condition", "state", "what"):
        shown.add_column(column)
    known = {c["type"]: c for c in (connection or {}).get("conditions", [])}
    for aspect in ORDER:
        condition = known.get(aspect)
        mark = MARKS[condition["status"]] if condition else "[dim]...[/]"
        shown.add_row(aspect, mark, condition["message"] if condition else "")
    return shown


async def use_secret(cloud: Cloud, name: str, client_id: str) -> list[str]:
    """Sign in with the published secret as the product would; answers the token's roles."""
    from azure.identity.aio import ClientSecretCredential
    from azure.keyvault.secrets.aio import SecretClient

    state = cloud.state()
    authority: dict[str, Any] = {
        "authority": state["authority"],
        "disable_instance_discovery": True,
        "connection_verify": state["ca_file"],
    }
    tenant = state["tenant_id"]
    async with (
        ClientSecretCredential(
            tenant, state["client_id"], state["client_secret"], **authority
        ) as admin,
        SecretClient(
            state["vault"],
            admin,
            verify_challenge_resource=False,
            connection_verify=state["ca_file"],
        ) as vault,
    ):
        secret = await vault.get_secret(name)
    async with ClientSecretCredential(tenant, client_id, secret.value or "", **authority) as own:
        token = await own.get_token("https://graph.microsoft.com/.default")
    return sorted(_claims(token.token).get("roles", []))


def _claims(token: str) -> dict[str, Any]:
    import jwt

    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


async def post_to_queue(cloud: Cloud, body: dict[str, Any]) -> None:
    """Ask for an onboarding as another system does: a message on the ``provisioning`` queue."""
    from azure.servicebus import ServiceBusMessage
    from azure.servicebus.aio import ServiceBusClient

    message = {"apiVersion": "keyturn/v1", "kind": "onboard", **body}
    message["connection"] = message.pop("name")
    connection = cloud.state()["servicebus_connection_string"]
    async with (
        ServiceBusClient.from_connection_string(connection) as client,
        client.get_queue_sender("provisioning") as sender,
    ):
        await sender.send_messages(
            ServiceBusMessage(json.dumps(message), message_id=f"demo-{body['name']}")
        )


async def kill_in_the_middle(cloud: Cloud, client: Client, name: str) -> None:
    """SIGKILL the functions while the chain runs, and start them again."""
    for _ in range(600):
        connection = await client._try(name)  # noqa: SLF001 - same module
        if any(c["type"] == "Registered" for c in (connection or {}).get("conditions", [])):
            break
        await asyncio.sleep(0.05)  # polling with a bound, not synchronisation by time
    cloud.children["host"].kill()
    await cloud.children["host"].gone()
    await cloud.restart("host")


async def summary(cloud: Cloud, client: Client, name: str) -> dict[str, Any]:
    """Everything about one connection that the report shows."""
    connection = await client.get(f"/api/connections/{name}")
    handover = await client.get(f"/api/connections/{name}/handover")
    discoveries = await client.get(f"/api/connections/{name}/discoveries")
    roles = await use_secret(cloud, name, _line(handover, "client_id"))
    tenant = await _tenant(cloud)
    unique = f"keyturn-{name}"
    own = [a for a in tenant["applications"] if a.get("uniqueName") == unique]
    return {
        "connection": connection,
        "handover": handover,
        "discoveries": discoveries,
        "token_roles": roles,
        "applications": len(own),
        "live_secrets": sum(len(a["passwordCredentials"]) for a in own),
    }


def _line(handover: dict[str, Any], name: str) -> str:
    return next(str(line["value"]) for line in handover["lines"] if line["name"] == name)


async def _tenant(cloud: Cloud) -> dict[str, Any]:
    state = cloud.state()
    trust = ssl.create_default_context(cafile=state["ca_file"])
    async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
        found: dict[str, Any] = (await http.get(f"{state['admin']}/state")).json()
    return found


async def save_traffic(cloud: Cloud) -> None:
    """Keep what was said to Graph; `.ci/run` holds it against Microsoft's schema."""
    state = cloud.state()
    trust = ssl.create_default_context(cafile=state["ca_file"])
    async with httpx.AsyncClient(verify=trust, trust_env=False, timeout=60) as http:
        traffic = (await http.get(f"{state['admin']}/traffic")).text
    (FOLDER / "traffic.jsonl").write_text(traffic)


def judge(results: dict[str, dict[str, Any]]) -> list[str]:
    """What is not as it must be."""
    wrong = []
    for name, result in results.items():
        conditions = {c["type"]: c for c in result["connection"]["conditions"]}
        wrong += [
            f"{name}: {aspect} is not True: {conditions.get(aspect)}"
            for aspect in ORDER
            if conditions.get(aspect, {}).get("status") != "True"
        ]
        granted = sorted(result["connection"]["granted"])
        if result["token_roles"] != granted or not granted:
            wrong.append(f"{name}: token roles {result['token_roles']}, granted {granted}")
        if (result["applications"], result["live_secrets"]) != (1, 1):
            wrong.append(
                f"{name}: {result['applications']} applications, {result['live_secrets']} secrets"
            )
    return wrong


def show(console: Console, results: dict[str, dict[str, Any]]) -> None:
    for name, result in results.items():
        sheet = Table(title=f"hand-over of {name}", title_justify="left", min_width=78)
        for column in ("field of the product", "value", "instead of guide"):
            sheet.add_column(column, overflow="fold")
        for line in result["handover"]["lines"]:
            value = line.get("value") or line["secret"]["vault"]
            sheet.add_row(line["label"], value, line.get("replaces", ""))
        console.print(sheet)


async def demo(console: Console) -> int:
    began = time.monotonic()
    async with Cloud(Options(folder=FOLDER / "cloud")) as cloud:
        console.print(f"local cloud up in {time.monotonic() - began:.1f} s")
        client = Client(cloud.state())
        try:
            console.rule("1. onboarding by HTTP")
            await client.onboard(request("dvls-prod", "roles"))
            await client.approve("dvls-prod")
            await client.watch(console, "dvls-prod")
            console.rule("2. onboarding by queue; the functions are killed in the middle")
            await post_to_queue(cloud, request("dvls-test", "groups"))
            await client.approve("dvls-test")
            await kill_in_the_middle(cloud, client, "dvls-test")
            await client.close()
            client = Client(cloud.state())
            await client.watch(console, "dvls-test")
            names = ("dvls-prod", "dvls-test")
            results = {name: await summary(cloud, client, name) for name in names}
            await save_traffic(cloud)
        finally:
            await client.close()
    show(console, results)
    wrong = judge(results)
    report = {**results["dvls-prod"], "by_queue": results["dvls-test"], "problems": wrong}
    (FOLDER / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    for line in wrong:
        console.print(f"[red]{line}[/]")
    console.print(f"{FOLDER / 'report.json'} written after {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def main() -> int:
    import shutil

    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    return asyncio.run(demo(Console(width=110)))


if __name__ == "__main__":
    sys.exit(main())
