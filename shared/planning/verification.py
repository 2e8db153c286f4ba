"""Whether a connection still is what its profile says, and everything that is wrong if not."""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from shared.errors import NeedsHuman
from shared.model.connection import Stray, Value
from shared.model.directory import (
    Application,
    Permission,
    Principal,
    WantedApplication,
)
from shared.model.finding import Item, What
from shared.planning import drift
from shared.planning.consent import Judged, Verdict
from shared.planning.ownership import NOT_READ, Owners
from shared.planning.sign_in import SignIn, sign_in_trouble


class HeldRole(Value, frozen=True):
    """A directory role that is held and that nobody wants."""

    role_id: str
    scope: str  # "/" is the whole directory
    name: str

    @property
    def told(self) -> str:
        return self.name if self.scope == "/" else f"{self.name} (only in {self.scope})"

    @property
    def item(self) -> Item:
        return role_item(self.role_id, self.scope)


def role_item(role_id: str, scope: str = "/") -> Item:
    return Item(what=What.ROLE, id=role_id, scope=scope)


class Evidence(Value, frozen=True):
    """Everything that one verification has read."""

    wanted: WantedApplication
    application: Application | None
    principal: Principal | None
    permissions: tuple[Permission, ...]  # wanted
    offered: tuple[Permission, ...]  # everything that the profile's APIs offer
    judged: tuple[Judged, ...]
    roles_wanted: tuple[str, ...]
    roles_missing: tuple[str, ...]
    sign_in: SignIn | None  # None where there is no secret of ours to sign in with
    now: datetime
    roles_extra: tuple[HeldRole, ...] = ()
    role_ids: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # of the roles that are wanted, by name
    owners: Owners = NOT_READ
    accepted: frozenset[Item] = frozenset()  # by an approver
    young: frozenset[Item] = frozenset()  # granted just now: not judged yet
    deleted: datetime | None = None  # when the application was deleted
    adopted: bool = False  # it was there before us: what it has besides is its own affair
    given: tuple[str, ...] = ()  # what we have granted, as the ledger marks it
    since: datetime | None = None  # the last verification that found everything in order
    strays: tuple[Stray, ...] = ()  # secrets that we did not make
    published: datetime | None = None  # when the served secret was
    others: tuple[NeedsHuman, ...] = ()  # found by looking at strays and federated credentials


def find_troubles(evidence: Evidence) -> list[NeedsHuman]:
    """Everything that is wrong, the gravest first; none when all is as it should be."""
    gone = drift.gone(evidence.application, evidence.principal, evidence.deleted)
    if gone is not None:
        return [gone]
    return list(_troubles(evidence))


def told(troubles: list[NeedsHuman]) -> NeedsHuman:
    """The gravest of them, and a mention of the others."""
    first, *rest = troubles
    if not rest:
        return first
    besides = "; ".join(f"{other.code}: {other.message}" for other in rest)
    return NeedsHuman(first.code, f"{first.message} Besides: {besides}", first.remedy)


def _troubles(evidence: Evidence) -> Iterator[NeedsHuman]:
    known = evidence.application
    if known is not None:
        yield from drift.registration(
            evidence.wanted,
            known,
            evidence.permissions,
            evidence.offered,
            adopted=evidence.adopted,
        )
    yield from drift.access(
        evidence.judged, evidence.permissions, evidence.given, since=evidence.since
    )
    if evidence.roles_missing:
        yield NeedsHuman(
            "ROLE_MISSING",
            f"Roles not assigned: {', '.join(evidence.roles_missing)}.",
            drift.AGAIN,
        )
    if evidence.sign_in is not None:
        extra = {j.name for j in evidence.judged if j.verdict == Verdict.EXTRA}
        found = sign_in_trouble(evidence.sign_in, extra, since=evidence.since, now=evidence.now)
        if found is not None:
            yield found
    quiet = evidence.accepted | evidence.young
    adopted = evidence.adopted
    loud = [judged for judged in evidence.judged if judged.item not in quiet]
    roles = [role.told for role in evidence.roles_extra if role.item not in quiet]
    yield from drift.surplus(loud, roles, adopted=adopted)
    yield from drift.ownership(evidence.owners, adopted=adopted, quiet=quiet)
    yield from evidence.others
