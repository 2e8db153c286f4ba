"""A collector of telemetry: takes OTLP as JSON, and keeps it."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Span:
    """As it came, its attributes as plain values."""

    name: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    resource: dict[str, Any]

    @property
    def process(self) -> str:
        return str(self.resource["service.instance.id"])


@dataclass
class Collector:
    """What has come so far, by signal."""

    url: str
    bodies: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return json.dumps(self.bodies)

    def spans(self) -> list[Span]:
        return [
            Span(
                name=span["name"],
                trace=span["traceId"].lower(),
                id=span["spanId"].lower(),
                parent=span.get("parentSpanId", "").lower(),
                attributes=_plain(span.get("attributes", [])),
                resource=_plain(each["resource"].get("attributes", [])),
            )
            for each in self._all("/v1/traces", "resourceSpans")
            for scope in each["scopeSpans"]
            for span in scope["spans"]
        ]

    def events(self) -> list[dict[str, Any]]:
        return [
            _plain(record.get("attributes", []))
            for each in self._all("/v1/logs", "resourceLogs")
            for scope in each["scopeLogs"]
            for record in scope["logRecords"]
        ]

    def metrics(self) -> set[str]:
        return {
            metric["name"]
            for each in self._all("/v1/metrics", "resourceMetrics")
            for scope in each["scopeMetrics"]
            for metric in scope["metrics"]
        }

    def _all(self, path: str, key: str) -> list[Any]:
        return [each for body in list(self.bodies.get(path, ())) for each in body.get(key, ())]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                data = gzip.decompress(data)
            found.bodies.setdefault(self.path, []).append(json.loads(data))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _plain(attributes: list[Any]) -> dict[str, Any]:
    return {each["key"]: next(iter(each["value"].values()), "") for each in attributes}
