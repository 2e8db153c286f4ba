"""The real exporters in processes of their own: what is sent, and that nobody waits for it."""

import asyncio
import os
import socket
import sys
from pathlib import Path

from tests.collector import collecting

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
from shared import bootstrap, telemetry
if "flush" in sys.argv:
    from shared.adapters.telemetry_export import start
    from shared.settings import exporting
    flush = start(exporting())
else:
    bootstrap.observe()
work = telemetry.Work(operation="op-1", connection="dvls", kind="rotate")
with telemetry.started(work, fresh=True) as trace:
    telemetry.event("operation.started", kind="rotate", connection="dvls", operation="op-1")
telemetry.add("keyturn.dead_letters", queue="consent", reason="x")
for _ in range(5000):
    telemetry.add("keyturn.dead_letters", queue="consent", reason="x")
    with telemetry.asked("vault", "GET", {"entity": "secrets"}):
        pass
if "flush" in sys.argv:
    flush()
print(trace, "|", *(name for name in sys.modules if "exporter" in name or name == "opentelemetry"))
"""


async def run(*arguments: str, **settings: str) -> str:
    """What the program prints; it ends by itself, and well. *flush* waits until all is sent."""
    known = {name: value for name, value in os.environ.items() if "OTEL" not in name}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM, *arguments),
        cwd=ROOT,
        env={**known, **settings},
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_a_collector_gets_spans_metrics_and_events() -> None:
    with collecting() as found:
        said = await run(
            "flush", OTEL_EXPORTER_OTLP_ENDPOINT=found.url, WEBSITE_SITE_NAME="func-worker"
        )
        (start,) = [span for span in found.spans() if span.name == "start rotate"]
        assert start.trace == said.split("-")[1]
        assert start.attributes == {"operation": "op-1", "connection": "dvls", "kind": "rotate"}
        assert start.resource["service.name"] == "func-worker"
        assert "keyturn.dead_letters" in found.metrics()
        (told,) = [each for each in found.events() if each["event"] == "operation.started"]
        assert told["operation"] == "op-1"


async def test_without_a_destination_nothing_is_loaded_or_sent() -> None:
    said = await run()
    assert said.strip() == "|"


async def test_a_collector_that_is_away_breaks_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        said = await run(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    assert said.startswith("00-")


async def test_a_collector_that_never_answers_breaks_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        said = await run(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    assert said.startswith("00-")


async def test_a_destination_that_is_malformed_breaks_nothing() -> None:
    said = await run(APPLICATIONINSIGHTS_CONNECTION_STRING="no connection string")
    assert said.startswith("00-")


async def test_application_insights_gets_the_same() -> None:
    """Its exporter speaks to any address; what it sends is its own affair."""
    with collecting() as found:
        key = "00000000-0000-4000-8000-000000000000"
        said = await run(
            "flush",
            APPLICATIONINSIGHTS_CONNECTION_STRING=f"InstrumentationKey={key};"
            f"IngestionEndpoint={found.url}",
            APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL="true",
            APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED="true",
        )
        text = found.text
    assert said.split("-")[1] in text
    for wanted in ("start rotate", "keyturn.dead_letters", "operation.started", "op-1"):
        assert wanted in text, wanted
