"""Reads the config.json of Microsoft's Service Bus emulator, comments included."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from emulators.servicebus.broker.correlation import FIELDS, correlation_filter
from emulators.servicebus.broker.definitions import (
    NamespaceDefinition,
    QueueDefinition,
    Rule,
    SubscriptionDefinition,
    TopicDefinition,
)
from emulators.servicebus.broker.message import Message
from emulators.servicebus.broker.sql import UnsupportedFilterError, sql_filter

NAMESPACE = "sbemulatorns"
MAX_ENTITIES, MAX_SUBSCRIPTIONS, MAX_RULES = 50, 50, 1000
_NAME = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][\w./-]*[A-Za-z0-9]")
_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?",
)
_SECONDS = (31_536_000, 2_592_000, 86_400, 3600, 60, 1)
_LOGGING = {"File", "Console", "File,Console", "Console,File"}
# A comment, or a string that may contain what looks like one.
_COMMENT = re.compile(r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


class ConfigError(ValueError):
    """The configuration is wrong; the message says where."""


def load(source: Path | str | Mapping[str, Any]) -> NamespaceDefinition:
    """Answer the entities of a config file, of its text, or of its content."""
    user = _get(_content(source), "UserConfig", dict, "the configuration")
    logging = _get(_get(user, "Logging", dict, "UserConfig"), "Type", str, "Logging")
    if logging not in _LOGGING:
        raise ConfigError(f"Logging.Type must be one of {sorted(_LOGGING)}, not {logging!r}")
    namespaces = _get(user, "Namespaces", list, "UserConfig")
    if len(namespaces) != 1 or namespaces[0].get("Name") != NAMESPACE:
        raise ConfigError(f"there must be exactly one namespace, named {NAMESPACE!r}")
    namespace = namespaces[0]
    queues = tuple(_queue(each, "queue") for each in namespace.get("Queues") or [])
    topics = tuple(_topic(each) for each in namespace.get("Topics") or [])
    names = [queue.name for queue in queues] + [topic.name for topic in topics]
    if len(names) > MAX_ENTITIES:
        raise ConfigError(f"there are {len(names)} queues and topics, {MAX_ENTITIES} are allowed")
    _unique(names, "queues and topics")
    definition = NamespaceDefinition(queues, topics)
    _check_forwarding(definition)
    return definition


def _content(source: Path | str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    text = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source
    try:
        content = json.loads(_COMMENT.sub(lambda found: found[1] or "", text))
    except json.JSONDecodeError as error:
        raise ConfigError(f"the configuration is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError("the configuration is not an object")
    return content


def duration(text: str, where: str) -> int:
    """Answer an ISO 8601 duration in milliseconds."""
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith(("P", "T")):
        raise ConfigError(f"{where}: {text!r} is no duration like PT30S")
    parts = zip(found.groups(), _SECONDS, strict=True)
    return round(1000 * sum(float(number) * unit for number, unit in parts if number))


def _get(source: Mapping[str, Any], key: str, kind: type, where: str) -> Any:
    value = source.get(key)
    if not isinstance(value, kind):
        raise ConfigError(f"{where} needs {key} ({kind.__name__})")
    return value


def _name(source: Mapping[str, Any], where: str) -> str:
    name = _get(source, "Name", str, where)
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is no valid name of a {where}")
    return str(name)


def _unique(names: Iterable[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ConfigError(f"{name!r} occurs twice among the {where}")
        seen.add(name.lower())


# Property -> field of QueueDefinition.
_QUEUE_PROPERTIES = {
    "LockDuration": "lock_duration",
    "MaxDeliveryCount": "max_delivery_count",
    "DefaultMessageTimeToLive": "time_to_live",
    "DeadLetteringOnMessageExpiration": "dead_lettering_on_expiration",
    "RequiresSession": "requires_session",
    "ForwardTo": "forward_to",
    "ForwardDeadLetteredMessagesTo": "forward_dead_letters_to",
}
_HISTORY = ("RequiresDuplicateDetection", "DuplicateDetectionHistoryTimeWindow")
_LONGEST = {"LockDuration": 300_000, "DuplicateDetectionHistoryTimeWindow": 300_000}


def _read(properties: Mapping[str, Any], key: str, where: str) -> Any:
    """Answer a property with its type checked; the emulator's minimums for times are relaxed."""
    value = properties[key]
    place = f"{where}: {key}"
    if key in {"LockDuration", "DefaultMessageTimeToLive", "DuplicateDetectionHistoryTimeWindow"}:
        if not isinstance(value, str):
            raise ConfigError(f"{place} must be a duration")
        time = duration(value, place)
        if not 0 < time <= _LONGEST.get(key, time):
            raise ConfigError(f"{place} is out of range: {value}")
        return time
    if key == "MaxDeliveryCount":
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 10:
            raise ConfigError(f"{place} must be a number from 1 to 10, not {value!r}")
        return value
    kind = str if key.startswith("Forward") else bool
    if not isinstance(value, kind):
        raise ConfigError(f"{place} must be of type {kind.__name__}, not {value!r}")
    return value


