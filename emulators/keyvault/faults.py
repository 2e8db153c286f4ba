"""Faults on request: which calls fail, how, and how often."""

import fnmatch
import random
from typing import Literal

import msgspec

from emulators.clock import Clock

Kind = Literal[
    "forbidden",  # 403, access not yet effective
    "throttled",  # 429 with Retry-After
    "unavailable",  # 503
    "secret-disabled",  # 403 with its inner code
    "lost-answer",  # the operation is done, but its answer never arrives
    "drop",  # the connection ends before anything is done
    "other-tenant",  # 401 that names another tenant
]


class Fault(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A fault and its conditions, all of which must hold; without any it always strikes."""

    fault: Kind
    operation: str = "*"
    """Shell pattern of operation names: set, get, update, list, versions, delete, ..."""
    name: str = "*"
    """Shell pattern of secret names."""
    times: int | None = None
    seconds: float | None = None
    """On the emulated clock, from the moment the fault is set."""
    pattern: str | None = None
    """One character a call, repeated: ``x`` fails, anything else passes."""
    probability: float | None = None
    seed: int = 0
    retry_after: float | None = None
    tenant: str = "99999999-9999-4999-8999-999999999999"


class Planted(msgspec.Struct, kw_only=True):
    """A fault at work and what became of it."""

    id: int
    fault: Fault
    since: float
    seen: int = 0
    hits: int = 0


class Faults:
    """The faults set at present."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = 1
        self._random: dict[int, random.Random] = {}
        self.planted: list[Planted] = []

    def plant(self, fault: Fault) -> Planted:
        made = Planted(id=self._next, fault=fault, since=self._clock.time())
        self._next += 1
        # Repeatable, not secret.
        self._random[made.id] = random.Random(fault.seed)  # noqa: S311
        self.planted.append(made)
        return made

    def clear(self) -> None:
        self.planted.clear()
        self._random.clear()

    def strike(self, operation: str, name: str, *, authenticated: bool) -> Fault | None:
        """Answer the fault that this call meets, if any.

        Only a challenge for another tenant meets calls without a token: a client's first request
        is such a call, and a fault meant for the operation would be spent on it.
        """
        for planted in self.planted:
            fault = planted.fault
            if (fault.fault == "other-tenant") is authenticated:
                continue
            if not fnmatch.fnmatchcase(operation, fault.operation):
                continue
            if not fnmatch.fnmatchcase(name.lower(), fault.name.lower()):
                continue
            if self._due(planted):
                planted.hits += 1
                return fault
        return None

    def _due(self, planted: Planted) -> bool:
        fault, place = planted.fault, planted.seen
        planted.seen += 1
        chance = self._random[planted.id].random()
        if fault.times is not None and planted.hits >= fault.times:
            return False
        if fault.seconds is not None and self._clock.time() >= planted.since + fault.seconds:
            return False
        if fault.pattern and fault.pattern[place % len(fault.pattern)] != "x":
            return False
        return fault.probability is None or chance < fault.probability
