"""Whole kinds of entities with their links: all of them, or what is new since the last run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from shared import telemetry
from shared.errors import NeedsHuman
from shared.model.accounts import Source, Summary
from shared.model.entities import KINDS, USER, Reading
from shared.planning import accounts as rows
from shared.planning import discovery_guard as guard
from shared.planning.changes import Patch
from shared.scanning.finished import Finished, none_failed_alone
from shared.scanning.together import together
from shared.step import Work

EXPIRED = "DELTA_EXPIRED"


@dataclass
class Part:
    """What was read of one kind."""

    wanted: Reading
    cookie: str  # from which it went on; empty when it was read in full
    why: str = ""  # it was read in full
    patch: Patch = field(default_factory=Patch)
    problem: str = ""

    @property
    def full(self) -> bool:
        return not self.cookie


async def run(work: Work, wanted: Sequence[Reading], running: Summary, *, full: bool) -> Finished:
    """*full* ignores the cookies."""
    store, name = work.ctx.account_store, running.connection
    known = await store.cookies(name)
    cookies = {} if full else known
    parts = [_part(reading, cookies, forced=full) for reading in wanted]
    fresh: dict[str, str] = {}
    await together(_read(work, part, fresh) for part in parts)
    earlier = await store.summaries(name)
    read = [await _source(work, part, earlier, name) for part in parts]
    read = guard.doubted(read, earlier)
    none_failed_alone(read, "kinds of entities")
    patch = Patch(whole=set(KINDS) - {reading.kind for reading in wanted})
    kept: dict[str, str] = {}
    for part, source in zip(parts, read, strict=True):
        key = part.wanted.key
        if source.status == "failed":
            # Nothing is taken away, and the next run reads the same changes again.
            patch.join(part.patch.additions())
            fresh[key] = known.get(key, "")
        else:
            patch.join(part.patch)
        if fresh.get(key):
            kept[key] = fresh[key]
    summary = rows.closed(running, read, work.ctx.clock.now())
    why = "; ".join(dict.fromkeys(part.why for part in parts if part.full and part.why))
    return Finished(summary=replace(summary, why=why), patch=patch, cookies=kept)


def _part(wanted: Reading, cookies: Mapping[str, str], *, forced: bool) -> Part:
    cookie = cookies.get(wanted.key, "") if wanted.tracked else ""
    why = ""
    if wanted.tracked and not cookie:
        why = "a full run was asked for" if forced else "there is no delta link yet"
    return Part(wanted=wanted, cookie=cookie, why=why)


async def _read(work: Work, part: Part, cookies: dict[str, str]) -> None:
    try:
        await _follow(work, part, cookies)
    except NeedsHuman as problem:
        if problem.code == EXPIRED and part.cookie:
            telemetry.event("delta.expired", kind=part.wanted.kind)
            part.cookie, part.patch = "", Patch()
            part.why = f"{EXPIRED}: The delta link expired; a full run was made."
            await _read(work, part, cookies)
            return
        part.problem = f"{problem.code}: {problem.message}"
        part.patch = Patch()
        telemetry.event("source.failed", source=part.wanted.kind, reason=part.problem)


async def _follow(work: Work, part: Part, cookies: dict[str, str]) -> None:
    async for page in work.ctx.entity_reader.read(part.wanted, part.cookie):
        part.patch.take(page)
        if page.cookie:
            cookies[part.wanted.key] = page.cookie
    if part.full:
        part.patch.whole = {part.wanted.kind}
        part.patch.gone = set()


async def _source(work: Work, part: Part, earlier: Sequence[Summary], connection: str) -> Source:
    kind = part.wanted.kind
    found = part.patch.accounts if kind == USER else part.patch.entities
    count = len(found)
    if not (part.full or part.problem):
        before = next((s.entities.get(kind, 0) for s in earlier if s.snapshot), 0)
        count = before - await _lost(work, part, connection)
    return Source(
        kind="entity",
        id=kind,
        name=kind,
        status="failed" if part.problem else "complete",
        accounts=max(count, 0),
        reason=part.problem,
        read="full" if part.full else "changes",
    )


async def _lost(work: Work, part: Part, connection: str) -> int:
    """Known objects that are gone; counted only where they are many enough to be doubted."""
    gone = part.patch.gone
    if len(gone) < guard.LEAST:
        return 0
    store = work.ctx.account_store
    known = store.accounts(connection) if part.wanted.kind == USER else store.entities(connection)
    return len([row async for row in known if row.id in gone])
