"""Bicep, the emulator and queues.json make the same queues and topics; both read every property."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from infra.check import tree
from infra.check.finding import Finding
from infra.check.source import Repository
from infra.check.topology import QUEUES

EMULATOR = "infra/servicebus-emulator.json"
QUEUE = "Microsoft.ServiceBus/namespaces/queues"
# Property of the service, field of queues.json, property of the emulator.
PROPERTIES = (
    ("requiresSession", "session", "RequiresSession"),
    ("lockDuration", "lockDuration", "LockDuration"),
    ("maxDeliveryCount", "maxDeliveryCount", "MaxDeliveryCount"),
    ("requiresDuplicateDetection", "duplicateDetection", "RequiresDuplicateDetection"),
    (
        "duplicateDetectionHistoryTimeWindow",
        "duplicateDetectionWindow",
        "DuplicateDetectionHistoryTimeWindow",
    ),
    ("defaultMessageTimeToLive", "ttl", "DefaultMessageTimeToLive"),
    (
        "deadLetteringOnMessageExpiration",
        "deadLetterOnExpiration",
        "DeadLetteringOnMessageExpiration",
    ),
)
MOST = {"ttl": "PT1H", "duplicateDetectionWindow": "PT5M"}
"""What the emulator allows at most (Microsoft's page on its limits)."""

PARTS = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


def check(repository: Repository) -> Iterator[Finding]:
    yield from _bicep(repository)
    content = repository.json(QUEUES) or {}
    namespaces = (repository.json(EMULATOR) or {}).get("UserConfig", {}).get("Namespaces", [])
    if len(namespaces) != 1:
        yield Finding(EMULATOR, 1, "emulator", "there is one namespace")
        return
    for kind in ("Queues", "Topics"):
        made = {entry["Name"]: entry["Properties"] for entry in namespaces[0].get(kind, [])}
        wanted = {entry.get("name", ""): entry for entry in content.get(kind.lower(), [])}
        for name in sorted(made.keys() ^ wanted.keys()):
            line = repository.line_of(EMULATOR, f'"{name}"')
            message = f"{kind}: {name} is only in one of {EMULATOR} and {QUEUES}"
            yield Finding(EMULATOR, line, "emulator", message)
        for name in sorted(made.keys() & wanted.keys()):
            for message in _different(made[name], wanted[name]):
                line = repository.line_of(EMULATOR, f'"{name}"')
                yield Finding(EMULATOR, line, "emulator", f"{name}: {message}")


def _bicep(repository: Repository) -> Iterator[Finding]:
    """A property that Bicep does not set has the service's default, whatever the list says."""
    found = False
    for file in repository.bicep.values():
        for resource in file.of("resource"):
            if resource.type != QUEUE or resource.existing:
                continue
            found = True
            for name, field, _ in PROPERTIES:
                node = tree.at(resource.body, f"properties.{name}")
                if node is None or not re.search(rf"\bitem\.\??{field}\b", tree.text(node)):
                    message = f"{name} is not read from {field} of {QUEUES}"
                    line = resource.line if node is None else tree.line(node)
                    yield Finding(file.path, line, "queue-property", message)
    if not found:
        yield Finding("infra/main.bicep", 1, "queue-property", "no queue is made")


def _different(made: dict[str, Any], wanted: dict[str, Any]) -> Iterator[str]:
    for _, field, name in PROPERTIES:
        value = wanted.get(field)
        if value is not None and field in MOST:
            value = min(value, MOST[field], key=_length)
        if field in wanted and made.get(name) != value:
            yield f"{name} is {made.get(name)}, not {value}"


def _length(duration: str) -> timedelta:
    found = PARTS.fullmatch(duration)
    if found is None:
        return timedelta.max
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
