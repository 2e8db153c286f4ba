"""What a run is to read: decided when it begins, and kept until it ends."""

from collections.abc import Sequence

from msgspec.structs import replace

from shared.errors import NeedsHuman
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
    if plan.is_chosen(wanted):
        users = wanted.mode == plan.USERS
        chosen = await (_users(work, wanted) if users else _origins(work, wanted))
        found = (*sources.of_origins(chosen), *found)
    return Progress(
        operation=work.message.operation,
        connection=work.connection.spec.name,
        started=by.now,
        sources=found,
    )


async def _users(work: Work, wanted: plan.Search) -> tuple[Origin, ...]:
    """Users by their ids, principal names, mail addresses or display names."""
    names, filters = parted(wanted.names)
    if filters:
        raise NeedsHuman(
            "INPUT_INVALID",
            f"filter has {filters[0].written!r}; users are found by their names alone.",
            "Give the names or ids of users, or leave filter out to find all.",
        )
    reader = work.ctx.directory_reader
    found = {
        name: [
            Origin(kind="user", id=user.id, name=user.user_principal_name)
            for user in await reader.users_called(name)
        ]
        for name in names
    }
    return plan.sources(wanted, found)


async def _origins(work: Work, wanted: plan.Search) -> tuple[Origin, ...]:
    """The chosen groups or roles; all of them when none is named."""
    reader, groups = work.ctx.account_reader, wanted.mode == "groups"
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
