"""Runs of discovery as their summaries show them: going on, over, or stuck."""

from collections import Counter
from datetime import datetime, timedelta

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Source, Summary
from shared.model.connection import Operation
from shared.model.entities import REGISTRATION, REPORTS
from shared.model.scan import Progress, SourceProgress
from shared.planning.discovery_guard import HELD
from shared.planning.discovery_sources import ENTITY, GONE, REFUSED, SETTLED, UNLICENSED

NAMED = 200
"""Sources that a summary names: who searches all groups of a tenant may have a hundred thousand."""

RANKS = ("failed", "reading", "waiting", "complete")
"""Which of them it names first."""

STUCK = timedelta(hours=4)
"""An hour more than a step may wait; a run that comes no further for so long died repeatedly."""


def why_stuck(run: Summary, now: datetime) -> str:
    """Empty while a run comes further (D-33)."""
    since = run.moved or run.started
    if run.state != "running" or now - since <= STUCK:
        return ""
    return (
        f"The scan that began at {run.started:%Y-%m-%d %H:%M} UTC has come no further "
        f"for {STUCK.total_seconds() / 3600:.0f} hours."
    )


def as_shown(run: Summary, flight: Operation | None, now: datetime) -> Summary:
    """A run that says `running` and is not, because what would have ended it died."""
    if run.state != "running":
        return run
    if flight is None or flight.id != run.operation or flight.state != "running":
        return replace(run, state="failed", why="Its operation ended before the scan did.")
    why = why_stuck(run, now)
    return replace(run, why=f"DISCOVERY_STUCK: {why}") if why else run


LONG = 100
"""Pages of a report after which nobody waits for the rest: it is as long as the tenant has users,
and Graph allows five requests for it in ten seconds."""


def is_presentable(read: Progress) -> bool:
    """Whether what was found is published now, and the report goes on after that."""
    waiting = [source for source in read.sources if source.state not in SETTLED]
    long = all(source.id == REGISTRATION and source.pages >= LONG for source in waiting)
    return bool(waiting) and long and not read.shown and why_none(read) is None


def going_on(running: Summary, read: Progress | None) -> Summary:
    """The summary of a run of which a part is read."""
    return _with_sources(running, read) if read else running


def how_far(read: Progress) -> str:
    over = [source for source in read.sources if source.state in ("complete", "failed")]
    rows = sum(source.rows for source in read.sources)
    return f"{rows} rows read so far; {len(over)} of {len(read.sources)} sources are through."


def closed(
    running: Summary, read: Progress, now: datetime, *, scope: str, held: str = ""
) -> Summary:
    """The summary of a run that is over, but for the counts of its snapshot.

    *held* says why what it would take away waits for a person.
    """
    skipped: Counter[str] = Counter()
    for source in read.sources:
        skipped.update(source.skipped)
    lacking = any(_is_lacking(source) for source in read.sources)
    full = [source for source in read.sources if source.full and source.id not in REPORTS]
    why = [source.why for source in full if source.why]
    return replace(
        _with_sources(running, read),
        state="partial" if held or lacking else "succeeded",
        finished=now,
        read="full" if full or not read.sources else "changes",
        why="; ".join(dict.fromkeys([*why, *([f"{HELD}: {held}"] if held else [])])),
        skipped=dict(sorted(skipped.items())),
        scope=scope,
        requests=read.requests,
        throttled=read.throttled,
        units=read.units,
    )


def shown(
    running: Summary, read: Progress, now: datetime, *, scope: str, held: str = ""
) -> Summary:
    """The summary of a run whose accounts can be read, while a report goes on."""
    over = closed(running, read, now, scope=scope, held=held)
    return replace(over, state="running", finished=None, published=now)


def why_none(read: Progress) -> NeedsHuman | None:
    """What a person is told when nothing at all could be read."""
    wanted = [source for source in read.sources if source.id not in REPORTS]
    failed = [source for source in wanted if source.state == "failed"]
    if not failed or len(failed) < len(wanted):
        return None
    return NeedsHuman(
        "DISCOVERY_FAILED",
        f"None of the {len(failed)} sources could be read; the first one, "
        f"{failed[0].name}: {failed[0].reason}",
        "Remove the cause that is given, then send the same request again.",
    )


def _is_lacking(source: SourceProgress) -> bool:
    """Whether a source that was wanted is not whole.

    Without a licence there is nothing to read, and reports add facts to accounts where they may
    be read.
    """
    code = source.reason.partition(":")[0]
    optional = code == UNLICENSED or (code == REFUSED and source.id in REPORTS)
    return bool(source.reason) and not optional and not _is_gone(source)


def _is_gone(source: SourceProgress) -> bool:
    return source.state == "complete" and source.reason.startswith(GONE)


def _with_sources(summary: Summary, read: Progress) -> Summary:
    """Each source by name, in their order; of very many those that are not whole, and a count.

    A report that was read by an earlier run, and is good for some time, is none of this one.
    """
    told = [_source(source) for source in read.sources if not _is_earlier(source)]
    if len(told) <= NAMED:
        return replace(summary, sources=tuple(told), more_sources={})
    ranks = [(source.kind != ENTITY, RANKS.index(source.status)) for source in told]
    named = sorted(sorted(range(len(told)), key=ranks.__getitem__)[:NAMED])
    rest = Counter(source.status for source in told)
    rest.subtract(told[at].status for at in named)
    return replace(
        summary,
        sources=tuple(told[at] for at in named),
        more_sources={status: count for status, count in sorted(rest.items()) if count},
    )


def _is_earlier(source: SourceProgress) -> bool:
    return source.id == REGISTRATION and source.state == "complete" and not source.full


def _source(source: SourceProgress) -> Source:
    gaps = source.state == "complete" and source.reason and not _is_gone(source)
    return Source(
        kind=source.kind,
        id=source.id,
        name=source.name,
        status="failed" if gaps else source.state,
        accounts=source.rows,
        reason=source.reason,
        read="full" if source.full else "changes",
        missing=source.missing,
    )
