"""Discovered: the accounts in the chosen groups or roles are on record."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta

from msgspec.structs import replace

from shared import telemetry
from shared.advising import advise
from shared.errors import NeedsHuman, StepError, TryLater
from shared.messages import Event, exhausted
from shared.model.accounts import Account, Origin, Source, Summary
from shared.model.connection import Aspect
from shared.planning import discovery as plan
from shared.planning import discovery_guard as guard
from shared.profile import DiscoveryPolicy
from shared.step import Done, Work, step

DUE = "discover"
"""Kind of operation, and name of its due index."""

READERS = 6
"""Groups or roles read at the same time: more would only run into Graph's throttling."""

FINISHED = ("succeeded", "partial")


@step(aspect=Aspect.DISCOVERED)
async def discovery(work: Work) -> Done | None:
    """Reads who is in the chosen groups or holds the chosen roles, and keeps a snapshot."""
    policy, name = work.profile.discovery, work.connection.spec.name
    if policy is None or not work.connection.spec.features.get("discovery", False):
        await work.ctx.ledger.set_due(DUE, name, None)
        if work.profile.import_ is not None and work.connection.condition(Aspect.DISCOVERED):
            return None  # what the last import says of it
        return Done("NOT_WANTED", "Discovery is switched off for this connection.")
    await _schedule(work, policy)
    if work.message.kind == "onboard" and not policy.schedule.start_on_save:
        return Done("NOT_WANTED", "The first scan waits for its schedule or for a request.")
    summary = await _begin(work, policy)
    if summary.state not in FINISHED:
        try:
            summary = await _run(work, policy, summary)
        except StepError as problem:
            await _give_up(work, summary, problem)
            raise
    await _schedule(work, policy)
    await advise(work)
    await _tell(work, summary)
    return _done(summary)


async def _schedule(work: Work, policy: DiscoveryPolicy) -> None:
    """Before the scan, so that one that fails is not the last; after it, counted from its end."""
    name, schedule = work.connection.spec.name, policy.schedule
    every = schedule.default or timedelta(days=1)
    due = plan.next_run(name, work.ctx.clock.now(), every) if schedule.recurrence else None
    await work.ctx.ledger.set_due(DUE, name, due)


async def _begin(work: Work, policy: DiscoveryPolicy) -> Summary:
    """The summary of this operation: the one that an earlier attempt left, or a new one."""
    store, operation = work.ctx.account_store, work.message.operation
    mine: Summary | None = None
    for known in await store.summaries(work.connection.spec.name):
        if known.operation == operation:
            mine = known
        elif known.state == "running":  # only one operation is in flight, so that one is over
            telemetry.event("discovery.abandoned", operation=known.operation)
            await store.note(replace(known, state="failed", finished=work.now))
    if mine is not None and mine.state in FINISHED:
        return mine
    running = Summary(
        operation=operation,
        connection=work.connection.spec.name,
        state="running",
        mode=str(work.connection.spec.inputs.get("search_mode") or policy.modes[0]),
        started=mine.started if mine else work.now,
    )
    await store.note(running)
    return running


async def _run(work: Work, policy: DiscoveryPolicy, running: Summary) -> Summary:
    wanted = plan.search(work.connection.spec.inputs, policy.modes)
    accounts: dict[str, Account] = {}
    read = await _read_all(work, await _sources(work, wanted), accounts)
    read = guard.doubted(read, await work.ctx.account_store.summaries(running.connection))
    failed = [source for source in read if source.status == "failed"]
    if failed and len(failed) == len(read) and not any(map(guard.is_doubt, failed)):
        raise NeedsHuman(
            "DISCOVERY_FAILED",
            f"None of the {len(failed)} {wanted.mode} could be read; the first one, "
            f"{failed[0].name}: {failed[0].reason}",
            "Remove the cause that is given, then send the same request again.",
        )
    if failed:
        async for before in work.ctx.account_store.accounts(running.connection):
            account = plan.kept(before, accounts.get(before.id), failed)
            if account is not None:
                accounts[before.id] = account
    rows = sorted(accounts.values(), key=lambda row: (row.user_principal_name.casefold(), row.id))
    finished = plan.tallied(running, rows, read, work.ctx.clock.now())
    return await work.ctx.account_store.save(finished, rows)


async def _sources(work: Work, wanted: plan.Search) -> tuple[Origin, ...]:
    reader = work.ctx.account_reader
    if wanted.mode == "groups":
        if not wanted.names:
            return plan.distinct(await reader.all_groups())
        return plan.sources(wanted, await reader.resolve_groups(wanted.names))
    if not wanted.names:
        return plan.distinct(await reader.all_roles())
    return plan.sources(wanted, await reader.resolve_roles(wanted.names))


async def _read_all(
    work: Work, origins: Sequence[Origin], accounts: dict[str, Account]
) -> list[Source]:
    """Read every source into *accounts*; what is not ready yet postpones the whole step."""
    waiting = iter(origins)
    read: dict[str, Source] = {}

    async def reader(rest: Iterator[Origin]) -> None:
        for origin in rest:  # shared by all readers
            read[origin.id] = await _read(work, origin, accounts)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(READERS):
                group.create_task(reader(waiting))
    except BaseExceptionGroup as several:
        later, other = several.split(TryLater)
        if later is None or other is not None:
            raise
        # One of several that came at once; the next attempt meets the others again.
        raise next(_single(later)) from several
    return [read[origin.id] for origin in origins]


def _single(group: BaseExceptionGroup[TryLater]) -> Iterator[TryLater]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _single(error)
        else:
            yield error


async def _read(work: Work, origin: Origin, accounts: dict[str, Account]) -> Source:
    reader = work.ctx.account_reader
    pages = reader.members(origin) if origin.kind == "group" else reader.holders(origin)
    seen: set[str] = set()
    status, reason = "complete", ""
    try:
        async for page in pages:
            for account in page:
                seen.add(account.id)
                accounts[account.id] = plan.merged(accounts.get(account.id), account)
    except NeedsHuman as problem:
        status, reason = "failed", f"{problem.code}: {problem.message}"
        telemetry.event("source.failed", source=origin.name, id=origin.id, reason=reason)
    return Source(
        kind=origin.kind,
        id=origin.id,
        name=origin.name,
        status=status,
        accounts=len(seen),
        reason=reason,
    )


async def _give_up(work: Work, running: Summary, problem: StepError) -> None:
    """Close the summary when no further attempt will: the same rule as the runtime's."""
    if isinstance(problem, TryLater) and not exhausted(work.message, problem, work.now):
        return
    await work.ctx.account_store.note(
        replace(running, state="failed", finished=work.ctx.clock.now())
    )


async def _tell(work: Work, summary: Summary) -> None:
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
    await work.ctx.outbox.publish(
        Event(
            id=f"{summary.operation}:accounts.discovered",
            type="keyturn.accounts.discovered",
            source="/keyturn",
            subject=summary.connection,
            time=summary.finished or work.now,
            data={"operation": summary.operation, "configuration": configuration, **counts},
        )
    )


def _done(summary: Summary) -> Done:
    found = (
        f"{summary.accounts} accounts ({summary.guests} guests, {summary.disabled} disabled); "
        f"{summary.added} added, {summary.changed} changed, {summary.removed} removed"
    )
    failed = [source for source in summary.sources if source.status == "failed"]
    if failed:
        why = "; ".join(f"{source.name}: {source.reason}" for source in failed[:3])
        return Done("PARTIAL", f"{found}. Not counted are {len(failed)} sources, as {why}.")
    return Done("DISCOVERED", f"{found}.")
