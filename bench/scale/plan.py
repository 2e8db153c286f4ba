"""Which clients are measured in a tenant of which size, and how often."""

from collections.abc import Iterator
from typing import NamedTuple

SIZES = (10_000, 100_000, 1_000_000)
LARGEST_FOR_PEERS = 100_000
"""Backstage keeps everything in memory and asks for each group by itself."""
LARGEST_WITH_LATENCY = 100_000
LATENCY = 0.04
"""Seconds for each request: chosen, not measured at Graph."""
PEERS = (SIZES[0], LARGEST_FOR_PEERS)
"""Sizes at which cartography reads, too: once, as it takes most of an hour for the larger one."""


class Turn(NamedTuple):
    """One client's process."""

    client: str
    mode: str
    latency: float = 0.0

    @property
    def key(self) -> str:
        slow = f" at {1000 * self.latency:.0f} ms" if self.latency else ""
        return f"{self.client} {self.mode}{slow}"


def rounds(users: int) -> int:
    """Of which the median is taken; one more goes before, to warm up."""
    return 5 if users <= LARGEST_FOR_PEERS else 3


def turns(users: int) -> Iterator[Turn]:
    yield Turn("keeper", "users")
    for mode in ("users", "all"):
        for client in ("floor", "reader", "runs"):
            yield Turn(client, mode)
    if users <= LARGEST_FOR_PEERS:
        yield Turn("backstage", "all")
    if users <= LARGEST_WITH_LATENCY:
        for client in ("floor", "runs"):
            yield Turn(client, "users", LATENCY)
        for client in ("floor", "runs", "backstage"):
            yield Turn(client, "all", LATENCY)
    if users in PEERS:
        yield Turn("cartography", "all")
    if users == SIZES[0]:
        yield Turn("models", "users")
