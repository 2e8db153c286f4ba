"""Accounts of the tenant in memory."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Account, Origin, Through
from shared.model.entities import Findings, Page
from tests.fakes.faults import fallible
from tests.fakes.tenant import FakeTenant

Way = tuple[str, tuple[Through, ...]]
"""A user or group, and the groups through which it is reached."""


@dataclass
class People:
    """Users, groups and role holders; ids of members may be users or groups."""

    users: dict[str, Account] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)  # id -> name
    members: dict[str, list[str]] = field(default_factory=dict)  # group id -> ids
    holders: dict[str, list[str]] = field(default_factory=dict)  # role id -> ids
    eligible: dict[str, list[str]] = field(default_factory=dict)  # role id -> ids
    units: dict[str, str] = field(default_factory=dict)  # administrative unit id -> name
    expired: set[str] = field(default_factory=set)  # links that are refused, once each

    def add_user(self, name: str, *, enabled: bool = True, guest: bool = False) -> str:
        """Add a user called *name*; returns its id."""
        id_ = f"user-{name}"
        self.users[id_] = Account(
            id=id_,
            user_principal_name=f"{name}@contoso.onmicrosoft.com",
            display_name=name,
            enabled=enabled,
            guest=guest,
            mail="",
            origins=(),
        )
        return id_

    def add_group(self, name: str, members: Sequence[str] = ()) -> str:
        """Add a group with users or groups as members; returns its id."""
        id_ = f"group-{len(self.groups)}-{name}"
        self.groups[id_] = name
        self.members[id_] = list(members)
        return id_

    def within(self, ids: Sequence[str]) -> list[tuple[str, str]]:
        """Each user among *ids*, directly or through groups, with the outermost group's name."""
        found: dict[str, str] = {}
        for user, chain in self.ways(ids):
            found.setdefault(user, chain[0].name if chain else "")
        return list(found.items())

    def ways(self, ids: Sequence[str], root: str = "") -> list[Way]:
        """Each user among *ids*, which are in *root*, once for each group that it is directly in.

        With the groups between: of several ways to a group the shortest, and of those the first.
        """
        found: list[Way] = []
        seen = {root}
        level: list[Way] = [(id_, ()) for id_ in ids]
        while level:
            below: list[Way] = []
            for id_, chain in sorted(level, key=_steps):
                if id_ in self.users:
                    found.append((id_, chain))
                elif id_ not in seen:
                    seen.add(id_)
                    step = Through(id=id_, name=self.groups.get(id_, id_))
                    below += [(member, (*chain, step)) for member in self.members.get(id_, [])]
            level = below
        return found


def _steps(way: Way) -> list[str]:
    return [*(step.id for step in way[1]), way[0]]


class FakeAccountReader:
    """Implements ``ports.AccountReader`` over `people`."""

    def __init__(self, tenant: FakeTenant, *, page_size: int = 2) -> None:
        self.faults = tenant.faults
        self.people = People()
        self._tenant = tenant
        self._page_size = page_size
        self.on_page: Callable[[str, str], None] | None = None  # told id and link; may raise

    @fallible("account_reader.resolve_groups")
    async def resolve_groups(self, names: Sequence[str]) -> dict[str, list[Origin]]:
        return {name: _matching(name, self._groups()) for name in names}

    @fallible("account_reader.all_groups")
    async def all_groups(self) -> list[Origin]:
        return self._groups()

    @fallible("account_reader.resolve_roles")
    async def resolve_roles(self, names: Sequence[str]) -> dict[str, list[Origin]]:
        return {name: _matching(name, self._roles()) for name in names}

    @fallible("account_reader.all_roles")
    async def all_roles(self) -> list[Origin]:
        return self._roles()

    async def member_pages(self, group: Origin, link: str = "") -> AsyncIterator[Page]:
        found = [
            _from(self.people.users[user], replace(group, chain=chain))
            for user, chain in self.people.ways(self.people.members.get(group.id, []), group.id)
        ]
        async for page in self._paged(group.id, found, link):
            yield page

    async def holder_pages(
        self, role: Origin, link: str = "", *, eligible: bool = False
    ) -> AsyncIterator[Page]:
        held = (self.people.eligible if eligible else self.people.holders).get(role.id, [])
        found = [
            _from(self.people.users[user], replace(role, chain=chain, eligible=eligible))
            for user, chain in self.people.ways(held)
        ]
        async for page in self._paged(role.id, found, link):
            yield page

    @fallible("account_reader.unit_names")
    async def unit_names(self) -> dict[str, str]:
        return dict(self.people.units)

    async def _paged(self, id_: str, found: list[Account], link: str) -> AsyncIterator[Page]:
        """A link is the number of rows before it; one from `expired` is no longer good."""
        at = int(link or 0)
        while True:
            await self._page(id_)
            if self.on_page is not None:
                self.on_page(id_, link)
            if link and link in self.people.expired:
                self.people.expired.discard(link)
                raise NeedsHuman("PAGE_TOKEN_EXPIRED", f"HTTP 400 {link}", "Nothing.")
            end = at + self._page_size
            link = str(end) if end < len(found) else ""
            yield Page(findings=Findings(rows=tuple(found[at:end])), next_link=link)
            if not link:
                return
            at = end

    @fallible("account_reader.read")
    async def _page(self, what: str) -> None:
        """The call of ``members`` or ``holders`` that tests can make fail."""

    def _groups(self) -> list[Origin]:
        return [Origin(kind="group", id=id_, name=n) for id_, n in self.people.groups.items()]

    def _roles(self) -> list[Origin]:
        return [Origin(kind="role", id=id_, name=n) for n, id_ in self._tenant.role_ids.items()]


def _matching(name: str, origins: list[Origin]) -> list[Origin]:
    by_id = [origin for origin in origins if origin.id == name]
    return by_id or [o for o in origins if o.name.casefold() == name.casefold()]


def _from(account: Account, origin: Origin) -> Account:
    return replace(account, origins=(origin,), eligible=origin.eligible)
