"""Every log line carries the function and the invocation it belongs to."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TextIO

CURRENT: ContextVar[tuple[str, str]] = ContextVar("invocation", default=("", ""))
"""Function name and invocation id; each invocation runs in its own task or thread context."""

STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
ADDED = ("function", "invocation_id")


@contextmanager
def invocation(function: str, invocation_id: str) -> Iterator[None]:
    """Mark all log lines of the block."""
    token = CURRENT.set((function, invocation_id))
    try:
        yield
    finally:
        CURRENT.reset(token)


class Correlate(logging.Filter):
    """Puts function name and invocation id on each record."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.function, record.invocation_id = CURRENT.get()
        return True


def _extra(record: logging.LogRecord) -> dict[str, object]:
    return {k: v for k, v in vars(record).items() if k not in STANDARD and k not in ADDED}


class Text(logging.Formatter):
    """One line for people: time, level, [function invocation], logger, message, extra fields."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        where = f" [{record.function} {record.invocation_id}]" if record.function else ""  # type: ignore[attr-defined]
        extra = "".join(f" {key}={value}" for key, value in _extra(record).items())
        line = f"{at} {record.levelname}{where} {record.name}: {record.getMessage()}{extra}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonLines(logging.Formatter):
    """One JSON object a line, for machines."""

    def format(self, record: logging.LogRecord) -> str:
        document = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "function": getattr(record, "function", ""),
            "invocation_id": getattr(record, "invocation_id", ""),
            **_extra(record),
        }
        if record.exc_info:
            document["exception"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)


def configure(style: str, level: str, stream: TextIO | None = None) -> None:
    """Send all logs to *stream* (stderr); the SDKs' own chatter only from warnings on."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Correlate())
    handler.setFormatter(JsonLines() if style == "json" else Text())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in ("azure", "aiohttp.access", "httpx", "urllib3", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # The link loops log each reconnect themselves; the host logs an outage once.
    logging.getLogger("azure.servicebus").setLevel(logging.CRITICAL)
