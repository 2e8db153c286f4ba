"""What Keyturn has made for a connection and is still there, in the order that is safe to remove.

First what lets the product act (memberships, roles, permissions), then what it signs in with, and
the application last: its ids are how people find what a refusal leaves behind.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from shared.errors import NeedsHuman
from shared.model.connection import Connection, Membership, Value
from shared.model.credential import FederatedTrust, HeldSecret, StoredSecret
from shared.model.directory import (
    Application,
    DelegatedGrant,
    Grant,
    Kind,
    PermissionKey,
    Resource,
    RoleAssignment,
    WantedApplication,
)
from shared.planning.access import ROLE_MARK
from shared.planning.application import OURS
from shared.planning.consent import grant_of, key_text, keys_given, scopes_without


class Leave(Value, frozen=True):
    """Take the service principal out of an Azure DevOps organisation."""

    org: str
    member_id: str

    @property
    def told(self) -> str:
        return f"membership of the Azure DevOps organisation {self.org}"


class TakeRole(Value, frozen=True):
    """Take a directory role away."""

    assignment: RoleAssignment

    @property
    def told(self) -> str:
        return f"directory role {self.assignment.role_id}"


class Revoke(Value, frozen=True):
    """Take back one application permission."""

    grant: Grant
    name: str

    @property
    def told(self) -> str:
        return f"permission {self.name}"


class Narrow(Value, frozen=True):
    """Take back delegated permissions; others' scopes in the same grant stay."""

    grant: DelegatedGrant
    left: tuple[str, ...]

    @property
    def told(self) -> str:
        gone = (scope for scope in self.grant.scopes if scope not in self.left)
        return f"delegated permissions {' '.join(gone)}"


class Shelve(Value, frozen=True):
    """Disable a secret of the vault in every version, and delete it."""

    name: str
    enabled: tuple[StoredSecret, ...]

    @property
    def told(self) -> str:
        return f"secret {self.name} in the vault"


class Distrust(Value, frozen=True):
    """Remove the federated credential."""

    object_id: str
    trust: FederatedTrust

    @property
    def told(self) -> str:
        return f"federated credential {self.trust.name}"


class Expel(Value, frozen=True):
    """Remove a client secret or certificate of ours by its key id."""

    object_id: str
    key_id: str
    certificate: bool = False

    @property
    def told(self) -> str:
        what = "certificate" if self.certificate else "client secret"
        return f"{what} {self.key_id} of the application"


class Release(Value, frozen=True):
    """Take our tags and permissions out of an adopted application, and leave it."""

    object_id: str
    client_id: str
    left: WantedApplication

    @property
    def told(self) -> str:
        return f"Keyturn's tags and permissions on the adopted application {self.client_id}"


class Delete(Value, frozen=True):
    """Delete the application that Keyturn made; its service principal goes with it."""

    object_id: str
    client_id: str

    @property
    def told(self) -> str:
        return f"application {self.client_id}"


Removal = Leave | TakeRole | Revoke | Narrow | Shelve | Distrust | Expel
Last = Release | Delete


class Seen(Value, frozen=True):
    """What tenant and vault show; everything empty where it is gone."""

    application: Application | None
    membership: Membership | None
    roles: Sequence[RoleAssignment]
    resources: Sequence[Resource]  # the APIs that something was given on
    granted: Sequence[Grant]
    delegated: Sequence[DelegatedGrant]
    entries: Mapping[str, Sequence[StoredSecret]]  # versions by name, of names that are ours
    trusts: Sequence[FederatedTrust]
    held: Sequence[HeldSecret]


def plan_removals(
    seen: Seen,
    given: Iterable[str],
    *,
    spared: Collection[str],
    our_keys: Collection[str],
    trust: str,
) -> tuple[Removal, ...]:
    """Everything but the application. *given* are the marks of what Keyturn gave, of which
    *spared* are needed by other connections; *our_keys* key ids, *trust* a name."""
    marks = [mark for mark in given if mark not in spared]
    found: list[Removal] = []
    if seen.membership is not None:
        found.append(Leave(seen.membership.org, seen.membership.member_id))
    roles = {mark.removeprefix(ROLE_MARK) for mark in marks if mark.startswith(ROLE_MARK)}
    found += [TakeRole(a) for a in seen.roles if a.everywhere and a.role_id in roles]
    found += _permissions(seen, keys_given(marks))
    found += [
        Shelve(name, tuple(v for v in versions if v.enabled))
        for name, versions in seen.entries.items()
        if versions
    ]
    if seen.application is not None:
        object_id = seen.application.object_id
        found += [Distrust(object_id, known) for known in seen.trusts if known.name == trust]
        found += [
            Expel(object_id, s.key_id, s.certificate) for s in seen.held if s.key_id in our_keys
        ]
    return tuple(found)


