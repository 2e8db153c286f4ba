"""Opens the sources of a run: chosen groups and roles, or whole kinds of entities."""

from collections.abc import AsyncGenerator, Iterable, Mapping
from typing import cast

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin
from shared.model.entities import Findings, Page, Reading
from shared.model.scan import SourceProgress
from shared.planning import discovery as plan
from shared.planning.discovery_options import Options, admitted, options
from shared.planning.discovery_sources import ELIGIBLE, ENTITY
from shared.step import Work


class Reader:
    """Reads the tenant, whatever the kind of the source."""

    def __init__(
        self, work: Work, readings: Iterable[Reading], wanted: Options, units: Mapping[str, str]
    ) -> None:
        self._accounts, self._entities = work.ctx.account_reader, work.ctx.entity_reader
        self._directory = work.ctx.directory_reader
        self._readings = {reading.key: reading for reading in readings}
        self._wanted, self._units = wanted, units
        self._everybody = wanted.guests and wanted.disabled

    def pages(self, source: SourceProgress) -> AsyncGenerator[Page, None]:
        """From where it stands."""
        link = source.link
        if source.key in self._readings:
            found = self._entities.pages(self._readings[source.key], link)
        elif source.kind == "user":
            found = self._user(source)
        elif source.kind == "group":
            found = self._accounts.member_pages(_origin(source), link)
        else:
            eligible = source.kind == ELIGIBLE
            found = self._accounts.holder_pages(_origin(source), link, eligible=eligible)
        return cast("AsyncGenerator[Page, None]", found)  # so that it can be closed early

    async def _user(self, source: SourceProgress) -> AsyncGenerator[Page, None]:
        """A user who was named; none any more when it is deleted."""
        origin = Origin(kind="user", id=source.id, name=source.name)
        known = await self._directory.users_called(source.id)
        rows = tuple(replace(user, origins=(origin,)) for user in known if user.id == source.id)
        yield Page(findings=Findings(rows=rows))

    def admit(self, source: SourceProgress, found: Findings) -> tuple[Findings, dict[str, int]]:
        """What of a page the scan is to find, and how many rows it leaves out for which reason."""
        if source.kind == ENTITY and self._everybody:
            return found, {}  # to look at each of a million rows would take a second
        if self._units:
            rows = tuple(
                self._named(row) if isinstance(row, Account) else row for row in found.rows
            )
            found = replace(found, rows=rows)
        return admitted(found, self._wanted, tracked=not source.full)

    async def is_gone(self, source: SourceProgress) -> bool:
        """Whether a chosen group or role is in no list any more, either: one answer may be wrong.

        Raises `TryLater` when the lists cannot be read now.
        """
        if source.kind not in ("group", "role", ELIGIBLE):
            return False
        known = self._accounts
        resolve = known.resolve_groups if source.kind == "group" else known.resolve_roles
        found = await resolve([source.id])
        return all(origin.id != source.id for origin in found.get(source.id, ()))

    def _named(self, account: Account) -> Account:
        origins = tuple(
            replace(origin, scope_name=self._units[origin.scope])
            if origin.scope in self._units and not origin.scope_name
            else origin
            for origin in account.origins
        )
        return replace(account, origins=origins)


async def reader_of(work: Work, wanted: plan.Search, readings: Iterable[Reading]) -> Reader:
    """Raises `NeedsHuman` when the scan is limited to administrative units that are not known."""
    chosen = options(work.connection.spec.inputs)
    if wanted.mode != "roles":
        return Reader(work, readings, replace(chosen, units=()), {})
    names: dict[str, str] = {}
    try:
        names = await work.ctx.account_reader.unit_names()
    except NeedsHuman:
        if chosen.units:
            raise
    return Reader(work, readings, replace(chosen, units=plan.units(chosen.units, names)), names)


def _origin(source: SourceProgress) -> Origin:
    kind = "group" if source.kind == "group" else "role"
    return Origin(kind=kind, id=source.id, name=source.name)
