"""Cost of a call in resource units, and Graph's limits as token buckets (off unless asked for)."""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from emulators.clock import Clock
from emulators.graph.errors import GraphError, throttled

COSTS = (
    (re.compile(r"/applications", re.IGNORECASE), 2),
    (re.compile(r"/groups/[^/]+/members(/.*)?", re.IGNORECASE), 3),
    (re.compile(r"/groups/[^/]+/transitivemembers(/.*)?", re.IGNORECASE), 5),
    (re.compile(r"/oauth2permissiongrants", re.IGNORECASE), 2),
    (re.compile(r"/serviceprincipals/[^/]+/approleassign(ments|edto)", re.IGNORECASE), 2),
    (re.compile(r"/users", re.IGNORECASE), 2),
    (re.compile(r"/directoryobjects/getbyids", re.IGNORECASE), 3),
)
BATCH, BY_IDS = "/$batch", "/directoryobjects/getbyids"
REPORTS = "/reports/"
PERIOD = 10.0
"""Seconds over which use is compared with the limit."""
TOLD_FROM, TOLD_TO = 0.8, 1.8
"""Shares of the limit that answers tell of (x-ms-throttle-limit-percentage)."""


def cost(method: str, path: str, query: dict[str, str]) -> int:
    """Resource units of one call (Graph: throttling limits); of a batch only its items count."""
    if path.lower() == BATCH:
        return 0
    if method != "GET" and path.lower() != BY_IDS:
        return 1
    units = next((units for pattern, units in COSTS if pattern.fullmatch(path)), 1)
    units -= "$select" in query
    units += "$expand" in query
    top = query.get("$top", "")
    units -= top.isdigit() and int(top) < 20
    return max(units, 1)


@dataclass
class _Bucket:
    """Fills evenly; `take` answers the wait until a repeat passes; zero: enough."""

    size: float
    seconds: float
    level: float
    at: float
    used: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    """Amounts by the second in which they were taken."""

    def take(self, amount: float, now: float) -> float:
        self.level = min(self.size, self.level + (now - self.at) * self.size / self.seconds)
        self.at = now
        self.level -= amount  # refused requests accrue as well
        self.used[int(now)] += amount
        if self.level >= 0:
            return 0.0
        self.level = max(self.level, -self.size)
        return (amount - self.level) * self.seconds / self.size  # its repetition costs as much

    def share(self, now: float) -> float:
        """What was used in the last period, of what may be."""
        self.used = defaultdict(float, {s: a for s, a in self.used.items() if s > now - PERIOD})
        return sum(self.used.values()) / (self.size * PERIOD / self.seconds)


class Throttle:
    """The limits per application and tenant of Identity and access, and of reports."""

    def __init__(self, clock: Clock, users: int) -> None:
        self._clock = clock
        self._size = 3500 if users < 50 else 5000 if users <= 500 else 8000
        self.enabled = False
        self._scale = 1.0
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def configure(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Switch on or off; `scale` shrinks every limit, so that tests reach them."""
        self.enabled = bool(wanted.get("enabled", True))
        self._scale = float(wanted.get("scale", 1.0))
        self._buckets.clear()
        limit = self._size * self._scale
        return {"enabled": self.enabled, "scale": self._scale, "units": limit, "seconds": PERIOD}

    def check(self, app_id: str, tenant_id: str, method: str, path: str, units: int) -> None:
        """Take what a call costs; 429 when there is not enough left."""
        lower = path.lower()
        if not self.enabled or lower == BATCH:
            return
        limits = [("ResourceUnitLimitExceeded", float(self._size), PERIOD, float(units))]
        if method != "GET" and lower != BY_IDS:
            limits.append(("WriteLimitExceeded", 3000.0, 150.0, 1.0))
        if lower.startswith(REPORTS):
            limits.append(("ReportLimitExceeded", 5.0, 10.0, 1.0))
        for name, size, seconds, amount in limits:
            full = max(1.0, size * self._scale)
            key, now = (app_id, name), self._clock.time()
            bucket = self._buckets.setdefault(key, _Bucket(full, seconds, full, now))
            wait = bucket.take(amount, now)
            if wait > 0:
                raise self._refusal(wait, name, app_id, tenant_id, method)

    def headers(self, app_id: str) -> dict[str, str]:
        """How near the limit the caller is, where Graph tells it."""
        bucket = self._buckets.get((app_id, "ResourceUnitLimitExceeded"))
        if not self.enabled or bucket is None:
            return {}
        share = bucket.share(self._clock.time())
        if share < TOLD_FROM:
            return {}
        return {"x-ms-throttle-limit-percentage": f"{min(share, TOLD_TO):.2f}"}

    @staticmethod
    def _refusal(wait: float, name: str, app_id: str, tenant_id: str, method: str) -> GraphError:
        kind = "ReadWrite" if method != "GET" else "Read"
        scope = f"Tenant_Application/{kind}/{app_id}/{tenant_id}"
        return throttled(str(max(1, round(wait + 0.5))), name, {"x-ms-throttle-scope": scope})
