"""One slice of a run: its sources are read side by side, and what was read is kept on the way."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from datetime import timedelta

from msgspec.structs import replace

from shared import telemetry
from shared.errors import NeedsHuman, TryLater
from shared.model.entities import Page
from shared.model.scan import Progress, SourceProgress
from shared.planning import discovery_sources as sources
from shared.ports import Staging
from shared.scanning.reading import Reader
from shared.scanning.together import READERS, together
from shared.step import Work

KEPT_EVERY = timedelta(seconds=30)
KEPT_ROWS = 120_000
"""Between two checkpoints; a crash costs no more reading than that."""


class Slice:
    """Reads on until all sources are settled, no other can be read now, or the time is up."""

    def __init__(
        self, work: Work, staging: Staging, begun: Progress, by: sources.Definition
    ) -> None:
        self.later: dict[str, TryLater] = {}  # by source: why it cannot be read now
        self.pages = 0
        self._work, self._staging, self._begun, self._by = work, staging, begun, by
        self._sources = {source.key: source for source in begun.sources}
        self._started = self._kept = work.ctx.clock.now()
        self._rows = 0  # since the last checkpoint
        self._requests: Counter[str] = Counter()
        self._keeping = asyncio.Lock()
        self._overtaken = False

    @property
    def progress(self) -> Progress:
        begun, spent = self._begun, self._requests
        return replace(
            begun,
            sources=tuple(self._sources.values()),
            requests=begun.requests + spent["requests"],
            throttled=begun.throttled + spent["throttled"],
            units=begun.units + spent["units"],
        )

    @property
    def unsettled(self) -> list[SourceProgress]:
        return [each for each in self._sources.values() if each.state not in sources.SETTLED]

    @property
    def spent(self) -> float:
        """The share of its time that has passed."""
        return (self._work.ctx.clock.now() - self._started) / self._work.ctx.scan_slice

    @property
    def over(self) -> bool:
        return self._overtaken or self.spent >= 1

    async def read(self, reader: Reader) -> None:
        """What is refused fails its source alone, and what is not there yet waits alone."""
        await together(self._follow(source.key, reader) for source in self.unsettled)

    def settle(self, known: Iterable[SourceProgress]) -> None:
        """Decide about sources by other means than reading them."""
        self._sources |= {source.key: source for source in known}

    async def shown(self) -> None:
        """Keep that what was found is published already."""
        self._begun = replace(self._begun, shown=True)
        await self.keep()

    async def keep(self) -> None:
        """A checkpoint; one at a time."""
        async with self._keeping:
            self._rows, self._kept = 0, self._work.ctx.clock.now()
            await self._staging.checkpoint(self.progress)

    async def _follow(self, key: str, reader: Reader) -> None:
        while self._goes_on(key):
            source = self._sources[key]
            if not source.pages and source.state == "reading":
                await self._staging.restart(key)  # what a page that was not counted has left
            async with aclosing(reader.pages(source)) as pages:
                await self._drain(key, pages, reader)

    def _goes_on(self, key: str) -> bool:
        """When as many wait as can be read at a time, the others would wait for the same."""
        settled = self._sources[key].state in sources.SETTLED
        return not (settled or key in self.later or self.over or len(self.later) >= READERS)

    async def _drain(self, key: str, pages: AsyncGenerator[Page, None], reader: Reader) -> None:
        """Until it has no more pages, or none now."""
        while self._goes_on(key):
            page = await _next(pages)
            if isinstance(page, Page):
                await self._take(key, page, reader)
                continue
            later = await self._refused(key, page, reader)
            if later is not None:
                self.later[key] = later
            return

    async def _take(self, key: str, page: Page, reader: Reader) -> None:
        """Stored first: how far the source is says never more than what is stored."""
        source = self._sources[key]
        found, skipped = reader.admit(source, page.findings)
        if source.state == "waiting":  # a checkpoint may come before its page is counted
            self._sources[key] = replace(source, state="reading")
        await self._staging.stage(key, found)
        self._sources[key] = sources.took(source, page, skipped, self._by)
        self.pages += 1
        self._rows += len(found.rows) + len(found.links)
        self._requests.update(requests=page.requests, throttled=page.refused, units=page.units)
        since = self._work.ctx.clock.now() - self._kept
        if (self._rows >= KEPT_ROWS or since >= KEPT_EVERY) and not self._keeping.locked():
            await self.keep()
            await self._look()

    async def _refused(
        self, key: str, problem: NeedsHuman | TryLater, reader: Reader
    ) -> TryLater | None:
        """Fail the source, or begin it anew; answers why it has to wait instead."""
        if isinstance(problem, TryLater):
            return problem
        source = self._sources[key]
        try:
            gone = problem.code == sources.GONE and await reader.is_gone(source)
        except TryLater as later:
            return later
        after = sources.refused(source, problem, self._by)
        if gone:
            self._sources[key] = sources.anew(source)
            await self._staging.restart(key)
            after = sources.gone(source, problem)
        self._sources[key] = after
        telemetry.event("source.refused", source=key, state=after.state, reason=problem.code)
        return None

    async def _look(self) -> None:
        """Whether another operation has the connection by now: it need not wait for us."""
        known = await self._work.ctx.ledger.connection(self._begun.connection)
        self._overtaken = (
            known is None
            or known.offboarding is not None
            or known.operation != self._begun.operation
        )


async def _next(pages: AsyncGenerator[Page, None]) -> Page | NeedsHuman | TryLater:
    """Only what the reader raises is about its source: an error of the store is not."""
    try:
        return await anext(pages)
    except StopAsyncIteration:
        return TryLater("GRAPH_UNREADABLE", "the list stopped before its last page")
    except (NeedsHuman, TryLater) as problem:
        return problem
