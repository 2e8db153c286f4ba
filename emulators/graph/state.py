"""Everything the emulated tenant holds."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulators.clock import Clock
from emulators.graph.audit import AuditLog
from emulators.graph.changes import ChangeLog
from emulators.graph.errors import not_found
from emulators.graph.ids import Ids, is_guid
from emulators.graph.lag import Lag, Replicated, Written
from emulators.graph.membership import Membership
from emulators.graph.paging import Paging
from emulators.graph.policies import Policies
from emulators.graph.population import Population
from emulators.graph.prepared import Prepared


@dataclass
class Secret:
    """One client secret; the text stays here, answers show it once."""

    key_id: str
    display_name: str | None
    start: str
    end: str
    text: str
    born: Written | None
    gone: Written | None = None

    def view(self) -> dict[str, Any]:
        return {
            "customKeyIdentifier": None,
            "displayName": self.display_name,
            "endDateTime": self.end,
            "hint": self.text[:3],
            "keyId": self.key_id,
            "secretText": None,
            "startDateTime": self.start,
        }


@dataclass
class Key:
    """One certificate; `body` is what Graph shows when it is selected, the public key with it."""

    body: dict[str, Any]
    born: Written | None
    gone: Written | None = None

    @property
    def key_id(self) -> str:
        return str(self.body["keyId"])


@dataclass
class Entity:
    """A directory object: its Graph properties and what belongs to it."""

    kind: str
    body: dict[str, Any]
    owners: list[str] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    federated: dict[str, dict[str, Any]] = field(default_factory=dict)
    members: Membership | None = None
    deleted_with: str | None = None

    @property
    def id(self) -> str:
        return str(self.body["id"])


KINDS = ("application", "servicePrincipal", "group", "administrativeUnit", "directoryRole")


class Tenant:
    """The directory; handlers read and write it in one piece, between two awaits."""

    def __init__(self, clock: Clock, seed: int, users: int, groups: int | None = None) -> None:
        self.clock = clock
        self.seed = seed
        self.ids = Ids(seed)
        self.lag = Lag(clock)
        self.id = self.ids.guid()
        self.domain = "contoso.onmicrosoft.com"
        self.domains = {self.domain: "Managed"}  # name: authenticationType
        self.display_name = "Contoso"
        self.users = Population(self.lag, users, seed, self.domain)
        self.tables: dict[str, Replicated[Entity]] = {k: Replicated(self.lag) for k in KINDS}
        self._keys: dict[tuple[str, str, str], str] = {}
        self.deleted: dict[str, Entity] = {}
        self.app_roles: Replicated[dict[str, Any]] = Replicated(self.lag)
        self.consents: Replicated[dict[str, Any]] = Replicated(self.lag)
        self.role_assignments: Replicated[dict[str, Any]] = Replicated(self.lag)
        self.eligibilities: Replicated[dict[str, Any]] = Replicated(self.lag)
        self.role_definitions: dict[str, dict[str, Any]] = {}
        self.privileged_roles: set[str] = set()
        self.policies = Policies(self.ids)
        self.access_policies: dict[str, dict[str, Any]] = {}
        self.mfa: dict[str, bool] = {}  # users of whom the admin interface said so
        self.changes = ChangeLog(clock)
        self.paging = Paging(clock)
        self.groups = groups
        """Of a large tenant; else those of every day are seeded."""
        self.prepared = Prepared(on=groups is not None)
        self.audit = AuditLog(clock, self.ids)
        self.issued_secrets: list[str] = []

    def stamp(self, *, fraction: bool = False) -> str:
        return date_text(self.clock.now(), fraction=fraction)

    def add(self, entity: Entity, *, settled: bool = False) -> None:
        self.tables[entity.kind].add(entity.id, entity, settled=settled)
        for name in ("appId", "uniqueName"):
            if entity.body.get(name):
                self._keys[entity.kind, name, entity.body[name].lower()] = entity.id
        if not settled:
            self.changes.note(entity.kind, entity.id)

    def entity(self, kind: str, identity: str) -> Entity:
        """The object as reads see it, or 404."""
        found = self.tables[kind].read(identity.lower())
        if found is None:
            raise not_found(identity)
        return found

    def find(self, identity: str, kinds: tuple[str, ...] = KINDS) -> Entity | None:
        """Any object but a user, by id, as reads see it."""
        identity = identity.lower()
        for kind in kinds:
            found = self.tables[kind].read(identity)
            if found is not None:
                return found
        return None

    def application_of(self, app_id: str) -> Entity | None:
        return self._by_property("application", "appId", app_id)

    def principal_of(self, app_id: str) -> Entity | None:
        return self._by_property("servicePrincipal", "appId", app_id)

    def by_unique_name(self, kind: str, name: str) -> Entity | None:
        return self._by_property(kind, "uniqueName", name)

    def _by_property(self, kind: str, name: str, value: str) -> Entity | None:
        """By the truth: alternate keys are unique whatever replicas show."""
        identity = self._keys.get((kind, name, value.lower()))
        return None if identity is None else self.tables[kind].truth(identity)

    def user(self, key: str) -> dict[str, Any]:
        """A user by id or userPrincipalName, or 404."""
        found = self.users.get(key) if is_guid(key) else self.users.by_name(key)
        if found is None:
            raise not_found(key)
        return found

    def exists(self, identity: str) -> bool:
        """Whether reads see this directory object."""
        return self.find(identity) is not None or self.users.get(identity) is not None

    def name_of(self, identity: str) -> str | None:
        found = self.find(identity)
        body = found.body if found is not None else self.users.get(identity)
        return body.get("displayName") if body else None


def date_text(moment: datetime, *, fraction: bool = False) -> str:
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{moment.microsecond:06d}Z" if fraction else text + "Z"
