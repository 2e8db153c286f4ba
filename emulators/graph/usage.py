"""What clients have used since it was last asked to count anew: `GET`, `DELETE /admin/usage`."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Usage:
    http: int = 0
    """Requests on the wire."""
    calls: int = 0
    """Calls of Graph: a batch is as many as it holds."""
    units: int = 0
    """Resource units, of refused calls too."""
    throttled: int = 0
    """Calls answered 429."""
    failed: int = 0
    """Calls answered with any other error."""
    body_bytes: int = 0
    """Of bodies answered."""
    in_flight: int = 0
    most_in_flight: int = 0
    first: float = 0.0
    last: float = 0.0
    """When the first and the last request came, in seconds of a clock of this process."""

    def begin(self, now: float) -> None:
        self.http += 1
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        self.first = self.first or now
        self.last = now

    def end(self, body: bytes | None) -> None:
        self.in_flight -= 1
        self.body_bytes += len(body or b"")

    def call(self, status: int, units: int) -> None:
        self.calls += 1
        self.units += units
        self.throttled += status == 429
        self.failed += status >= 400 and status != 429

    def view(self) -> dict[str, Any]:
        return asdict(self)
