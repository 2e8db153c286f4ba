"""Discovered: the accounts of the chosen groups or roles, or of the tenant, are on record."""

from collections.abc import Sequence

from msgspec.structs import replace

from shared import telemetry
from shared.advising import advise
from shared.errors import NeedsHuman, StepError, TryLater
from shared.messages import exhausted
from shared.model.accounts import Summary
from shared.model.connection import FINISHED, Aspect
from shared.model.profile import DiscoveryPolicy
from shared.model.scan import Held
from shared.planning import discovery as plan
from shared.planning import discovery_schedule as schedule
from shared.planning.discovery_guard import HELD
from shared.planning.discovery_runs import going_on, why_stuck
from shared.planning.snapshots import is_before
from shared.scanning import releasing
from shared.scanning.scan import scan
from shared.scanning.telling import tell_changes
from shared.step import Done, Work, step

DUE = "discover"
"""Kind of operation, and name of its due index."""


@step(aspect=Aspect.DISCOVERED)
async def discovery(work: Work) -> Done | None:
    """Reads who is in scope by the connection's definition, and keeps a snapshot."""
    policy, spec = work.profile.discovery, work.connection.spec
    if policy is None or not plan.is_wanted(policy, spec.features):
        await work.ctx.ledger.set_due(DUE, spec.name, None)
        if work.profile.import_ is not None and await work.ctx.import_store.summaries(spec.name):
            return None  # what the last import says of it
        return Done("NOT_WANTED", "Discovery is switched off for this connection.")
    if releasing.is_asked(work):
        return await releasing.released(work)
    await _schedule(work, policy)
    onboarding = work.message.kind == "onboard"
    if onboarding and not schedule.starts_on_save(policy.schedule, spec.inputs):
        return Done("NOT_WANTED", "The first scan waits for its schedule or for a request.")
    known = await work.ctx.account_store.recent(spec.name, work.message.operation)
    summary = await _begin(work, policy, known)
    if summary.state not in FINISHED:
        summary = await _run(work, policy, summary, known)
        _measure(work, summary)
    await _schedule(work, policy)
    await tell_changes(work, summary)
    await advise(work)
    held = await work.ctx.account_store.held(spec.name) if summary.held else None
    await _tell(work, summary, held)
    return _done(summary, held)


async def _schedule(work: Work, policy: DiscoveryPolicy) -> None:
    """Before the scan, so that one that fails is not the last; after it, counted from its end."""
    spec = work.connection.spec
    repeats = schedule.recurrence(policy, spec.inputs)
    now = work.ctx.clock.now()
    due = schedule.next_run(spec.name, now, repeats) if repeats else None
    await work.ctx.ledger.set_due(DUE, spec.name, due)


async def _begin(work: Work, policy: DiscoveryPolicy, known: Sequence[Summary]) -> Summary:
    """The summary of this operation: the one that an earlier attempt left, or a new one."""
    store, operation = work.ctx.account_store, work.message.operation
    mine: Summary | None = None
    for run in known:
        if run.operation == operation:
            mine = run
        elif run.state == "running":  # only one operation is in flight, so that one is over
            telemetry.event("discovery.abandoned", operation=run.operation)
            over = replace(run, state="failed", finished=work.now, why="abandoned")
            await _close(work, over)
    if mine is not None and mine.state in FINISHED:
        return mine
    if mine is not None and (why := why_stuck(mine, work.now)):
        raise await _stuck(work, mine, why)
    waited = mine.waited if mine else 0.0
    if mine is not None and mine.slowed is not None:
        waited += (work.now - mine.slowed).total_seconds()
    running = Summary(
        operation=operation,
        connection=work.connection.spec.name,
        state="running",
        mode=plan.search(work.connection.spec.inputs, policy.modes).mode,
        started=mine.started if mine else work.now,
        waited=waited,
        sources=mine.sources if mine else (),
        more_sources=mine.more_sources if mine else {},
        moved=mine.moved if mine else None,
    )
    await store.note(running)
    return running


async def _stuck(work: Work, mine: Summary, why: str) -> NeedsHuman:
    over = replace(mine, state="failed", finished=work.now, why=f"DISCOVERY_STUCK: {why}")
    await _close(work, over)
    return NeedsHuman(
        "DISCOVERY_STUCK",
        why,
        "Look into the log of this operation for what ends it again and again, such as too "
        "little memory; narrow the filter or remove the cause, then start a scan with "
        f"POST /api/connections/{mine.connection}/discovery.",
    )


