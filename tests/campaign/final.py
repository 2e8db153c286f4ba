"""What must have become of everything, when the faults are over and time has passed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from shared.model.connection import Aspect, Connection, Status
from tests.campaign.invariants import Watch

if TYPE_CHECKING:
    from tests.campaign.world import World

FINAL = frozenset({"succeeded", "needs-attention", "superseded"})

BY_HAND = frozenset({"EXTRA_PERMISSION", "SECRET_VALUE_UNKNOWN", "TWO_ROTATORS"})
"""Findings about what people did by hand: they stay until people undo it."""

AFTER = frozenset({Aspect.DISCOVERED, Aspect.HANDED_OVER})
"""An operation that such a finding stops does not come to these."""


def breaches(world: "World", watch: Watch) -> Iterator[str]:
    """Everything that is not as it must be at the end."""
    for operation in world.operations():
        if operation.state not in FINAL:
            yield f"{operation.connection}: {operation.kind} never ended ({operation.step})"
    for name in world.accepted:
        known = world.connection(name)
        if known is None:
            yield f"{name}: its accepted request is lost"
        elif known.offboarding is not None:
            yield from _offboarded(world, known)
        else:
            yield from _active(world, watch, known)
    there = {s.id for a in world.applications().values() for s in a.secrets}
    yield from (
        f"{of}: a leaked secret is left" for key, of in watch.leaked.items() if key in there
    )
    yield from _leaks(world)


def _active(world: "World", watch: Watch, known: Connection) -> Iterator[str]:
    name = known.spec.name
    verified = known.condition(Aspect.VERIFIED)
    stopped = verified is not None and verified.reason in BY_HAND
    for condition in known.conditions:
        if stopped and condition.type in AFTER:
            continue
        if condition.status != Status.TRUE and condition.reason not in BY_HAND:
            yield (
                f"{name}: {condition.type} is {condition.status} at the end: "
                f"{condition.reason} {condition.message}"
            )
    versions = world.ctx.vault.versions.get(name, [])
    if not versions or not versions[-1].enabled or not watch.works(name, versions[-1]):
        yield f"{name}: no usable secret is published at the end"
    yield from watch.orphans(name, known)
    due = world.ctx.ledger.due_of(name)
    if "rotate" not in due or "verify" not in due:
        yield f"{name}: nothing will rotate or verify it any more: {sorted(due)}"
    twins = [a for a in world.tenant.applications.values() if a.client_id == known.facts.client_id]
    if len(twins) != 1:
        yield f"{name}: {len(twins)} applications"


def _offboarded(world: "World", known: Connection) -> Iterator[str]:
    name = known.spec.name
    if known.offboarding is None or known.offboarding.finished is None:
        yield f"{name}: its offboarding never ended"
    elif name in world.applications():
        yield f"{name}: offboarded, and its application is there"


def _leaks(world: "World") -> Iterator[str]:
    """Secret values in messages, events, history or rows."""
    ledger = world.ctx.ledger
    texts = [sent.body for sent in world.ctx.outbox.sent]
    texts += [msgspec.json.encode(event) for event in world.ctx.outbox.events]
    texts += [msgspec.json.encode(ledger.rows(name)) for name in world.names]
    texts += [msgspec.json.encode(world.connection(name)) for name in world.names]
    everything = b"\n".join(texts)
    for value in world.tenant.issued:
        if value.encode() in everything:
            yield "a secret value is in a message, an event or the ledger"
