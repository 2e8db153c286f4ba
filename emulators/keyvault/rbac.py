"""Azure role assignments on the vault: who may do what, and from when on."""

from enum import StrEnum

import msgspec

from emulators.clock import Clock
from emulators.keyvault.errors import Refusal
from emulators.keyvault.store import Store
from emulators.keyvault.tokens import Caller

PREFIX = "Microsoft.KeyVault/vaults/secrets/"
GET = PREFIX + "getSecret/action"


class Role(StrEnum):
    """Built-in roles, by their names in Azure."""

    OFFICER = "Key Vault Secrets Officer"
    USER = "Key Vault Secrets User"
    NONE = "none"

    @classmethod
    def _missing_(cls, value: object) -> "Role | None":
        """Accept the short names too."""
        return {"officer": cls.OFFICER, "user": cls.USER}.get(str(value).lower())


class Assignment(msgspec.Struct):
    """A role of one application, in force from *since* on; *names* limits it to those secrets."""

    app_id: str
    role: Role
    since: float
    names: list[str] | None = None

    def allows(self, action: str, name: str) -> bool:
        if self.names is not None and name.lower() not in {n.lower() for n in self.names}:
            return False
        return self.role is Role.OFFICER or (self.role is Role.USER and action == GET)


class Rbac:
    """The newest assignment in force decides; an application without one has the default role."""

    def __init__(self, clock: Clock, store: Store, default: Role, delay: float) -> None:
        self._clock = clock
        self._store = store
        self._delay = delay
        kept = store.get("rbac")
        self.assignments = msgspec.json.decode(kept, type=list[Assignment]) if kept else []
        self.default = default

    def assign(
        self, app_id: str, role: Role, names: list[str] | None = None, delay: float | None = None
    ) -> Assignment:
        """Grant (or with `Role.NONE` revoke); both take effect only after *delay* seconds."""
        since = self._clock.time() + (self._delay if delay is None else delay)
        made = Assignment(app_id, role, since, names)
        self.assignments.append(made)
        self._store.write({"rbac": msgspec.json.encode(self.assignments)})
        return made

    def require(self, caller: Caller, action: str, name: str, vault: str) -> None:
        """Refuse with the service's text unless *caller* may do *action* on secret *name*."""
        now = self._clock.time()
        held = Assignment(caller.app_id, self.default, 0)
        for assignment in self.assignments:
            if assignment.app_id == caller.app_id and assignment.since <= now:
                held = assignment
        if held.allows(action, name):
            return
        text = (
            "Caller is not authorized to perform action on resource.\r\n"
            "If role assignments, deny assignments or role definitions were changed recently, "
            "please observe propagation time.\r\n"
            f"Caller: appid={caller.app_id};oid={caller.oid}\r\n"
            f"Action: '{action}'\r\nVault: {vault};location=westeurope\r\n"
        )
        raise Refusal(403, "Forbidden", text, "ForbiddenByRbac")
