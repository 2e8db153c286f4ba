"""The end of a connection: takes back everything that Keyturn made for it; the audit stays."""

from collections.abc import Sequence

from msgspec.structs import replace

from shared.errors import NeedsHuman, TryLater
from shared.messages import BUSY, RESUME, waited
from shared.model.connection import Aspect, Condition, Connection, Offboarding, Status
from shared.operations import leaving
from shared.planning import offboarding as plan
from shared.removals import (
    adopted_id,
    carry_out,
    finish_application,
    gather,
    needed_by,
    our_keys,
    trust_name,
)
from shared.step import BELIEVED, Done, Work, step

READ_BACK = "OFFBOARDING_READ_BACK"
"""Nothing is left by one read; it is believed when that has lasted."""


@step(Aspect.REGISTERED)
async def offboarding(work: Work) -> Done | None:
    """Take back what Keyturn made, in the order that is safe; the application goes last."""
    known = work.connection.offboarding
    if known is not None and known.finished is not None:
        return None  # delivered again
    adopted = bool(adopted_id(work))
    sharers = plan.shared_by(work.connection, await work.ctx.ledger.connections())
    if sharers and not adopted:
        raise plan.still_used(work.connection, sharers)
    begun = known if known and known.begun else await _begin(work, known)
    await _take_off_the_index(work)
    spared = await _spared(work, sharers)
    seen = await gather(work)
    removals = plan.plan_removals(
        seen,
        work.connection.given,
        spared=spared,
        our_keys=await our_keys(work, seen),
        trust=await trust_name(work),
    )
    last = plan.plan_last(seen, work.connection, adopted=adopted, spared=spared)
    await _note_left(work, begun, [r.told for r in (*removals, last) if r is not None])
    await _remove(work, removals, last)
    if last is not None:
        await finish_application(work, last)
        raise work.wait("OFFBOARDING", f"Removed: {last.told}; reading back.", seconds=10)
    if not await _believed(work, adopted=adopted):
        raise work.wait(READ_BACK, "Nothing is left by one read; reading again.", seconds=20)
    await _finish(work, begun)
    return None


async def _begin(work: Work, known: Offboarding | None) -> Offboarding:
    """From here on the connection can only be offboarded; who and why is kept before anything."""
    name, ledger = work.connection.spec.name, work.ctx.ledger
    begun = replace(known or leaving(work.operation), begun=work.ctx.clock.now())
    await work.record(
        "offboarding.begun", by=begun.by, reason=begun.reason, given=work.connection.given
    )
    text = f"Offboarding, asked for by {begun.by}: {begun.reason}"
    await ledger.set_condition(name, _condition(work, Status.UNKNOWN, "OFFBOARDING", text))
    await ledger.amend(name, offboarding=begun, import_schedule=None)
    return begun


async def _take_off_the_index(work: Work) -> None:
    """In every delivery: a sweep that ran at the same time may have put something back."""
    name = work.connection.spec.name
    for kind in await work.ctx.ledger.due_times(name):
        if kind != RESUME:  # that one rescues this very operation
            await work.ctx.ledger.set_due(kind, name, None)


async def _spared(work: Work, sharers: Sequence[Connection]) -> frozenset[str]:
    """What others on an adopted application need stays, and is theirs to take back later."""
    spared: set[str] = set()
    for other in sharers:
        needed = await needed_by(work, other)
        spared |= needed
        async with work.ctx.ledger.turn(other.spec.name):
            fresh = await work.ctx.ledger.connection(other.spec.name)
            given = fresh.given if fresh else other.given
            marks = tuple(dict.fromkeys((*given, *sorted(needed))))
            if marks != given:
                await work.ctx.ledger.amend(other.spec.name, given=marks)
                await work.record("given.passed", to=other.spec.name, given=sorted(needed))
    return frozenset(spared)


async def _note_left(work: Work, begun: Offboarding, left: list[str]) -> None:
    if tuple(left) != begun.left:
        noted = replace(begun, left=tuple(left))
        await work.ctx.ledger.amend(work.connection.spec.name, offboarding=noted)


async def _remove(work: Work, removals: Sequence[plan.Removal], last: plan.Last | None) -> None:
    """Everything that can be removed is; raises unless there was nothing to do."""
    refused: list[tuple[str, NeedsHuman]] = []
    later: list[TryLater] = []
    for removal in removals:
        try:
            await carry_out(work, removal)
        except NeedsHuman as problem:
            refused.append((removal.told, problem))
        except TryLater as reason:
            later.append(reason)
    if later:
        raise min(later, key=lambda reason: reason.code == BUSY)
    if refused and len(refused) == len(removals):
        kept = [what for what, _ in refused]
        raise plan.incomplete(refused, [*kept, last.told] if last else kept)
    if removals:
        told = ", ".join(removal.told for removal in removals)
        raise work.wait("OFFBOARDING", f"Removed: {told}; reading back.", seconds=10, minutes=60)


async def _believed(work: Work, *, adopted: bool) -> bool:
    """Whether nothing is left in truth: the directory says so, or it has lasted."""
    object_id = work.connection.facts.object_id
    if not adopted and object_id and await work.ctx.applications.deleted(object_id) is not None:
        return True
    return waited(work.message, READ_BACK, work.now) >= BELIEVED * work.ctx.pace


async def _finish(work: Work, begun: Offboarding) -> None:
    """The row stays, with what it was and why it ended; the name may be taken up again."""
    name, ledger, now = work.connection.spec.name, work.ctx.ledger, work.ctx.clock.now()
    membership = work.connection.membership
    others = (
        f" Somebody else added it to {membership.org}: remove it there."
        if membership and membership.joined
        else ""
    )
    text = f"Offboarded on {now:%Y-%m-%d} by {begun.by}: {begun.reason}{others}"
    for aspect in Aspect:
        if aspect is Aspect.REGISTERED or work.connection.condition(aspect) is not None:
            ended = _condition(work, Status.FALSE, "OFFBOARDED", text)
            await ledger.set_condition(name, replace(ended, type=aspect))
    facts = work.connection.facts
    await work.record(
        "connection.offboarded",
        by=begun.by,
        reason=begun.reason,
        object_id=facts.object_id,
        client_id=facts.client_id,
    )
    await ledger.amend(
        name,
        offboarding=replace(begun, left=(), finished=now),
        credential=None,
        granted=(),
        roles=(),
        given=(),
        strays=(),
        findings=(),
        decisions={},
        brokered=None,
        membership=None,
        handed={},
        login=None,
    )


def _condition(work: Work, status: Status, reason: str, message: str) -> Condition:
    return Condition(Aspect.REGISTERED, status, reason, message, work.ctx.clock.now())
