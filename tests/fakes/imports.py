"""What imports read of the tenant, and the users they made, in memory."""

from collections.abc import AsyncIterator, Sequence

import msgspec

from shared.errors import TryLater
from shared.model.accounts import Account, Origin
from shared.model.imports import (
    AccessPolicy,
    GroupLine,
    ImportRequest,
    ImportRow,
    ImportSummary,
    UserStore,
)
from tests.fakes.accounts import People
from tests.fakes.faults import Faults, fallible
from tests.fakes.tenant import FakeTenant


class FakeDirectoryReader:
    """Implements ``ports.DirectoryReader`` over the people of the account reader."""

    def __init__(self, tenant: FakeTenant, people: People) -> None:
        self.faults = tenant.faults
        self.people = people
        self.mfa: set[str] = set()  # ids of users who registered it
        self.domains = [tenant.identity.initial_domain]
        self.conditional_access: list[AccessPolicy] = []

    @fallible("directory_reader.users_called")
    async def users_called(self, name: str) -> list[Account]:
        wanted = name.casefold()
        return [
            user
            for user in self.people.users.values()
            if wanted
            in (
                user.id.casefold(),
                user.user_principal_name.casefold(),
                user.mail.casefold(),
                user.display_name.casefold(),
            )
        ]

    @fallible("directory_reader.groups_called")
    async def groups_called(self, name: str) -> list[Origin]:
        found = self.people.groups.items()
        return [
            _group(id_, n) for id_, n in found if name.casefold() in (id_.casefold(), n.casefold())
        ]

    async def users_in(self, group: Origin) -> AsyncIterator[list[Account]]:
        await self._read()
        for id_ in self.people.members.get(group.id, []):
            if id_ in self.people.users:
                yield [msgspec.structs.replace(self.people.users[id_], origins=(group,))]

    @fallible("directory_reader.groups_in")
    async def groups_in(self, group: Origin) -> list[Origin]:
        return [
            _group(id_, self.people.groups[id_])
            for id_ in self.people.members.get(group.id, [])
            if id_ in self.people.groups
        ]

    async def everyone(self) -> AsyncIterator[list[Account]]:
        for user in self.people.users.values():
            yield [user]

    @fallible("directory_reader.existing")
    async def existing(self, ids: Sequence[str]) -> frozenset[str]:
        return frozenset(id_ for id_ in ids if id_ in self.people.users)

    @fallible("directory_reader.mfa_registered")
    async def mfa_registered(self) -> frozenset[str]:
        return frozenset(self.mfa)

    @fallible("directory_reader.verified_domains")
    async def verified_domains(self) -> tuple[str, ...]:
        return tuple(self.domains)

    @fallible("directory_reader.policies")
    async def policies(self) -> list[AccessPolicy]:
        return list(self.conditional_access)

    @fallible("directory_reader.group_lines")
    async def group_lines(
        self, prefix: str, after: str, limit: int
    ) -> tuple[list[GroupLine], bool]:
        people = self.people
        ordered = sorted(people.groups.items(), key=lambda pair: (pair[1].casefold(), pair[0]))
        wanted = [pair for pair in ordered if pair[1].casefold().startswith(prefix.casefold())]
        reached = next((n + 1 for n, pair in enumerate(wanted) if pair[0] == after), 0)
        lines = [
            GroupLine(
                id=id_,
                name=name,
                members=sum(m in people.users for m in people.members[id_]),
                parents=tuple(sorted(g for g, inside in people.members.items() if id_ in inside)),
                children=tuple(sorted(m for m in people.members[id_] if m in people.groups)),
            )
            for id_, name in wanted[reached : reached + limit]
        ]
        return lines, len(wanted) > reached + limit

    @fallible("directory_reader.users_in")
    async def _read(self) -> None:
        """The call of ``users_in`` that tests can make fail."""


class FakeImportStore:
    """Implements ``ports.ImportStore``; the tag counts the changes of a connection's users."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._requests: dict[tuple[str, str], ImportRequest] = {}
        self._stores: dict[str, tuple[UserStore, int]] = {}
        self._summaries: dict[tuple[str, str], ImportSummary] = {}
        self._rows: dict[tuple[str, str], list[ImportRow]] = {}

    @fallible("import_store.keep")
    async def keep(self, connection: str, operation: str, request: ImportRequest) -> None:
        self._requests[connection, operation] = request

    @fallible("import_store.request")
    async def request(self, connection: str, operation: str) -> ImportRequest | None:
        return self._requests.get((connection, operation))

    @fallible("import_store.load")
    async def load(self, connection: str) -> tuple[UserStore, str]:
        store, changes = self._stores.get(connection, (UserStore(), 0))
        return store, str(changes or "")

    @fallible("import_store.save")
    async def save(
        self,
        connection: str,
        store: UserStore,
        tag: str,
        summary: ImportSummary | None = None,
        rows: Sequence[ImportRow] = (),
    ) -> None:
        _, changes = self._stores.get(connection, (UserStore(), 0))
        if tag != str(changes or ""):
            raise TryLater("CONFIG_CONFLICT", f"the users of {connection} were changed meanwhile")
        self._stores[connection] = (store, changes + 1)
        if summary is not None:
            self._summaries[connection, summary.operation] = summary
            self._rows[connection, summary.operation] = list(rows)

    @fallible("import_store.note")
    async def note(self, summary: ImportSummary) -> None:
        self._summaries[summary.connection, summary.operation] = summary

    @fallible("import_store.summaries")
    async def summaries(self, connection: str) -> list[ImportSummary]:
        found = [run for (name, _), run in self._summaries.items() if name == connection]
        return sorted(found, key=lambda run: run.started, reverse=True)

    async def rows(self, connection: str, operation: str) -> AsyncIterator[ImportRow]:
        for row in self._rows.get((connection, operation), []):
            yield row


def _group(id_: str, name: str) -> Origin:
    return Origin(kind="group", id=id_, name=name)