async def _run(
    work: Work, policy: DiscoveryPolicy, running: Summary, known: Sequence[Summary]
) -> Summary:
    earlier = [run for run in known if is_before(run, running.operation)]
    with telemetry.pauses() as slowed:
        try:
            return await scan(work, policy, running, earlier, slowed)
        except StepError as problem:
            await _left(work, replace(running, waited=running.waited + sum(slowed)), problem)
            raise


def _measure(work: Work, summary: Summary) -> None:
    profile = work.connection.spec.profile
    telemetry.add("keyturn.discovery.accounts", summary.accounts, profile=profile)
    spent = (summary.finished or work.ctx.clock.now()) - summary.started
    if spent:
        rate = summary.accounts / spent.total_seconds()
        telemetry.measure("keyturn.discovery.rate", rate, profile=profile)


async def _left(work: Work, running: Summary, problem: StepError) -> None:
    """Note how far it is, or close it when no further attempt will: the runtime's own rule."""
    now, store = work.ctx.clock.now(), work.ctx.account_store
    if isinstance(problem, TryLater) and not exhausted(work.message, problem, work.now):
        read = await store.progress(running.connection, running.operation)
        slowed = now if problem.code == "THROTTLED" else None
        moved = now if problem.moved else running.moved
        await store.note(replace(going_on(running, read), slowed=slowed, moved=moved))
        return
    why = f"{problem.code}: {problem.message}"
    await _close(work, replace(running, state="failed", finished=now, why=why))


async def _close(work: Work, over: Summary) -> None:
    """A run that failed for good; first what it staged, which nobody would come back for."""
    await work.ctx.account_store.discard(over.connection, over.operation)
    await work.ctx.account_store.note(replace(over, snapshot=""))  # what is published stays so


async def _tell(work: Work, summary: Summary, held: Held | None) -> None:
    """Also when the operation is repeated: its event has the same id and is told once."""
    counts = {
        "state": summary.state,
        "accounts": summary.accounts,
        "added": summary.added,
        "changed": summary.changed,
        "removed": summary.removed,
    }
    configuration = str(work.connection.spec.inputs.get("config_name") or "")
    await work.record("accounts.discovered", **counts)
    data = {"operation": summary.operation, "configuration": configuration, **counts}
    at = summary.finished or work.now
    await work.announce("accounts.discovered", data, at=at)
    if held is not None and held.operation == summary.operation:
        lost = {"operation": held.operation, "accounts": held.losses.accounts}
        await work.announce("removals.held", lost, at=at)


def _done(summary: Summary, held: Held | None) -> Done:
    found = (
        f"{summary.accounts} accounts ({summary.guests} guests, {summary.disabled} disabled); "
        f"{summary.added} added, {summary.changed} changed, {summary.removed} removed"
    )
    notes = [
        f"A {summary.read} run" + (f": {summary.why}" if summary.why else "") + "."
        if summary.why or summary.read != "full"
        else "",
        f"Graph slowed us down; resumed after {summary.waited:.0f} s." if summary.waited else "",
    ]
    said = " ".join(filter(None, [f"{found}.", *notes]))
    if held is not None:
        return Done(HELD, f"{said} {_waiting(summary.connection, held)}")
    failed = [source for source in summary.sources if source.status == "failed"]
    if failed and summary.state == "partial":
        why = "; ".join(f"{source.name}: {source.reason}" for source in failed[:3])
        lost = len(failed) + summary.more_sources.get("failed", 0)
        return Done("PARTIAL", f"{said} Not counted are {lost} sources, as {why}.")
    return Done("DISCOVERED", said)


def _waiting(connection: str, held: Held) -> str:
    lost = held.losses
    entities = sum(lost.entities.values())
    return (
        f"{lost.accounts} accounts, {entities} other objects and {lost.links} links that were not "
        f"found any more stay since {held.since:%Y-%m-%d %H:%M} UTC until somebody approves or "
        f"drops their removal: POST /api/connections/{connection}/discoveries/{held.operation}"
        "/removals."
    )
