"""How fast the tenant may be read: Graph counts resource units, for each application and tenant.

Everybody who reads with the same identity shares one limiter. It spaces requests evenly below the
documented limit, so that refusals stay rare and others find some of the quota left; what Graph
says in its answers corrects it. It only computes times: callers wait.

Source: Graph "Throttling limits", Identity and access (token bucket, resource units, costs and
modifiers; reports), and "Throttling guidance" (Retry-After, x-ms-throttle-limit-percentage).
"""

import math
import re
import time
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

PER = 10.0  # seconds that Graph's limits are for
UNITS = 8000.0
"""Of a tenant with over 500 users. Smaller ones have less and say so before they refuse."""
REPORTS = 5.0  # requests
SHARE = 0.9  # of the quota; the rest is left to others who use the same identity
BURST = 1.0  # seconds' worth that may be sent at once

SLOWEST = 0.05
"""Share of the full rate that is always left to a scan, however much others use."""
GROWTH = 0.03  # by which the rate comes back each second while Graph tells no share in use
AFTER_REFUSAL = 0.7
"""Factor on the rate for each refusal."""

COSTS = (
    (re.compile(r"/groups/[^/]+/members(/[^/]+)?", re.IGNORECASE), 3),
    (re.compile(r"/groups/[^/]+/transitiveMembers(/[^/]+)?", re.IGNORECASE), 5),
    (re.compile(r"/(users|applications)", re.IGNORECASE), 2),
    (re.compile(r"/directoryObjects/getByIds", re.IGNORECASE), 3),
)
REPORT = "/reports/"


def cost(url: str) -> int:
    """Resource units of a GET; *url* may be relative or absolute, with the version or without."""
    return _cost(url.partition("skiptoken=")[0])


@lru_cache(maxsize=256)
def _cost(url: str) -> int:
    parts = urlsplit(url)
    path = re.sub(r"^/(v1\.0|beta)(?=/)", "", parts.path)
    options = parse_qs(parts.query.replace("%24", "$"))
    units = next((units for pattern, units in COSTS if pattern.fullmatch(path)), 1)
    units -= "$select" in options
    units += "$expand" in options
    top = options.get("$top", [""])[0]
    units -= top.isdigit() and int(top) < 20
    return max(units, 1)


class Pace:
    """One bucket: evenly *rate* units a second, and at most *burst* at once."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._paid = 0.0  # when all that was reserved will have flowed in
        self.factor = 1.0

    def wait(self, units: float) -> float:
        """Reserve *units*; answers the seconds until they may be used."""
        now, rate = self._clock(), self._rate * self.factor
        self._paid = max(self._paid, now) + units / rate
        return max(self._paid - self._burst / rate - now, 0.0)

    def correct(self, units: float) -> None:
        """A request cost more than was reserved for it, or less."""
        self._paid += units / (self._rate * self.factor)


class Limiter:
    """Of one identity in one tenant, for this process.

    *pace* scales every wait, as everywhere; 0 waits for nothing.
    """

    def __init__(self, pace: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._scale, self._clock = pace, clock
        rate = UNITS * SHARE / PER
        self._units = Pace(rate, rate * BURST, clock)
        self._reports = Pace(REPORTS * SHARE / PER, REPORTS - 1, clock)
        self._closed = 0.0
        self._ceiling, self._since = 1.0, clock()
        self._used: dict[int, float] = {}
        """Units that were reserved, by second, for as long as Graph's limits look back."""

    def wait(self, units: float, *, report: bool = False) -> float:
        """Reserve a request; answers the seconds to wait before it is sent."""
        now = int(self._clock())
        self._used[now] = self._used.get(now, 0.0) + units
        self._units.factor = self._ceiling
        spaced = self._units.wait(units)
        if report:
            spaced = max(spaced, self._reports.wait(1))
        return spaced * self._scale

    def closed(self) -> float:
        """Seconds for which nobody sends, because Graph said so."""
        return max(self._closed - self._clock(), 0.0)

    def close(self, seconds: float) -> None:
        """Graph refused a request and asks for this long."""
        self._limit(self._ceiling * AFTER_REFUSAL)
        self.hold(seconds)

    def hold(self, seconds: float) -> None:
        """Graph is not available and says for how long."""
        self._closed = max(self._closed, self._clock() + seconds * self._scale)

    def told(self, reserved: float, units: str, percentage: str) -> float:
        """Take in the headers of an answer, empty where there is none; what it cost."""
        used, actual = _number(percentage), _number(units)
        if used:
            # Graph tells it from 0.8 of the quota on, be it ours or that of a smaller tenant,
            # used by us or by others: at this rate it will be as much as it may be.
            self._limit(self._own() * SHARE / used)
        else:
            grown = (self._clock() - self._since) * GROWTH
            self._limit(self._ceiling * (1 + grown))
        if actual is None:
            return reserved
        self._units.correct(actual - reserved)
        return actual

    def _own(self) -> float:
        """Share of the full rate that was reserved in the time that Graph looks back."""
        now = int(self._clock())
        self._used = {second: used for second, used in self._used.items() if second > now - PER}
        return sum(self._used.values()) / (UNITS * SHARE)

    def _limit(self, share: float) -> None:
        self._ceiling, self._since = min(max(share, SLOWEST), 1.0), self._clock()


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
