"""The configuration file: what is read, and what is refused with which words."""

import json
from typing import Any

import pytest

from emulators.servicebus.config import ConfigError, duration, load
from tests.emulators.servicebus.entities import config_text

QUEUE = {"Name": "q", "Properties": {}}


def _config(queues: list[Any], topics: list[Any] | None = None, **changes: Any) -> dict[str, Any]:
    namespace = {"Name": "sbemulatorns", "Queues": queues, "Topics": topics or [], **changes}
    return {"UserConfig": {"Namespaces": [namespace], "Logging": {"Type": "File"}}}


def test_defaults_of_microsofts_emulator() -> None:
    (queue,) = load(_config([QUEUE])).queues
    assert (queue.lock_duration, queue.max_delivery_count, queue.time_to_live) == (
        60_000, 3, 3_600_000,
    )  # fmt: skip
    assert queue.duplicate_window is None
    assert not queue.requires_session


def test_all_properties() -> None:
    definition = load(config_text())
    queues = {queue.name: queue for queue in definition.queues}
    assert queues["qshort"].lock_duration == 2000
    assert queues["qdup"].duplicate_window == 20_000
    assert queues["qsess"].requires_session
    assert queues["qttl"].dead_lettering_on_expiration
    assert queues["perf"].max_delivery_count == 10
    assert queues["forwarding"].forward_to == "forwarded"
    assert queues["forwarded"].forward_dead_letters_to == "graveyard"
    (topic,) = definition.topics
    assert [(s.queue.name, len(s.rules)) for s in topic.subscriptions] == [
        ("s1", 0), ("s2", 1), ("s3", 1),
    ]  # fmt: skip


def test_comments_are_stripped_but_not_inside_strings() -> None:
    text = "// one\n" + json.dumps(_config([QUEUE])).replace('"File"', '"File" /* // */')
    assert load(text).queues[0].name == "q"
    with pytest.raises(ConfigError, match=r"'a//b//'"):
        load(json.dumps(_config([{"Name": "a//b//"}])))


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [("PT30S", 30_000), ("PT1M", 60_000), ("P1DT2H", 93_600_000), ("PT0.5S", 500)],
)
def test_durations(text: str, milliseconds: int) -> None:
    assert duration(text, "here") == milliseconds


def _rule(kind: str, **content: Any) -> dict[str, Any]:
    rule = {"Name": "r", "Properties": {"FilterType": kind, **content}}
    return {"Name": "t", "Subscriptions": [{"Name": "s", "Rules": [rule]}]}


def _queue(**properties: Any) -> dict[str, Any]:
    return _config([{"Name": "q", "Properties": properties}])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not an object"),
        ({}, "UserConfig"),
        (_config([QUEUE, {"Name": "Q"}]), "occurs twice"),
        (_config([QUEUE], Name="other"), "sbemulatorns"),
        (_config([{"Name": "-q"}]), "valid name"),
        (_config([{"Name": f"q{n}"} for n in range(51)]), "50 are allowed"),
        (_queue(LockDuration="30 s"), "no duration"),
        (_queue(LockDuration="PT6M"), "out of range"),
        (_queue(LockDuration="PT"), "no duration"),
        (_queue(MaxDeliveryCount=11), "from 1 to 10"),
        (_queue(MaxDeliveryCount=0), "from 1 to 10"),
        (_queue(RequiresSession="yes"), "bool"),
        (_queue(Colour="red"), "unknown properties"),
        (_queue(ForwardTo="nowhere"), "does not exist"),
        (_queue(ForwardTo="q"), "circle"),
        (_config([], [{"Name": "t", "Subscriptions": []}]), "1 to 50"),
        (_config([], [_rule("Xml")]), "Correlation or Sql"),
        (_config([], [_rule("Correlation", CorrelationFilter={})]), "at least one field"),
        (_config([], [_rule("Correlation", CorrelationFilter={"Size": "1"})]), "unknown fields"),
        (_config([], [_rule("Sql", SqlFilter={"SqlExpression": "a + 1 = 2"})]), "not supported"),
    ],
)  # fmt: skip
def test_refusals(source: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(source)
