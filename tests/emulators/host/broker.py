"""The Service Bus emulator as a process, and what tests do with it through the real SDK."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from azure.servicebus import ServiceBusClient, ServiceBusMessage

from tests.emulators.host.process import ROOT, environment

KEY = "SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=SAS_KEY_VALUE"


def queue(name: str, *, sessions: bool = False, lock: str = "PT30S") -> dict[str, Any]:
    properties = {"RequiresSession": sessions, "LockDuration": lock, "MaxDeliveryCount": 3}
    return {"Name": name, "Properties": properties}


def topic(name: str, subscription: str) -> dict[str, Any]:
    return {"Name": name, "Subscriptions": [{"Name": subscription, "Properties": {}}]}


class Broker:
    """Keeps its links open: each costs the SDK half a second."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self.port: int = json.loads(process.stdout.readline())["port"]
        self._process = process
        self._stack = ExitStack()
        self._links: dict[str, Any] = {}

    @property
    def connection_string(self) -> str:
        return f"Endpoint=sb://127.0.0.1:{self.port};{KEY};UseDevelopmentEmulator=true;"

    def _link(self, method: str, entity: str, options: Mapping[str, Any]) -> Any:
        name = f"{method} {entity} {options}"
        if "client" not in self._links:
            client = ServiceBusClient.from_connection_string(self.connection_string)
            self._links["client"] = self._stack.enter_context(client)
        if name not in self._links:
            link = getattr(self._links["client"], method)(entity, **options)
            self._links[name] = self._stack.enter_context(link)
        return self._links[name]

    def send(self, entity: str, body: bytes | str, *, topic: bool = False, **fields: Any) -> None:
        method = "get_topic_sender" if topic else "get_queue_sender"
        self._link(method, entity, {}).send_messages(ServiceBusMessage(body, **fields))

    def waiting(self, entity: str, **options: Any) -> int:
        """How many messages an entity holds, locked ones too."""
        link = self._link("get_queue_receiver", entity, options)
        return len(link.peek_messages(max_message_count=10, sequence_number=1))

    def receive(self, entity: str) -> Any:
        """The next message, locked."""
        link = self._link("get_queue_receiver", entity, {})
        return next(iter(link.receive_messages(max_message_count=1, max_wait_time=0.2)), None)

    def stop(self) -> None:
        """End the links, then the process; once is enough."""
        self._links.clear()
        self._stack.close()
        self._process.terminate()
        self._process.wait(20)


@contextmanager
def broker(
    folder: Path, queues: list[dict[str, Any]], topics: Any = (), port: int = 0
) -> Iterator[Broker]:
    """Run the emulator with these entities."""
    config = folder / "broker.json"
    namespace = {"Name": "sbemulatorns", "Queues": queues, "Topics": list(topics)}
    config.write_text(
        json.dumps({"UserConfig": {"Namespaces": [namespace], "Logging": {"Type": "Console"}}})
    )
    arguments = ["--config", str(config), "--port", str(port)]
    process = subprocess.Popen(
        [sys.executable, "-m", "emulators.servicebus", *arguments],
        cwd=ROOT,
        env=environment({}),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        bus = Broker(process)
        try:
            yield bus
        finally:
            bus.stop()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()  # type: ignore[union-attr]
