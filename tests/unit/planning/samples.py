"""Small values that the planners' tables are made of; every one differs by what a case names."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from shared.model.accounts import Account, Origin
from shared.model.connection import Spec
from shared.model.credential import HeldSecret, StoredSecret
from shared.model.directory import (
    GRAPH_APP_ID,
    Application,
    Kind,
    Permission,
    PermissionKey,
    Principal,
    Resource,
    WantedApplication,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
GRAPH_SP = "graph-sp"


def permission(name: str, kind: Kind = Kind.APPLICATION, api: str = GRAPH_APP_ID) -> Permission:
    return Permission(key=PermissionKey(resource=api, kind=kind, id=f"id-{name}"), name=name)


USERS = permission("User.Read.All")
GROUPS = permission("Group.Read.All")
USERS_SCOPE = permission("User.Read.All", Kind.DELEGATED)
SIGN_IN = permission("User.Read", Kind.DELEGATED)
GRAPH = Resource(
    app_id=GRAPH_APP_ID, principal_id=GRAPH_SP, permissions=(USERS, GROUPS, USERS_SCOPE, SIGN_IN)
)


def spec(*, accept: tuple[str, ...] = (), **features: bool) -> Spec:
    return Spec(
        name="dvls", profile="devolutions-server", features=features, inputs={}, accept_swaps=accept
    )


WANTED = WantedApplication(
    unique_name="keyturn-dvls",
    display_name="DVLS PAM",
    audience="AzureADMyOrg",
    public_client=False,
    web_redirects=("https://a.example/cb", "https://b.example/cb"),
    native_redirects=(),
    spa_redirects=(),
    configured=frozenset({USERS.key, GROUPS.key}),
    tags=("keyturn", "keyturn:dvls"),
)

APPLICATION = Application(
    object_id="app-object",
    client_id="app-client",
    display_name=WANTED.display_name,
    audience=WANTED.audience,
    public_client=WANTED.public_client,
    web_redirects=tuple(reversed(WANTED.web_redirects)),
    native_redirects=(),
    spa_redirects=(),
    configured=WANTED.configured,
    tags=("somebody's own", *WANTED.tags),
    locked=True,
    created=NOW - DAY,
)

PRINCIPAL = Principal(object_id="app-sp", client_id="app-client", enabled=True)


def held(key_id: str, name: str, *, age: timedelta = 10 * DAY, life: timedelta = 180 * DAY):
    return HeldSecret(key_id=key_id, name=name, starts=NOW - age, ends=NOW - age + life)


def stored(key_id: str, operation: str, *, age: timedelta = 10 * DAY, **changes: object):
    plain = StoredSecret(
        name="dvls",
        version="1",
        key_id=key_id,
        operation=operation,
        created=NOW - age,
        expires=None,
        enabled=True,
    )
    return replace(plain, **changes)


STAFF = Origin(kind="group", id="g2", name="Staff")


def account(id_: str = "ada", *origins: Origin, **changes: object) -> Account:
    """In scope by *origins*, a group where there are none."""
    plain = Account(
        id=id_,
        user_principal_name=f"{id_}@contoso.com",
        display_name=id_,
        enabled=True,
        guest=False,
        mail="",
        origins=origins or (STAFF,),
    )
    return replace(plain, **changes)
