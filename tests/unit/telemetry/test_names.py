"""What is emitted is listed, and what is listed is emitted: the code's calls against the lists."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.telemetry.event_names import BOUND, EVENTS, UNLISTED
from shared.telemetry.metric_names import METRICS
from shared.telemetry.span_names import SPANS

ROOT = Path(__file__).parents[3]
WHERE = ("shared", "functions")

DYNAMIC = {
    "operation": {"operation.succeeded", "operation.needs-attention", "operation.superseded"},
}
"""Events whose name is put together, by what it begins with."""

UCUM = re.compile(r"s|d|\{[a-z_]+\}(/s)?")


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for folder in WHERE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text("utf-8"))


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                name = node.func.id if isinstance(node.func, ast.Name) else name
                if name in names and node.args:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def said(node: ast.expr) -> set[str]:
    """The texts that an argument may be; empty where only running it shows."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return said(node.body) | said(node.orelse)
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        return DYNAMIC.get(str(node.values[0].value).partition(".")[0], set())
    return set()


def emitted() -> set[str]:
    """Every text in the code that is an event's name, or may be a part of one."""
    texts = {
        node.value
        for path, tree in sources()
        if path.name != "event_names.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return texts | {name for names in DYNAMIC.values() for name in names}


def test_every_event_is_listed_with_its_fields() -> None:
    wrong = []
    for place, call in calls("event"):
        for name in said(call.args[0]):
            fields = {word.arg for word in call.keywords} - {"level", "raised", None}
            unlisted = fields - {*EVENTS.get(name, ()), *BOUND}
            if name not in EVENTS or unlisted:
                wrong.append((place, name, sorted(unlisted)))
    assert wrong == []


def test_every_change_on_record_is_listed() -> None:
    """Its fields need not be: what is not listed is in the audit history alone."""
    wrong = [
        (place, name)
        for place, call in calls("record")
        for name in said(call.args[0])
        if name not in EVENTS
    ]
    assert wrong == []


def test_no_event_is_listed_for_nothing() -> None:
    assert sorted(EVENTS.keys() - emitted() - {UNLISTED}) == []


@pytest.mark.parametrize("listed", [EVENTS, {name.removeprefix("keyturn."): 0 for name in METRICS}])
def test_names_are_lower_case_words(listed: dict[str, object]) -> None:
    form = re.compile(r"[a-z]+(-[a-z]+)*\.[a-z]+([_-][a-z]+)*(\.[a-z_]+)?|[a-z_]+")
    assert [name for name in listed if not form.fullmatch(name)] == []


def test_every_metric_is_listed_with_its_attributes_and_recorded_as_its_kind() -> None:
    kinds = {"add": "counter", "measure": "histogram", "show": "gauge"}
    seen: set[str] = set()
    wrong = []
    for place, call in calls(*kinds):
        for name in (text for text in said(call.args[0]) if text.startswith("keyturn.")):
            seen.add(name)
            function = call.func
            word = function.attr if isinstance(function, ast.Attribute) else ""
            given = {keyword.arg for keyword in call.keywords}
            metric = METRICS.get(name)
            listed = given if metric is None or word == "show" else set(metric.attributes)
            if metric is None or metric.kind != kinds[word] or given != listed:
                wrong.append((place, name))
    assert wrong == [] and seen == METRICS.keys()


def test_units_are_ucum_and_only_one_gauge_names_connections() -> None:
    assert [name for name, metric in METRICS.items() if not UCUM.fullmatch(metric.unit)] == []
    named = [name for name, metric in METRICS.items() if "connection" in metric.attributes]
    assert named == ["keyturn.credential.nearest_expiry"]
    unbounded = {"operation", "message", "key_id", "url", "error", "name"}
    assert [name for name, m in METRICS.items() if unbounded & set(m.attributes)] == []


def test_every_kind_of_span_is_listed() -> None:
    kinds = {name for _, call in calls("span", "asked") for name in said(call.args[0])}
    kinds |= {name for _, call in calls("TracedTransport") for name in said(call.args[0])}
    kinds |= {name for _, call in calls("sent") for name in said(call.args[1])}
    assert kinds == SPANS.keys()


def test_every_outcome_is_listed_and_none_for_nothing() -> None:
    noted = {
        text
        for _, call in calls("note", "count")
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in ("outcome", "done")
        for text in said(call.args[0])
    }
    named = {
        text
        for _, call in calls("add", "measure", "note", "ended")
        for word in call.keywords
        if word.arg == "outcome"
        for text in said(word.value)
    }
    listed = {value for metric in METRICS.values() for value in metric.outcomes}
    assert noted | named <= listed <= emitted()
    with_outcome = {name for name, metric in METRICS.items() if "outcome" in metric.attributes}
    assert with_outcome == {name for name, metric in METRICS.items() if metric.outcomes}
