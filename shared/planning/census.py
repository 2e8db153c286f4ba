"""How all connections are, in numbers: what gauges show between two looks."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.model.connection import Connection, Status, Value
from shared.planning.findings import decided, state_of


class Ending(NamedTuple):
    """When a published secret ends."""

    days: float  # negative once it has ended
    connection: str
    profile: str


class Census(Value, frozen=True):
    """Of the connections that are not offboarded."""

    connections: dict[str, int]  # by profile
    failing: dict[str, int]  # connections with a condition that is False, by condition
    findings: dict[str, int]  # those that nobody has decided about, by verdict
    endings: tuple[Ending, ...]  # of published secrets, the next first


def census(connections: Iterable[Connection], now: datetime, *, most: int) -> Census:
    """Count; *most* endings are told."""
    profiles, failing, findings = Counter[str](), Counter[str](), Counter[str]()
    endings: list[Ending] = []
    for each in connections:
        if each.offboarding is not None and each.offboarding.finished is not None:
            continue
        profiles[each.spec.profile] += 1
        failing.update(c.type.value for c in each.conditions if c.status == Status.FALSE)
        known = (decided(finding, each.decisions) for finding in each.findings)
        findings.update(f.verdict for f in known if state_of(f, now) == "open")
        if each.credential is not None:
            days = (each.credential.expires - now) / timedelta(days=1)
            endings.append(Ending(days, each.spec.name, each.spec.profile))
    return Census(
        connections=dict(profiles),
        failing=dict(failing),
        findings=dict(findings),
        endings=tuple(sorted(endings)[:most]),
    )
