"""The directory of a simulation: replicas that are behind, nodes that do not know a secret yet."""

from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import copy
from dataclasses import replace

from tests.campaign.chaos import Chaos
from tests.fakes.clock import FakeClock
from tests.fakes.tenant import ApplicationRow, FakeTenant, PrincipalRow, SecretRow

STALE = frozenset(
    f"{part}.{name}"
    for part, names in {
        "applications": "find of_client owners principal principal_owners",
        "consents": "granted delegated",
        "roles": "assigned",
        "credentials": "held",
        "certificates": "held",
        "tokens": "obtain read_as issue",
        "federation": "trusted",
    }.items()
    for name in names.split()
)
"""Reads that any replica may answer."""

PARTS = frozenset(
    {"applications", "consents", "roles", "credentials", "certificates", "federation"}
)
KNOWN_AFTER = (20.0, 120.0, 480.0)
"""Seconds until every node of the token endpoint knows a secret."""

Rows = tuple[dict[str, ApplicationRow], dict[str, PrincipalRow]]


class StormTenant(FakeTenant):
    """Remembers what it looked like, so that a read may be answered from some time ago."""

    def __init__(self, clock: FakeClock, chaos: Chaos) -> None:
        super().__init__(clock)
        self.faults = chaos
        self.fail = chaos.fail
        self.proofs: Counter[str] = Counter()  # tokens in a row, by key id of the secret
        self.past: list[tuple[float, Rows]] = []  # until when it looked so
        self._chaos = chaos

    def is_known(self, secret: SecretRow) -> bool:
        window = self._chaos.chance("window", secret.id).choice(KNOWN_AFTER)
        age = (self.clock.now() - secret.starts).total_seconds()
        asked = self._chaos.chance("node", secret.id, self.proofs[f"asked {secret.id}"])
        self.proofs[f"asked {secret.id}"] += 1
        known = age >= window or asked.uniform(0, window) < age
        if not known:
            self._chaos.happened("token node does not know the secret yet")
        self.proofs[secret.id] = self.proofs[secret.id] + 1 if known else 0
        return known

    def remember(self, now: float, longest: float) -> None:
        """Keep what it looks like before a write."""
        self.past = [(until, rows) for until, rows in self.past if until >= now - longest]
        self.past.append((now, (_applications(self), _principals(self))))

    @contextmanager
    def as_of(self, moment: float) -> Iterator[None]:
        """Look as at that moment; for one read, which takes no time."""
        rows = next((rows for until, rows in self.past if until > moment), None)
        if rows is None:
            yield
            return
        self._chaos.happened("replica behind")
        present = self.applications, self.principals
        self.applications, self.principals = rows
        try:
            yield
        finally:
            self.applications, self.principals = present


def _applications(tenant: FakeTenant) -> dict[str, ApplicationRow]:
    return {
        name: replace(row, owners=set(row.owners), secrets=list(row.secrets))
        for name, row in tenant.applications.items()
    }


def _principals(tenant: FakeTenant) -> dict[str, PrincipalRow]:
    return {
        id_: replace(
            row,
            grants=list(row.grants),
            roles=list(row.roles),
            delegated=[copy(grant) for grant in row.delegated],
        )
        for id_, row in tenant.principals.items()
    }


class Replicas:
    """Surrounds each call's effect: a read may see the past, a write is remembered."""

    def __init__(self, tenant: StormTenant, chaos: Chaos, *, stale: float, lag: float) -> None:
        self._tenant, self._chaos, self._stale, self._lag = tenant, chaos, stale, lag
        self._reads = 0

    def around(self, method: str, now: float) -> AbstractContextManager[None]:
        if method in STALE:
            self._reads += 1
            chance = self._chaos.chance("replica", self._reads)
            if self._chaos.active and self._tenant.past and chance.random() < self._stale:
                return self._tenant.as_of(now - chance.uniform(0, self._lag))
        elif method.partition(".")[0] in PARTS:
            self._tenant.remember(now, self._lag)
        return nullcontext()
