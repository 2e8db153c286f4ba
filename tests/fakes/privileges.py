"""Who holds what, and password resets by the matrix, over one `FakeTenant`."""

from collections.abc import Iterable

from shared.errors import NeedsHuman
from shared.model.credential import NewSecret
from shared.model.privilege import (
    GROUP,
    RESTRICTED,
    ROLE,
    Held,
    Privileges,
    ResetAnswer,
    ResetTarget,
)
from shared.planning.advice import able
from shared.planning.reset import PERMISSIONS
from tests.fakes.accounts import People
from tests.fakes.credentials import FakeTokens
from tests.fakes.faults import fallible
from tests.fakes.part import Part
from tests.fakes.tenant import FakeTenant


class FakePrivileges(Part):
    """Implements ``ports.PrivilegeReader``; `refused` names what cannot be read."""

    def __init__(self, tenant: FakeTenant, people: People) -> None:
        super().__init__(tenant)
        self._people = people
        self.assignable: set[str] = set()  # ids of role-assignable groups
        self.owners: dict[str, list[str]] = {}  # group id -> user ids
        self.restricted: dict[str, list[str]] = {}  # role id -> user ids, in a restricted unit
        self.refused: tuple[str, ...] = ()

    @fallible("privileges.read")
    async def privileges(self) -> Privileges:
        return Privileges(held=self.held(), unknown=self.refused)

    def held(self) -> dict[str, tuple[Held, ...]]:
        found: dict[str, dict[Held, None]] = {}
        names = {id_: name for name, id_ in self._tenant.role_ids.items()}
        people = self._people

        def add(users: Iterable[str], held: Held) -> None:
            for user in users:
                found.setdefault(user, {})[held] = None

        for role, ids in people.holders.items():
            for user, via in people.within(ids):
                add([user], Held(kind=ROLE, name=names[role], via=via))
        if "eligible roles" not in self.refused:
            for role, ids in people.eligible.items():
                users = [user for user, _ in people.within(ids)]
                add(users, Held(kind=ROLE, name=names[role], via="eligible"))
        for role, users in self.restricted.items():
            add(users, Held(kind=RESTRICTED, name=names[role]))
        for group in self.assignable:
            members = [user for user, _ in people.within([group])]
            add(members, Held(kind=GROUP, name=people.groups[group]))
            owned = Held(kind=GROUP, name=people.groups[group], via="owner")
            add(self.owners.get(group, []), owned)
        return {user: tuple(things) for user, things in found.items()}


class FakeResetTrial(Part):
    """Implements ``ports.ResetTrial``; refuses as Entra does: by permission, then by the matrix."""

    def __init__(self, tenant: FakeTenant, people: People, privileges: FakePrivileges) -> None:
        super().__init__(tenant)
        self._people = people
        self._privileges = privileges
        self._tokens = FakeTokens(tenant)
        self.synchronised: set[str] = set()  # user ids
        self.federated: set[str] = set()
        self.strict = False  # refuse what the matrix allows
        self.reset_ids: list[str] = []  # accounts whose password was set

    @fallible("reset_trial.target")
    async def target(self, account: str) -> ResetTarget | None:
        wanted = account.lower()
        for user in self._people.users.values():
            if wanted in (user.id.lower(), user.user_principal_name.lower()):
                return ResetTarget(
                    id=user.id,
                    user_principal_name=user.user_principal_name,
                    synchronised=user.id in self.synchronised,
                    federated=user.id in self.federated,
                    guest=user.guest,
                )
        return None

    @fallible("reset_trial.reset")
    async def reset(self, client_id: str, secret: NewSecret, user_id: str) -> ResetAnswer | None:
        token = await self._tokens.obtain(client_id, secret)
        if token is None:
            return None
        if user_id not in self._people.users:
            raise NeedsHuman("GRAPH_REFUSED", f"HTTP 404: {user_id}", "Correct it.")
        allowed = bool(token.roles & PERMISSIONS) and self._role_suffices(client_id, user_id)
        if allowed:
            self.reset_ids.append(user_id)
        return ResetAnswer(done=allowed, token_roles=token.roles)

    def _role_suffices(self, client_id: str, user_id: str) -> bool:
        names = {id_: name for name, id_ in self._tenant.role_ids.items()}
        held = self._tenant.principals[client_id].roles
        own = {names[row.role_id] for row in held if row.scope == "/"}
        return not self.strict and bool(own & able(self._privileges.held().get(user_id, ())))
