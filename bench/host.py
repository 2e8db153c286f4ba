"""The functions host, writing down how long each invocation and each call to a service took.

``python -m bench.host`` takes the options of ``emulators.host``; the spans go to the file that
``BENCH_SPANS`` names. It wraps what all SDKs send through: httpx, aiohttp, and the sender of
Service Bus.
"""

import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlsplit

import aiohttp
import httpx
import msgspec
from azure.servicebus.aio import ServiceBusSender

from bench.spans import INVOCATION, Span
from emulators.host import logs
from emulators.host.__main__ import main
from emulators.host.context import Call
from emulators.host.function import Function
from emulators.host.invoke import Converters, Outcome

VARIABLE = "BENCH_SPANS"


class Spans:
    """Appends finished spans to a file."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._graph = urlsplit(os.environ["KEYTURN_GRAPH"]).netloc
        self._vault = urlsplit(os.environ["KEYTURN_VAULT_URL"]).netloc

    def note(self, kind: str, start: float, function: str = "") -> None:
        span = Span(
            kind=kind, start=start, end=time.time(), function=function or logs.CURRENT.get()[0]
        )
        self._file.write(msgspec.json.encode(span).decode() + "\n")
        self._file.flush()

    def kind(self, url: str) -> str:
        parts = urlsplit(url)
        if parts.netloc == self._vault:
            return "vault"
        if parts.netloc != self._graph:
            return "storage"
        if parts.path.startswith("/v1.0/"):
            return "graph"
        return "token" if parts.path.endswith("/token") else "sign-in document"


class Timed(Converters):
    """Dispatch core that times each invocation."""

    def __init__(self, spans: Spans) -> None:
        super().__init__()
        self._spans = spans

    async def invoke(self, function: Function, call: Call) -> Outcome:
        start = time.time()
        try:
            return await super().invoke(function, call)
        finally:
            self._spans.note(INVOCATION, start, function.name)


def wrap(owner: type, name: str, spans: Spans, kind: Callable[..., str]) -> None:
    """Time every call of a method."""
    inner: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def timed(*given: Any, **named: Any) -> Any:
        start = time.time()
        try:
            return await inner(*given, **named)
        finally:
            spans.note(kind(*given, **named), start)

    setattr(owner, name, timed)


def run() -> int:
    with Path(os.environ[VARIABLE]).open("a", encoding="utf-8") as file:
        spans = Spans(file)
        wrap(
            httpx.AsyncClient, "send", spans, lambda _, request, **__: spans.kind(str(request.url))
        )
        wrap(
            aiohttp.ClientSession, "_request", spans, lambda _, __, url, **___: spans.kind(str(url))
        )
        wrap(ServiceBusSender, "send_messages", spans, lambda *_, **__: "queue")
        return main(dispatcher=lambda: Timed(spans))


if __name__ == "__main__":
    sys.exit(run())