def _properties(source: Mapping[str, Any], allowed: Iterable[str], where: str) -> dict[str, Any]:
    properties = source.get("Properties") or {}
    unknown = sorted(properties.keys() - set(allowed))
    if unknown:
        raise ConfigError(f"{where}: unknown properties {unknown}")
    return {key: _read(properties, key, where) for key in properties if properties[key] is not None}


def _window(values: Mapping[str, Any]) -> int | None:
    wanted, window = _HISTORY
    return int(values.get(window, 20_000)) if values.get(wanted) else None


def _queue(source: Mapping[str, Any], kind: str) -> QueueDefinition:
    name = _name(source, kind)
    extra = _HISTORY if kind == "queue" else ()
    values = _properties(source, (*_QUEUE_PROPERTIES, *extra), f"{kind} {name!r}")
    fields = {_QUEUE_PROPERTIES[k]: v for k, v in values.items() if k in _QUEUE_PROPERTIES}
    return QueueDefinition(name=name, duplicate_window=_window(values), **fields)


def _topic(source: Mapping[str, Any]) -> TopicDefinition:
    name = _name(source, "topic")
    values = _properties(source, ("DefaultMessageTimeToLive", *_HISTORY), f"topic {name!r}")
    given = _get(source, "Subscriptions", list, f"topic {name!r}")
    if not 1 <= len(given) <= MAX_SUBSCRIPTIONS:
        raise ConfigError(f"topic {name!r} must have 1 to {MAX_SUBSCRIPTIONS} subscriptions")
    subscriptions = tuple(_subscription(each) for each in given)
    _unique((each.queue.name for each in subscriptions), f"subscriptions of {name!r}")
    return TopicDefinition(
        name=name,
        time_to_live=values.get("DefaultMessageTimeToLive", 3_600_000),
        duplicate_window=_window(values),
        subscriptions=subscriptions,
    )


def _subscription(source: Mapping[str, Any]) -> SubscriptionDefinition:
    queue = _queue(source, "subscription")
    rules = source.get("Rules") or []
    if len(rules) > MAX_RULES:
        raise ConfigError(f"subscription {queue.name!r} has more than {MAX_RULES} rules")
    return SubscriptionDefinition(queue, tuple(_rule(each) for each in rules))


def _rule(source: Mapping[str, Any]) -> Rule:
    name = _name(source, "rule")
    where = f"rule {name!r}"
    properties = _get(source, "Properties", dict, where)
    kind = _get(properties, "FilterType", str, where)
    if properties.get("Action"):
        raise ConfigError(f"{where}: actions are not supported")
    if kind == "Correlation":
        fields = _get(properties, "CorrelationFilter", dict, where)
        return Rule(name, _correlation(fields, where))
    if kind == "Sql":
        text = _get(_get(properties, "SqlFilter", dict, where), "SqlExpression", str, where)
        try:
            return Rule(name, sql_filter(text))
        except UnsupportedFilterError as error:
            raise ConfigError(f"{where}: {error}") from error
    raise ConfigError(f"{where}: FilterType must be Correlation or Sql, not {kind!r}")


def _correlation(source: Mapping[str, Any], where: str) -> Callable[[Message], bool]:
    fields = {key: value for key, value in source.items() if key != "Properties" and value}
    application = source.get("Properties") or {}
    unknown = sorted(fields.keys() - FIELDS.keys())
    if unknown:
        raise ConfigError(f"{where}: unknown fields {unknown}")
    if not fields and not application:
        raise ConfigError(f"{where}: a correlation filter needs at least one field")
    return correlation_filter(fields, application)


def _check_forwarding(definition: NamespaceDefinition) -> None:
    """Refuse unknown targets and circles: a circle would forward for ever."""
    edges: dict[str, list[str]] = {each.name.lower(): [] for each in definition.queues}
    edges |= {each.name.lower(): [] for each in definition.topics}
    owners = [(each.name, each) for each in definition.queues]
    for topic in definition.topics:
        owners += [(topic.name, each.queue) for each in topic.subscriptions]
    for owner, queue in owners:
        for target in filter(None, (queue.forward_to, queue.forward_dead_letters_to)):
            if target.lower() not in edges:
                raise ConfigError(f"{queue.name!r} forwards to {target!r}, which does not exist")
            edges[owner.lower()].append(target.lower())
    for start in edges:
        seen, ahead = set(), list(edges[start])
        while ahead:
            here = ahead.pop()
            if here == start:
                raise ConfigError(f"forwarding goes round in a circle at {start!r}")
            if here not in seen:
                seen.add(here)
                ahead += edges[here]
