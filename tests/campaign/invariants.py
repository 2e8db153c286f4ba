"""What must hold at every moment, and what must have become of everything at the end.

Each breach is a sentence; the simulation notes when it was seen.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.model.connection import Connection, Operation
from shared.planning.credentials import PREFIX, operation_of, staging_name
from shared.planning.emergency import DISABLE
from shared.planning.lifetime import policy_of
from shared.profile import catalogue
from tests.campaign.deliveries import Order
from tests.campaign.processes import CURRENT
from tests.fakes.tenant import ApplicationRow, SecretRow
from tests.fakes.vault import Version

if TYPE_CHECKING:
    from tests.campaign.world import World

AT_MOST = 3
"""Live secrets of ours on one application: served, its successor, one in its overlap."""

PROOFS = 5
"""Tokens in a row before a secret is published; a figure of the design, not of the code."""

SLACK = timedelta(minutes=15)
"""Clocks differ by as much."""

ASKED_FOR = frozenset({"rotate", "emergency", "prestage"})
STUCK = timedelta(days=2)

LATELY = timedelta(days=12)
"""A verification finds what was broken by hand within a week; a rotation that was asked for and
given up is tried again for some days."""


@dataclass
class Publication:
    """When a secret was published first, and when another one took its place."""

    at: datetime
    until: datetime | None = None


@dataclass
class Watch:
    """Looks at the true state of directory and vault around every write."""

    world: "World"
    report: Callable[[str], None]
    published: dict[str, dict[str, Publication]] = field(default_factory=dict)
    excused: dict[str, datetime] = field(default_factory=dict)  # connections: broken by hand
    hurried: set[str] = field(default_factory=set)  # emergency, acknowledged: no overlap
    leaked: dict[str, str] = field(default_factory=dict)  # key ids: whose; to be gone at the end
    foreign: dict[str, tuple[str, str]] = field(default_factory=dict)  # ids: whose, what
    needed: dict[str, datetime] = field(default_factory=dict)  # connections that may rotate

    def __post_init__(self) -> None:
        self.order = Order(self.report)

    @contextmanager
    def write(self, method: str) -> Iterator[None]:
        """Compare before and after a write of the product."""
        if CURRENT.get() is None:
            yield
            return
        self.order.write(method, self.world.loop.time())
        before = self._secrets()
        served = self._served()
        yield
        after = self._secrets()
        for key, (name, row) in before.items():
            if key not in after:
                self._removed(name, row)
        for key, (name, row) in after.items():
            if key not in before:
                self._added(name, row)
        for name, version in self._served().items():
            if version.id != (served[name].id if name in served else ""):
                self._published(name, version)
        self._foreign(method)

    def _secrets(self) -> dict[str, tuple[str, SecretRow]]:
        return {
            row.id: (name, row)
            for name, application in self.world.applications().items()
            for row in application.secrets
        }

    def _served(self) -> dict[str, Version]:
        found = {}
        for name in self.world.names:
            versions = self.world.ctx.vault.versions.get(name, [])
            if versions and versions[-1].enabled:
                found[name] = versions[-1]
        return found

    def _removed(self, name: str, row: SecretRow) -> None:
        now, known = self.world.now(), self.world.connection(name)
        if known is None or known.offboarding is not None:
            return
        if not row.name.startswith(PREFIX):
            self.report(f"{name}: removed a secret that is not ours ({row.name})")
        if self.is_stopped(name):
            return
        served = self._served().get(name)
        if served is not None and served.tags.get("keyId") == row.id:
            self.report(f"{name}: removed the secret that is served")
        public = self.published.get(name, {}).get(row.id)
        if public is None or row.ends <= now + SLACK or name in self.hurried:
            return
        overlap = self._overlap(known)
        if public.until is None:
            if name not in self.excused:
                self.report(f"{name}: removed a published secret that nothing has replaced")
        elif now < public.until + overlap - SLACK and name not in self.excused:
            self.report(f"{name}: removed a replaced secret within its overlap of {overlap}")

    def is_stopped(self, name: str) -> bool:
        """Whether an emergency has shut the product out before anything else, as it was told.

        One that stopped half-way waits for a person, who is told so.
        """
        known = [o for o in self.world.operations() if o.connection == name]
        unfinished = ("running", "needs-attention")
        return any(o.state in unfinished and DISABLE in o.options for o in known)

    def _overlap(self, known: Connection) -> timedelta:
        return policy_of(catalogue()[known.spec.profile], known.spec).overlap

    def _added(self, name: str, row: SecretRow) -> None:
        application = self.world.applications()[name]
        live = [s for s in self._ours(application) if s.ends > self.world.now()]
        live = [s for s in live if s is row or not self._is_unseen(name, s)]
        if len(live) > AT_MOST:
            self.report(f"{name}: {len(live)} live secrets of ours")
        if not row.name.startswith(PREFIX):
            self.report(f"{name}: added a secret without our mark")
        self._once(name, row)
        history = self.world.ctx.ledger.rows(name)
        if not any(h["what"] == "secret.intended" and h.get("name") == row.name for h in history):
            self.report(f"{name}: added a secret that the ledger does not announce")
        if (operation := self.world.operation(name, operation_of(row.name))) is not None:
            self._is_needed(name, operation)

    def _is_unseen(self, name: str, secret: SecretRow) -> bool:
        """Whether its answer was lost just now: replicas may hide it from every list."""
        vault, old = self.world.ctx.vault, self.world.now() - secret.starts
        known = [*vault.versions.get(name, []), *vault.versions.get(staging_name(name), [])]
        stored = any(version.tags.get("keyId") == secret.id for version in known)
        return not stored and old < timedelta(minutes=10)

    def _once(self, name: str, row: SecretRow) -> None:
        """addPassword is sent once in a delivery, and not beside one that is safe in staging."""
        vault = self.world.ctx.vault.versions
        staged = vault.get(staging_name(name), [])
        keys = {v.tags.get("keyId") for v in staged[-1:] if v.enabled}
        known = {v.tags.get("keyId", "") for v in (*vault.get(name, []), *staged)}
        same = [s for s in self.world.applications()[name].secrets if s.name == row.name]
        twins = [twin.id for twin in same if twin.id != row.id]
        if any(twin in keys for twin in twins):
            self.report(f"{name}: made a secret though the one of its operation is staged")
        self.order.added(name, row, twins, known)

    def _is_needed(self, name: str, operation: Operation) -> None:
        """Asked for by a person, due, or the served one cannot be used."""
        known, served, now = self.world.connection(name), self._served().get(name), self.world.now()
        if known is None or served is None or name in self.excused:
            return
        if not self.works(name, served):
            return
        asked = operation.kind in ASKED_FOR and operation.asked_by != "timer"
        if policy_of(catalogue()[known.spec.profile], known.spec).prestage:
            staged = self.world.ctx.vault.versions.get(staging_name(name), [])
            coming = staged[-1].tags.get("keyId") if staged else ""
            live = {s.id for s in self.world.applications()[name].secrets}
            asked = asked or coming not in live or coming == served.tags.get("keyId")
        due = known.credential is None or now >= known.credential.due - SLACK
        lately = name in self.needed and now - self.needed[name] < LATELY
        if not (asked or due or lately):
            self.report(f"{name}: made a secret though the served one was not due")

    def _published(self, name: str, version: Version) -> None:
        now, key = self.world.now(), version.tags.get("keyId", "")
        known = self.published.setdefault(name, {})
        for other, publication in known.items():
            if other != key and publication.until is None:
                publication.until = now
        if key in known:
            known[key].until = None
        known.setdefault(key, Publication(at=now))
        if not self.works(name, version):
            self.report(f"{name}: published a secret that the directory does not have")
        if self.world.tenant.proofs[key] < PROOFS:
            self.report(f"{name}: published a secret without {PROOFS} tokens in a row")

    def works(self, name: str, version: Version) -> bool:
        application, now = self.world.applications().get(name), self.world.now()
        return application is not None and any(
            s.id == version.tags.get("keyId") and s.ends > now and s.value == version.value
            for s in application.secrets
        )

    def _foreign(self, method: str) -> None:
        there = self.world.foreign_ids()
        for gone in set(self.foreign) - there:
            name, what = self.foreign.pop(gone)
            known = self.world.connection(name)
            if known is None or known.offboarding is None:  # goes with the application
                self.report(f"{method} took away {what} of {name}")

    def daily(self) -> None:
        """Without a write: time alone may break what was good."""
        for name, version in self._served().items():
            known = self.world.connection(name)
            leaving = known is None or known.offboarding is not None
            excused = leaving or name in self.excused or self.is_stopped(name)
            if not excused and not self.works(name, version):
                self.report(f"{name}: the published secret does not work")
        now = self.world.now()
        for operation in self.world.operations():
            if operation.state == "running" and now - operation.changed > STUCK:
                self.report(
                    f"{operation.connection}: {operation.kind} waits in {operation.step} "
                    f"since {operation.changed:%Y-%m-%d %H:%M}"
                )

    def _ours(self, application: ApplicationRow) -> list[SecretRow]:
        return [s for s in application.secrets if s.name.startswith(PREFIX)]

    def orphans(self, name: str, known: Connection) -> Iterator[str]:
        """Secrets of ours that are not served, staged, or waiting for their retirement."""
        application, served = self.world.applications().get(name), self._served().get(name)
        if application is None:
            return
        spared = {served.tags.get("keyId")} if served else set()
        staged = self.world.ctx.vault.versions.get(staging_name(name), [])
        if staged and staged[-1].enabled:
            spared.add(staged[-1].tags.get("keyId"))
        if "retire" in self.world.ctx.ledger.due_of(name):
            # What is older than the served one goes with the retirement that is due.
            held = {secret.id: secret.starts for secret in application.secrets}
            newest = max((held[key] for key in spared if key in held), default=None)
            spared |= {key for key, starts in held.items() if newest and starts < newest}
        for secret in self._ours(application):
            if secret.id not in spared:
                yield f"{name}: secret {secret.name} is left behind"
