"""Telemetry of both apps, as a collector gets it from their processes."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from emulators.stack import Cloud, Options
from shared.telemetry.event_names import BOUND, EVENTS
from shared.telemetry.metric_names import METRICS
from shared.telemetry.span_names import SPANS
from tests.collector import Collector, Span, collecting
from tests.end_to_end.local import Local, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"

SLOW = 300.0
"""Seconds for a whole chain, with the locks of a killed process to wait for, on a busy machine."""

SOON = {
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_BLRP_SCHEDULE_DELAY": "100",
    "OTEL_METRIC_EXPORT_INTERVAL": "500",
}
"""The standard's variables, in milliseconds."""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as found, pytest.MonkeyPatch.context() as environment:
        environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", found.url)
        for name, value in SOON.items():
            environment.setenv(name, value)
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def observed(
    collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Local]:
    folder = tmp_path_factory.mktemp("observed")
    async with (
        Cloud(Options(folder=folder, users=60, apart=True, durable=True)) as cloud,
        Local(cloud) as local,
    ):
        yield local


async def onboarded(local: Local, name: str, **headers: str) -> str:
    """Ask for a product that nobody has to approve; answers the operation's id."""
    body = {"name": name, "profile": "bitwarden-directory-connector"}
    answer = await local.call("POST", "/api/connections", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["operation"])


def of(collector: Collector, operation: str) -> list[Span]:
    return [span for span in collector.spans() if span.attributes.get("operation") == operation]


async def ended(collector: Collector, operation: str) -> list[Span]:
    """All spans of an operation, once that of its last step has come."""

    async def check() -> list[Span]:
        found = of(collector, operation)
        done = [s for s in found if s.name == "step report" and s.attributes["outcome"] == "done"]
        return found if done else []

    found: list[Span] = await until(f"the last span of {operation}", check, SLOW)
    return found


async def test_one_trace_over_both_apps_and_a_killed_worker(
    observed: Local, collector: Collector
) -> None:
    operation = await onboarded(
        observed, "bitwarden-one", traceparent=f"00-{CALLER}-00f067aa0ba902b7-00"
    )

    async def begun() -> bool:
        return bool(await observed.applications("bitwarden-one"))

    await until("the application", begun)
    worker = observed.cloud.children["worker"]
    worker.kill()
    await worker.gone()
    await observed.cloud.restart("worker")
    spans = await ended(collector, operation)
    assert {span.trace for span in spans} == {CALLER}
    (start,) = [span for span in spans if span.name == "start onboard"]
    steps = [span for span in spans if span.name.startswith("step ")]
    assert {span.parent for span in steps} == {start.id}
    (asked,) = [span for span in spans if span.name == "call create_connection"]
    front = str(observed.cloud.children["host"].pid)
    assert start.parent == asked.id and asked.process == start.process == front
    assert front not in {span.process for span in steps}
    assert steps[-1].process == str(observed.cloud.children["worker"].pid)  # the second one
    # What was done outside is below what it was done for.
    known = {span.id: span for span in collector.spans()}
    graph = [span for span in known.values() if span.name.startswith("graph ")]
    inside = [known[span.parent] for span in graph if span.parent in known]
    assert any(span.name == "step registration" for span in inside)
    assert {span.trace for span in graph if known.get(span.parent, span).trace == CALLER} == {
        CALLER
    }
    kinds = {span.name.split(" ")[0] for span in known.values() if span.trace == CALLER}
    assert {"graph", "vault", "storage", "send", "sign-in", "step", "start", "call"} <= kinds


async def test_nothing_but_what_is_listed_and_no_secret_leaves(
    observed: Local, collector: Collector, tmp_path: Path
) -> None:
    operation = await onboarded(observed, "bitwarden-two")
    await ended(collector, operation)
    rotation = await observed.call("POST", "/api/connections/bitwarden-two/rotation", json={})
    await ended(collector, str(rotation.json()["operation"]))

    async def measured() -> bool:
        wanted = {"keyturn.operations", "keyturn.rotation.lead_time", "keyturn.queue.age"}
        return wanted <= collector.metrics()

    await until("the metrics", measured)
    assert collector.metrics() <= METRICS.keys()
    for span in collector.spans():
        kind = span.name.split(" ")[0]
        assert span.attributes.keys() <= set(SPANS[kind].attributes), span.name
    for told in collector.events():
        fields = {"event", "where", *EVENTS[told["event"]], *BOUND}
        assert told.keys() <= fields, told["event"]
    state = observed.state
    environment = observed.cloud.environment("front") | observed.cloud.environment("worker")
    secrets = {
        *(await observed.control("secrets"))["secrets"],
        *(row["value"] for row in await observed.control("secrets", vault=True)),
        state["function_key"],
        state["client_secret"],
        environment["AZURE_CLIENT_SECRET"],
        *(part for part in environment["KEYTURN_STORAGE"].split(";") if "AccountKey" in part),
    }
    text = collector.text
    assert len(secrets) > 5 and [secret for secret in secrets if secret and secret in text] == []
    assert re.findall(r"[\w.+-]+@[\w-]+\.\w+", text) == []  # names of people
    assert "eyJ" not in text  # how every token begins
