"""Alerts and the workbook ask for what the code emits: names against infra/telemetry.json."""

import re
from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.source import BicepFile, Repository

QUERIES = "infra/queries"
LIST = "infra/telemetry.json"
ALERTS = ("Microsoft.Insights/metricAlerts", "Microsoft.Insights/scheduledQueryRules")
METRIC = re.compile(r'"(keyturn\.[\w.]+)"')
EVENT = re.compile(r'"((?!keyturn\.)[a-z-]+\.[a-z_-]+)"')
ATTRIBUTE = re.compile(r"\bProperties\.(\w+)")
OUTCOME = re.compile(r'\boutcome\)? *(?:[=!]=|!?in) *(\([^)]*\)|"[^"]*")')
QUOTED = re.compile(r'"([^"]*)"')
PLACE = re.compile(r"(?<!\$)\{(\w+)\}")
TABLE = re.compile(r"\bApp[A-Z]\w+")
# Of Application Insights with a workspace: Microsoft's page "Azure Monitor table reference".
TABLES = {"AppMetrics", "AppTraces", "AppRequests", "AppDependencies", "AppExceptions"}
# Microsoft's page "Supported metrics with Azure Monitor".
PLATFORM = {
    "Microsoft.EventGrid/systemTopics": {
        "DeadLetteredCount",
        "DeliveryAttemptFailCount",
        "DeliverySuccessCount",
        "DroppedEventCount",
        "MatchedEventCount",
        "PublishFailCount",
        "PublishSuccessCount",
    },
    "Microsoft.ServiceBus/namespaces": {
        "ActiveMessages",
        "DeadletteredMessages",
        "IncomingMessages",
        "Messages",
        "OutgoingMessages",
        "ScheduledMessages",
        "ServerErrors",
        "ThrottledRequests",
    },
}
# What a person has to be told of: a metric, and in which alert.
TOLD = {
    "DeadletteredMessages": "dead letters",
    "keyturn.credential.nearest_expiry": "secrets that end soon",
    "keyturn.operations": "operations that need a person",
    "keyturn.sweeps": "sweeps that do not come",
    "keyturn.deliveries": "poison messages",
}


def check(repository: Repository) -> Iterator[Finding]:
    loaded: dict[str, str] = {}
    asked: set[str] = set()
    for file in repository.bicep.values():
        loads = {file.beside(path) for path in _loaded(file)}
        loaded |= dict.fromkeys(loads, tree.text(file.root))
        yield from _alerts(file)
        if any(resource.type in ALERTS for resource in file.of("resource")):
            asked |= _platform(file) | {name for load in loads for name in _names(repository, load)}
    for path in sorted((repository.root / QUERIES).glob("*.kql")):
        place = path.relative_to(repository.root).as_posix()
        if place not in loaded:
            yield Finding(place, 1, "query", "no Bicep file loads this query")
        for line, message in _query(repository, path.read_text("utf-8"), loaded.get(place, "")):
            yield Finding(place, line, "telemetry-name", message)
    for metric, about in TOLD.items():
        if metric not in asked:
            yield Finding(QUERIES, 1, "alert-missing", f"no alert on {about} ({metric})")


def _loaded(file: BicepFile) -> Iterator[str]:
    for node in tree.walk(file.root):
        if node.type == "call_expression" and tree.text(tree.parts(node)[0]) == "loadTextContent":
            path = tree.literal(tree.parts(tree.parts(node)[1])[0]) or ""
            if path.endswith(".kql"):
                yield path


def _names(repository: Repository, path: str) -> list[str]:
    text = (repository.root / path).read_text("utf-8") if repository.exists(path) else ""
    return METRIC.findall(text)


def _query(repository: Repository, text: str, user: str) -> Iterator[tuple[int, str]]:
    content = repository.json(LIST) or {}
    metrics, events = content.get("metrics", {}), content.get("events", {})
    fields = {field for name in EVENT.findall(text) for field in events.get(name, [])}
    outcomes: set[str] = set()
    for name in METRIC.findall(text):
        fields.update(metrics.get(name, {}).get("attributes", []))
        outcomes.update(metrics.get(name, {}).get("outcomes", []))
    known = {
        METRIC: (metrics, "the code emits no metric"),
        EVENT: (events, "the code emits no event"),
        ATTRIBUTE: (fields, "what is asked for has no attribute"),
        TABLE: (TABLES, "there is no table"),
        PLACE: (set(PLACE.findall(user)), "nothing is put in the place of"),
    }
    if text.count("(") != text.count(")") or text.count('"') % 2:
        yield 1, "brackets or quotes do not match"
    for number, line in enumerate(text.splitlines(), 1):
        for value in QUOTED.findall(" ".join(OUTCOME.findall(line))):
            if value not in outcomes:
                yield number, f"what is asked for has no outcome {value}"
        for pattern, (names, wrong) in known.items():
            for name in pattern.findall(line):
                if name not in names:
                    yield number, f"{wrong} {name}"


def _platform(file: BicepFile) -> set[str]:
    return {name for _, name, _ in _criteria(file)}


def _criteria(file: BicepFile) -> Iterator[tuple[str, str, tree.Node]]:
    for node in tree.walk(file.root):
        if node.type == "object" and (named := tree.at(node, "metricName")) is not None:
            yield (
                tree.literal(tree.at(node, "metricNamespace")) or "",
                tree.literal(named) or "",
                named,
            )


def _alerts(file: BicepFile) -> Iterator[Finding]:
    for kind, name, node in _criteria(file):
        if name not in PLATFORM.get(kind, set()):
            message = f"{kind or 'no namespace'} has no metric {name}"
            yield Finding(file.path, tree.line(node), "telemetry-name", message)
    for resource in file.of("resource"):
        if resource.type in ALERTS and tree.at(resource.body, "properties.actions") is None:
            message = f"{resource.name} calls no action group"
            yield Finding(file.path, resource.line, "alert-action", message)
