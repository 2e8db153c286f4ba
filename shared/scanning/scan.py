"""A run of discovery: slice by slice until every source is settled, then published as a whole."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from shared.errors import TryLater
from shared.messages import exhausted, given_up
from shared.model.accounts import Summary
from shared.model.profile import DiscoveryPolicy
from shared.model.scan import Progress, SourceProgress
from shared.operations import FULL_RUN
from shared.planning import discovery as plan
from shared.planning import discovery_guard as guard
from shared.planning import discovery_runs as runs
from shared.planning import discovery_sources as sources
from shared.scanning.beginning import begun, goes_on
from shared.scanning.reading import reader_of
from shared.scanning.slices import Slice
from shared.scanning.telling import tell_changes
from shared.step import Work

ENOUGH = 0.5
"""Share of a slice after which nothing is published in it: that takes its time, too."""


async def scan(
    work: Work,
    policy: DiscoveryPolicy,
    running: Summary,
    earlier: Sequence[Summary],
    slowed: Sequence[float],
) -> Summary:
    """Read on from the last checkpoint; answers the summary of the snapshot that is visible then.

    *earlier* are the snapshots before, newest first; *slowed* grows by the seconds for which
    requests of this slice wait because Graph asks for it.

    Raises `TryLater` that has moved when there is more to read, and one that has not when nothing
    of that can be read now.
    """
    name, store = running.connection, work.ctx.account_store
    inputs = work.connection.spec.inputs
    wanted = plan.search(inputs, policy.modes)
    scope = plan.scope(wanted, policy, inputs)
    readings = (*plan.readings(wanted, policy, inputs), *plan.reports(wanted, policy, inputs))
    staging, cookies = await asyncio.gather(
        store.staging(name, running.operation), store.cookies(name)
    )
    known = staging.progress
    if known is not None and not goes_on(known, readings):
        await store.discard(name, running.operation)
        staging = await store.staging(name, running.operation)
        known = None
    by = sources.Definition(
        cookies=cookies,
        scope=scope,
        now=known.started if known else work.ctx.clock.now(),
        forced=known is None and work.operation.reason == FULL_RUN,
    )
    if known is None:
        known = await begun(work, wanted, readings, by)
    slice_ = Slice(work, staging, known, by)
    if runs.is_presentable(slice_.progress):
        await tell_changes(work, await _publish(work, running, slice_.progress, scope, earlier))
        await slice_.shown()
    if slice_.unsettled or staging.progress is None:
        await slice_.read(await reader_of(work, wanted, readings))
        await _end(work, slice_)
    if problem := runs.why_none(slice_.progress):
        raise problem
    running = replace(running, waited=running.waited + sum(slowed))
    return await _publish(work, running, slice_.progress, scope, earlier)


async def _end(work: Work, slice_: Slice) -> None:
    """Keep what was read; raises when that is not all, or too little time is left to publish."""
    given = _given_up(work, slice_)
    slice_.settle(given)
    await slice_.keep()
    waiting, moved = slice_.unsettled, bool(slice_.pages or given)
    later = [slice_.later[source.key] for source in waiting if source.key in slice_.later]
    if later and not slice_.over:
        raise _moved(later[0]) if moved else later[0]
    if waiting or slice_.spent > ENOUGH:
        raise TryLater(
            "SCANNING",
            runs.how_far(slice_.progress),
            after=timedelta(0),
            limit=timedelta(hours=1),
            exact=True,
            moved=moved,
        )


def _moved(reason: TryLater) -> TryLater:
    return TryLater(
        reason.code,
        reason.message,
        after=reason.after,
        limit=reason.limit,
        exact=reason.exact,
        moved=True,
    )


def _given_up(work: Work, slice_: Slice) -> list[SourceProgress]:
    """Sources that were waited for long enough, where others were read: those are published.

    When it is all that were tried, the rest would have to wait for the same.
    """
    now, unsettled = work.ctx.clock.now(), slice_.unsettled
    tried = [source for source in unsettled if source.key in slice_.later]
    complete = any(source.state == "complete" for source in slice_.progress.sources)
    if slice_.pages or not tried or not complete:
        return []
    over = [source for source in tried if exhausted(work.message, slice_.later[source.key], now)]
    found = []
    for source in unsettled if len(over) == len(tried) else over:
        reason = slice_.later.get(source.key) or slice_.later[tried[0].key]
        problem = given_up(work.message, reason, now)
        found.append(sources.given_up(source, problem.code, problem.message))
    return found


async def _publish(
    work: Work, running: Summary, read: Progress, scope: str, earlier: Sequence[Summary]
) -> Summary:
    store, why = work.ctx.account_store, ""
    if earlier:
        losses = await store.losses(running.connection, running.operation)
        allowed = guard.limit(work.connection.spec.inputs)
        same = earlier[0].scope == scope
        why = guard.why_held(losses, read.sources, earlier, allowed, same=same)
    whole = all(source.state in sources.SETTLED for source in read.sources)
    summed = runs.closed if whole else runs.shown
    summary = summed(running, read, work.ctx.clock.now(), scope=scope, held=why)
    return await store.publish(summary, removals="hold" if why else "apply")
