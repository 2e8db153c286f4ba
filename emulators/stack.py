"""The local cloud: every emulator, Azurite and the functions host, wired together."""

import asyncio
import json
import os
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from emulators.azurite.server import serving
from emulators.child import Child

ROOT = Path(__file__).parent.parent
TOPOLOGY = ROOT / "infra" / "servicebus-emulator.json"
FUNCTIONS = ROOT / "infra" / "functions.json"

CHECKUP = "checkup"
"""The one timer that both apps run."""

SCHEDULES = {
    "KEYTURN_ROTATE_SCHEDULE": "0 */5 * * * *",
    "KEYTURN_VERIFY_SCHEDULE": "15 */5 * * * *",
    "KEYTURN_DISCOVER_SCHEDULE": "30 */5 * * * *",
    "KEYTURN_IMPORT_SCHEDULE": "40 */5 * * * *",
    "KEYTURN_RETIRE_SCHEDULE": "45 */5 * * * *",
    "KEYTURN_PRESTAGE_SCHEDULE": "55 */5 * * * *",
    "KEYTURN_TOKEN_SCHEDULE": "40 */2 * * * *",
    "KEYTURN_RESUME_SCHEDULE": "50 */5 * * * *",
}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from one local cloud to another."""

    folder: Path  # certificates, logs, stores
    users: int = 200
    pace: float = 0.02  # the emulated directory needs no minutes to settle
    durable: bool = False  # the queues survive a killed broker
    durable_storage: bool = True  # tables and blobs survive a killed Azurite; costs each write
    onboarding_rate: int = 10_000  # an emulated hour may be a second
    apart: bool = False  # two apps, each under its own identity, as in Azure; else one does it all
    auth: bool = True  # callers sign in with the emulated tenant, as App Service makes them
    host: str = "emulators.host"  # module that runs the functions
    app: Path = ROOT  # of the bundle; a copy of the project may have other profiles
    path: tuple[Path, ...] = ()  # where the host imports from first: packages beside the bundle


class Cloud:
    """Everything that Keyturn needs, on free loopback ports; a context manager."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._parts = AsyncExitStack()
        self.children: dict[str, Child] = {}
        self.storage: Any = None

    @property
    def topology(self) -> Path:
        """The broker's queues, read at each of its starts."""
        return self.folder / "topology.json"

    @property
    def folder(self) -> Path:
        """Where logs and stores are."""
        return self._options.folder

    async def __aenter__(self) -> Self:
        self._options.folder.mkdir(parents=True, exist_ok=True)
        try:
            await self._start()
        except BaseException:
            await self._parts.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._parts.aclose()

    async def _start(self) -> None:
        folder, options = self._options.folder.resolve(), self._options
        tls, clock = str(folder / "tls"), str(folder / "clock")
        common = ["--tls", tls, "--clock", clock]
        store = ["--store", str(folder / "servicebus.db")] if options.durable else []
        users = str(options.users)
        queues = str(self.topology)
        self.topology.write_text(TOPOLOGY.read_text("utf-8"), "utf-8")
        graph, broker, self.storage = await asyncio.gather(
            self._child("graph", "emulators.graph", *common, "--users", users),
            self._child(
                "servicebus", "emulators.servicebus", "--config", queues, "--clock", clock,
                *store,
            ),
            self._parts.enter_async_context(
                serving(folder / "azurite", durable=options.durable_storage)
            ),
        )  # fmt: skip
        authority = ["--authority", graph["authority"], "--tenant", graph["tenant_id"]]
        events = ["--events-connection", broker["connection_string"]]
        await asyncio.gather(
            self._child(
                "keyvault", "emulators.keyvault", *common, *authority, *events,
                "--events-queue", "vault-events", *self._vault_roles(),
            ),
            self._child(
                "devops", "emulators.devops", *common, *authority, "--directory", graph["admin"]
            ),
        )  # fmt: skip
        if self._options.apart:
            await asyncio.gather(self._host("host", "front"), self._host("worker", "worker"))
        else:
            await self._host("host", "")

    def _vault_roles(self) -> list[str]:
        """In Azure only the worker has a role on the vault."""
        if not self._options.apart:
            return []
        graph = self.children["graph"].ready
        officers = (graph["identities"]["worker"]["client_id"], graph["client_id"])
        given = [part for id_ in officers for part in ("--officer", id_)]
        return ["--default-role", "none", *given]

    async def _child(self, name: str, module: str, *arguments: str) -> dict[str, Any]:
        port = free_port()  # fixed, so that a restarted process is found where it was
        child = Child(
            name, [module, "--port", str(port), *arguments], self._options.folder / f"{name}.log"
        )
        self.children[name] = child
        self._parts.push_async_callback(child.stop)
        return await child.start()

    async def _host(self, name: str, app: str) -> None:
        arguments = [
            self._options.host,
            "--app",
            str(self._options.app.resolve()),
            "--port",
            str(free_port()),
        ]
        arguments += ["--clock", str(self._options.folder.resolve() / "clock")]
        if self._options.auth:
            graph = self.children["graph"].ready
            audience = graph["api_audience"]
            arguments += ["--auth", f"{graph['authority']}/{graph['tenant_id']}"]
            arguments += ["--audience", audience, "--audience", f"api://{audience}"]
        log, environment = self._options.folder / f"{name}.log", self.environment(app)
        if first := self._options.path:
            environment["PYTHONPATH"] = os.pathsep.join(str(path.resolve()) for path in first)
        child = Child(name, arguments, log, environment, self._options.app)
        self.children[name] = child
        self._parts.push_async_callback(child.stop)
        await child.start()

    def environment(self, app: str = "") -> dict[str, str]:
        """Settings of an app, or of both in one: the same names as in Azure, other places."""
        graph, vault = self.children["graph"].ready, self.children["keyvault"].ready
        identity = graph["identities"][app] if app else graph["automation"]
        return {
            **SCHEDULES,
            **_disabled(app),
            "KEYTURN_APP": app,
            "AzureWebJobsStorage": self.storage.connection_string,
            "ServiceBus": self.children["servicebus"].ready["connection_string"],
            "KEYTURN_STORAGE": self.storage.connection_string,
            "KEYTURN_TENANT_ID": graph["tenant_id"],
            "KEYTURN_AUTHORITY": graph["authority"],
            "KEYTURN_GRAPH": graph["graph"],
            "KEYTURN_DEVOPS": self.children["devops"].ready["devops"],
            "KEYTURN_VAULT_URL": vault["vault"],
            "KEYTURN_PACE": str(self._options.pace),
            "KEYTURN_PLATFORM_AUTH": "entra" if self._options.auth else "none",
            "KEYTURN_API_CLIENT_ID": graph["api_audience"],
            "KEYTURN_ONBOARDING_RATE": str(self._options.onboarding_rate),
            "AZURE_TENANT_ID": graph["tenant_id"],
            "AZURE_CLIENT_ID": identity["client_id"],
            "AZURE_CLIENT_SECRET": identity["client_secret"],
            "SSL_CERT_FILE": graph["ca_file"],
            "FUNCTIONS_WORKER_RUNTIME": "python",
        }

    async def restart(self, name: str) -> None:
        """Start a killed or ended process again, at the same port."""
        child = self.children[name]
        await child.stop()
        await child.gone()
        await child.start()

    def state(self) -> dict[str, Any]:
        """Where everything is, as ``python -m emulators up`` writes it."""
        graph, host = self.children["graph"].ready, self.children["host"].ready
        worker = self.children.get("worker", self.children["host"]).ready
        return {
            "functions": host["functions"],
            "worker": worker["functions"],
            "worker_master_key": worker.get("master_key", ""),
            "function_key": host["function_key"],
            "master_key": host.get("master_key", ""),
            "graph": graph["graph"],
            "authority": graph["authority"],
            "tenant_id": graph["tenant_id"],
            "client_id": graph["client_id"],
            "client_secret": graph["client_secret"],
            "api_audience": graph["api_audience"],
            "callers": graph["callers"] if self._options.auth else {},
            "vault": self.children["keyvault"].ready["vault"],
            "devops": self.children["devops"].ready["devops"],
            "devops_admin": self.children["devops"].ready["admin"],
            "vault_admin": self.children["keyvault"].ready["admin"],
            "servicebus_connection_string": self.children["servicebus"].ready["connection_string"],
            "storage_connection_string": self.storage.connection_string,
            "ca_file": graph["ca_file"],
            "admin": graph["admin"],
            "pids": {name: child.pid for name, child in self.children.items()},
        }

    def write_state(self, file: Path) -> None:
        """Write the state in one piece; it holds keys, so only its owner may read it."""
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh = file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(self.state(), indent=2) + "\n")
        fresh.replace(file)


def _disabled(app: str) -> dict[str, str]:
    """The functions of the package that an app does not run, as infra/modules/apps.bicep has it."""
    kinds = json.loads(FUNCTIONS.read_text("utf-8"))
    others = {
        "": [],
        "front": [*kinds["steps"], *kinds["watchers"]],
        "worker": [*kinds["http"], *(name for name in kinds["timers"] if name != CHECKUP)],
    }[app]
    return {f"AzureWebJobs.{name}.Disabled": "true" for name in others}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
