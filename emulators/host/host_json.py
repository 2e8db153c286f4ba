"""host.json: the options this host honours, with the defaults of the Azure host."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulators.host.errors import HostStartError

TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?")


def timespan(text: str) -> float | None:
    """Seconds of a .NET TimeSpan; ``-1`` means without limit and answers None."""
    if text == "-1":
        return None
    match = TIMESPAN.fullmatch(text)
    if match is None:
        raise HostStartError(f"host.json: '{text}' is not a time span (hh:mm:ss)")
    days, hours, minutes, seconds, fraction = match.groups()
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return whole + float(f"0.{fraction or 0}")


@dataclass(frozen=True)
class ServiceBusOptions:
    """``extensions.serviceBus``; defaults as in ServiceBusOptions of the Azure extension."""

    prefetch_count: int = 0
    auto_complete: bool = True
    max_auto_lock_renewal: float = 300.0
    max_concurrent_calls: int = 16 * (os.cpu_count() or 1)
    max_concurrent_sessions: int = 8
    session_idle_timeout: float | None = None


@dataclass(frozen=True)
class HostOptions:
    """What host.json says."""

    route_prefix: str = "api"
    custom_headers: Mapping[str, str] = field(default_factory=dict)
    """Of every answer."""
    function_timeout: float | None = 1800.0
    service_bus: ServiceBusOptions = ServiceBusOptions()


def read(folder: Path) -> HostOptions:
    """Read ``host.json`` of an app; the host does not start without one."""
    file = folder / "host.json"
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise HostStartError(f"host.json cannot be read: {error}") from error
    return parse(document)


def parse(document: Mapping[str, Any]) -> HostOptions:
    """Turn the JSON into options."""
    if document.get("version") != "2.0":
        raise HostStartError('host.json: "version" must be "2.0"')
    extensions = document.get("extensions") or {}
    http = extensions.get("http") or {}
    return HostOptions(
        route_prefix=str(http.get("routePrefix", "api")).strip("/"),
        custom_headers={str(k): str(v) for k, v in (http.get("customHeaders") or {}).items()},
        function_timeout=timespan(str(document.get("functionTimeout", "00:30:00"))),
        service_bus=_service_bus(extensions.get("serviceBus") or {}),
    )


def _service_bus(section: Mapping[str, Any]) -> ServiceBusOptions:
    default = ServiceBusOptions()
    renewal = timespan(str(section.get("maxAutoLockRenewalDuration", "00:05:00")))
    idle = section.get("sessionIdleTimeout")
    return ServiceBusOptions(
        prefetch_count=int(section.get("prefetchCount", default.prefetch_count)),
        auto_complete=bool(section.get("autoCompleteMessages", default.auto_complete)),
        max_auto_lock_renewal=float("inf") if renewal is None else renewal,
        max_concurrent_calls=int(section.get("maxConcurrentCalls", default.max_concurrent_calls)),
        max_concurrent_sessions=int(
            section.get("maxConcurrentSessions", default.max_concurrent_sessions)
        ),
        session_idle_timeout=None if idle is None else timespan(str(idle)),
    )
