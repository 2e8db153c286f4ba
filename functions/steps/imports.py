"""Discovered, for products that import: the users and groups asked for are on record."""

from msgspec.structs import replace

from shared import telemetry
from shared.errors import NeedsHuman, StepError, TryLater
from shared.imports import DUE, gather
from shared.messages import exhausted
from shared.model.connection import FINISHED, Aspect, Status
from shared.model.imports import ImportRequest, ImportSchedule, ImportSummary
from shared.model.profile import ImportPolicy
from shared.planning import import_requests as requests
from shared.planning import imports as plan
from shared.planning.import_people import NO_ADMINISTRATOR, check_domain
from shared.planning.import_summary import mfa_policy, tallied
from shared.step import Done, Work, step


@step(aspect=Aspect.DISCOVERED)
async def imports(work: Work) -> Done | None:
    """Read the users and groups that are to be imported, and keep them with their roles."""
    policy, ctx = work.profile.import_, work.ctx
    request, schedule = await _wanted(work)
    await _plan_next(work, schedule)
    if policy is None or not request.names_anybody():
        return None  # a schedule that was removed meanwhile
    scheduled = schedule is not None and requests.standing(request) == schedule.request
    summary = await _begin(work, request, scheduled=scheduled)
    if summary.state not in FINISHED:
        try:
            summary = await _run(work, policy, request, summary)
        except StepError as problem:
            await _give_up(work, summary, problem)
            raise
    await _tell(work, summary)
    lacking = [warned for warned in summary.warnings if warned.code == NO_ADMINISTRATOR]
    signing_in = await ctx.ledger.connection(work.connection.spec.name)
    if lacking and signing_in and signing_in.login and signing_in.login.enabled:
        raise NeedsHuman(NO_ADMINISTRATOR, lacking[0].message, lacking[0].next_step)
    return _done(work, summary)


async def _wanted(work: Work) -> tuple[ImportRequest, ImportSchedule | None]:
    """What this operation imports: what it was asked for, else what the schedule keeps."""
    name, operation = work.connection.spec.name, work.message.operation
    schedule = work.connection.import_schedule
    asked = await work.ctx.import_store.request(name, operation)
    if asked is None:
        kept = schedule.request if schedule else requests.from_inputs(work.connection.spec.inputs)
        return kept, schedule
    request = requests.completed(asked, work.connection)
    known = schedule is not None and schedule.operation == operation
    if request.every and not known and requests.standing(request).names_anybody():
        schedule = ImportSchedule(
            every=request.every,
            request=requests.standing(request),
            made=work.now,
            by=await _asker(work),
            operation=operation,
        )
        await work.ctx.ledger.amend(name, import_schedule=schedule)
        await work.record("schedule.made", every=schedule.every)
    return request, schedule


async def _plan_next(work: Work, schedule: ImportSchedule | None) -> None:
    """Before the import, so that one that fails is not the last."""
    name, due = work.connection.spec.name, None
    if schedule is not None and schedule.enabled:
        due = requests.next_run(schedule, work.ctx.clock.now())
    await work.ctx.ledger.set_due(DUE, name, due)


async def _begin(work: Work, request: ImportRequest, *, scheduled: bool) -> ImportSummary:
    """The summary of this operation: the one that an earlier attempt left, or a new one."""
    store, operation = work.ctx.import_store, work.message.operation
    mine: ImportSummary | None = None
    for known in await store.summaries(work.connection.spec.name):
        if known.operation == operation:
            mine = known
        elif known.state == "running":  # only one operation is in flight, so that one is over
            telemetry.event("import.abandoned", operation=known.operation)
            over = replace(known, state="failed", finished=work.now, problem="it was abandoned")
            await store.note(over)
    if mine is not None and mine.state in FINISHED:
        return mine
    running = ImportSummary(
        operation=operation,
        connection=work.connection.spec.name,
        state="running",
        started=mine.started if mine else work.now,
        asked_by=await _asker(work),
        scheduled=scheduled,
        options=request.options,
    )
    await store.note(running)
    return running


async def _run(
    work: Work, policy: ImportPolicy, request: ImportRequest, running: ImportSummary
) -> ImportSummary:
    ctx, name = work.ctx, running.connection
    domain = str(work.connection.spec.inputs.get("domain") or "")
    if domain:
        check_domain(domain, await ctx.directory_reader.verified_domains())
    known, tag = await ctx.import_store.load(name)
    found = await gather(ctx, name, request, known, scheduled=running.scheduled)
    rule = mfa_policy(work.profile.discovery)
    if rule != "ignore" and found.people:
        found = replace(found, mfa=await ctx.directory_reader.mfa_registered())
    outcome = plan.decide(
        found,
        known,
        request.roles,
        policy=policy,
        mfa=rule,
        scheduled=running.scheduled,
        now=ctx.clock.now(),
    )
    finished = tallied(running, outcome.rows, outcome.warnings, ctx.clock.now())
    await ctx.import_store.save(name, outcome.store, tag, finished, outcome.rows)
    return finished


async def _give_up(work: Work, running: ImportSummary, problem: StepError) -> None:
    """Close the summary when no further attempt will: the same rule as the runtime's."""
    if isinstance(problem, TryLater) and not exhausted(work.message, problem, work.now):
        return
    why = f"{problem.code}: {problem.message}"
    now = work.ctx.clock.now()
    await work.ctx.import_store.note(replace(running, state="failed", finished=now, problem=why))


async def _asker(work: Work) -> str:
    name, operation = work.connection.spec.name, work.message.operation
    known = await work.ctx.ledger.operation(name, operation)
    return known.asked_by if known else ""


async def _tell(work: Work, summary: ImportSummary) -> None:
    """Also when the operation is repeated: its event has the same id and is told once."""
    counts = {
        "state": summary.state,
        "imported": summary.imported,
        "failed": summary.failed,
        "skipped": summary.skipped,
        "duplicate": summary.duplicate,
        "removed": summary.removed,
    }
    await work.record("users.imported", **counts)
    data = {"operation": summary.operation, **counts}
    await work.announce("users.imported", data, at=summary.finished or work.now)


def _done(work: Work, summary: ImportSummary) -> Done | None:
    """Its condition; where rows wait for a selection, that stays the last scan's."""
    discovery = work.profile.discovery
    scanned = work.connection.condition(Aspect.DISCOVERED)
    reviewed = discovery is not None and discovery.result_state == "review"
    if reviewed and scanned is not None and scanned.status == Status.TRUE:
        return None
    told = (
        f"{summary.imported} imported, {summary.failed} failed, {summary.skipped} skipped, "
        f"{summary.duplicate} known before, {summary.removed} gone."
    )
    warnings = " ".join(f"{warned.code}: {warned.message}" for warned in summary.warnings)
    reason = "IMPORT_PARTIAL" if summary.state == "partial" else "IMPORTED"
    return Done(reason, f"{told} {warnings}".strip())