def _permissions(seen: Seen, keys: Sequence[PermissionKey]) -> list[Removal]:
    found: list[Removal] = []
    for resource in seen.resources:
        ours = [key for key in keys if key.resource == resource.app_id]
        names = {p.key: p.name for p in resource.permissions}
        roles = {key.id: names.get(key, key.id) for key in ours if key.kind == Kind.APPLICATION}
        found += [
            Revoke(grant, roles[grant.permission_id])
            for grant in seen.granted
            if grant.resource_id == resource.principal_id and grant.permission_id in roles
        ]
        scopes = [names.get(key, key.id) for key in ours if key.kind == Kind.DELEGATED]
        there = grant_of(seen.delegated, resource)
        if there is not None and (left := scopes_without(there, scopes)) != there.scopes:
            found.append(Narrow(there, left))
    return found


def plan_last(
    seen: Seen, connection: Connection, *, adopted: bool, spared: Collection[str]
) -> Last | None:
    """What becomes of the application when nothing else is left; None when that is done."""
    app = seen.application
    if app is None:
        return None
    if not adopted:
        return Delete(app.object_id, app.client_id)
    given = {k for k in keys_given(connection.given) if key_text(k) not in spared}
    mine = f"{OURS}:{connection.spec.name}"
    tags = tuple(tag for tag in app.tags if tag != mine)
    if not any(tag.startswith(f"{OURS}:") for tag in tags):
        tags = tuple(tag for tag in tags if tag != OURS)
    if tags == app.tags and not given & app.configured:
        return None
    left = WantedApplication(
        unique_name="",
        display_name=app.display_name,
        audience=app.audience,
        public_client=app.public_client,
        web_redirects=app.web_redirects,
        native_redirects=app.native_redirects,
        spa_redirects=app.spa_redirects,
        configured=app.configured - given,
        tags=tags,
        adopts=app.client_id,
    )
    return Release(app.object_id, app.client_id, left)


def is_ours(app: Application, connection: Connection) -> bool:
    """Whether it is the connection's: known by its id, or by both marks that ours are born with."""
    if connection.facts.object_id:
        return app.object_id == connection.facts.object_id
    return {OURS, f"{OURS}:{connection.spec.name}"} <= set(app.tags)


def shared_by(connection: Connection, all_of_them: Iterable[Connection]) -> tuple[Connection, ...]:
    """Other connections, not offboarded, that use the same application."""
    client_id = connection.facts.client_id
    return tuple(
        other
        for other in all_of_them
        if client_id
        and other.facts.client_id == client_id
        and other.spec.name != connection.spec.name
        and (other.offboarding is None or other.offboarding.finished is None)
    )


def still_used(connection: Connection, others: Iterable[Connection]) -> NeedsHuman:
    """The application that Keyturn made for this connection was adopted by others."""
    names = ", ".join(sorted(other.spec.name for other in others))
    return NeedsHuman(
        "APPLICATION_SHARED",
        f"The application {connection.facts.client_id} is also used by {names}; nothing was "
        "removed.",
        f"Offboard {names} first, then send DELETE again.",
    )


def incomplete(refused: Sequence[tuple[str, NeedsHuman]], left: Sequence[str]) -> NeedsHuman:
    """Everything that remains, and why what was refused was refused."""
    why = "; ".join(f"{what}: {problem.code}, {problem.message}" for what, problem in refused)
    remedies = " ".join(dict.fromkeys(problem.remedy for _, problem in refused))
    return NeedsHuman(
        "OFFBOARDING_INCOMPLETE",
        f"Still there: {', '.join(left)}. Refused: {why}",
        f"{remedies} Or remove by hand what is named. Then send DELETE again: it goes on with what "
        "is left.",
    )
