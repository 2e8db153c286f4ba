"""The generated JSON that Bicep and the emulator read: queues and topics, functions, tables."""

import re
from collections.abc import Iterator
from typing import Any

from infra.check.finding import Finding
from infra.check.source import Repository

QUEUES = "infra/queues.json"
FUNCTIONS = "infra/functions.json"
TABLES = "infra/tables.json"

QUEUE_FIELDS: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "session": bool,
    "lockDuration": str,
    "maxDeliveryCount": int,
    "duplicateDetection": bool,
    "duplicateDetectionWindow": (str, type(None)),
    "ttl": str,
    "deadLetterOnExpiration": bool,
}
# Named in main.bicep; True if messages arrive without a session id, from other systems.
NEEDED = {"provisioning": True, "vault-events": True, "refused": True}
DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
LOCK = re.compile(r"PT([1-5]M|[1-9]\d?S)")  # the service allows five minutes at most
# A hyphen is no letter of an app setting on Linux, so AzureWebJobs.NAME.Disabled could not be set.
FUNCTION = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
TABLE = re.compile(r"[A-Za-z][A-Za-z0-9]{2,62}")


def check(repository: Repository) -> Iterator[Finding]:
    for path, rule, messages in (
        (QUEUES, "queues", _queues(repository.json(QUEUES) or {})),
        (FUNCTIONS, "functions", _functions(repository.json(FUNCTIONS) or {})),
        (TABLES, "tables", _tables(repository.json(TABLES) or {})),
    ):
        for word, message in messages:
            yield Finding(path, repository.line_of(path, f'"{word}"'), rule, message)


def _queues(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    queues = {queue.get("name", ""): queue for queue in content.get("queues", [])}
    if len(queues) != len(content.get("queues", [])):
        yield "queues", "two queues have one name"
    for name, sessionless in NEEDED.items():
        if name not in queues:
            yield "queues", f"main.bicep needs the queue {name}"
        elif sessionless and queues[name].get("session"):
            yield name, f"{name} gets messages without session id"
    for name, queue in queues.items():
        yield from ((name, f"queue {name}: {wrong}") for wrong in _queue(queue))


def _queue(queue: dict[str, Any]) -> Iterator[str]:
    for field, kind in QUEUE_FIELDS.items():
        if field not in queue or not isinstance(queue[field], kind):
            yield f"{field} is missing or of the wrong type"
    for field in queue.keys() - QUEUE_FIELDS.keys():
        yield f"{field} is not read by Bicep"
    if not LOCK.fullmatch(str(queue.get("lockDuration"))):
        yield "lockDuration is above five minutes or no duration"
    if not DURATION.fullmatch(str(queue.get("ttl"))):
        yield "ttl is no duration"


def _functions(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kinds = {"http", "timers", "steps", "watchers"}
    if content.keys() != kinds:
        yield "http", f"the keys are {', '.join(sorted(kinds))}"
    names = [name for kind in sorted(content) for name in content[kind]]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield name, f"function {name} is listed twice"
    for name in names:
        if not FUNCTION.fullmatch(name):
            yield name, f"function {name}: letters, digits and _ only, else it cannot be disabled"


def _tables(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name in content.get("tables", []):
        if not TABLE.fullmatch(name):
            yield name, f"table {name}: 3 to 63 letters and digits"
