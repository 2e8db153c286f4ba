"""What a run is to read: decided when it begins, and kept until it ends."""

from collections.abc import Sequence

from msgspec.structs import replace

from shared.model.accounts import Origin
from shared.model.entities import Reading
from shared.model.scan import Progress
from shared.planning import discovery as plan
from shared.planning import discovery_sources as sources
from shared.planning.discovery_options import matching, parted
from shared.ports import AccountReader
from shared.step import Work


async def begun(
    work: Work, wanted: plan.Search, readings: Sequence[Reading], by: sources.Definition
) -> Progress:
    """The sources of a new run, none of them read yet.

    Raises `NeedsHuman` with code ``FILTER_NOT_FOUND`` or ``FILTER_AMBIGUOUS``.
    """
    found = sources.of_readings(readings, by)
    if wanted.mode in plan.SEARCHES:
        found = (*sources.of_origins(await _origins(work.ctx.account_reader, wanted)), *found)
    return Progress(
        operation=work.message.operation,
        connection=work.connection.spec.name,
        started=by.now,
        sources=found,
    )


async def _origins(reader: AccountReader, wanted: plan.Search) -> tuple[Origin, ...]:
    """The chosen groups or roles; all of them when none is named."""
    groups = wanted.mode == "groups"
    names, filters = parted(wanted.names)
    every: Sequence[Origin] = ()
    if filters or not names:
        every = await (reader.all_groups() if groups else reader.all_roles())
    if not wanted.names:
        return plan.distinct(every)
    found = await _resolved(reader, names, groups=groups)
    chosen = list(plan.sources(replace(wanted, names=names), found))
    for written, matched in matching(filters, every).items():
        if not matched:
            raise plan.not_found(wanted, [written])
        chosen += matched
    return plan.distinct(chosen)


async def _resolved(
    reader: AccountReader, names: Sequence[str], *, groups: bool
) -> dict[str, list[Origin]]:
    if not names:
        return {}
    return await (reader.resolve_groups(names) if groups else reader.resolve_roles(names))


def goes_on(known: Progress | None, readings: Sequence[Reading]) -> bool:
    """Whether an earlier slice read for the same definition: a person may have changed it."""
    if known is None:
        return False
    read = {source.key for source in known.sources if source.kind == sources.ENTITY}
    return read == {reading.key for reading in readings}
