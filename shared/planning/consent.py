"""Wanted, configured and granted permissions, compared as sets by id and kind."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from shared.model.connection import Value
from shared.model.directory import (
    DelegatedGrant,
    Grant,
    Kind,
    Permission,
    PermissionKey,
    Resource,
)
from shared.model.finding import Item, What
from shared.model.profile import RETIRED

BY_HAND = (
    "Who grants consent by hand must be Privileged Role Administrator or Global Administrator: "
    "Application Administrator cannot grant Microsoft Graph's application permissions."
)
"""Part of every remedy that sends people to the portal (ADMIN_CANNOT_CONSENT).

Source: Entra built-in roles, Application Administrator.
"""


DELEGATED = " (delegated)"
"""Follows the names of delegated permissions that nobody wanted."""


class Verdict(StrEnum):
    """What a comparison says of one permission."""

    OK = "ok"
    MISSING = "missing"  # wanted, not granted
    EXTRA = "extra"  # granted for everybody on an API of the profile, not wanted
    FOREIGN = "foreign"  # granted for one user, or on an API that the profile does not name
    RETIRED = "retired"  # granted or configured on Azure AD Graph, which answers nobody any more


class Judged(Value, frozen=True):
    """A permission, or a grant on an unknown API, and its verdict."""

    verdict: Verdict
    name: str
    item: Item | None = None  # None in tables of tests that are not about it
    created: datetime | None = None  # of a grant, where Graph says so


def lacking(
    wanted: Iterable[Permission],
    resources: Iterable[Resource],
    granted: Iterable[Grant],
    delegated: Iterable[DelegatedGrant],
) -> tuple[Permission, ...]:
    """What is wanted and not granted, of both kinds; in the order in which it is wanted."""
    have = held(resources, granted, delegated)
    return tuple(p for p in wanted if p.key not in have)


def held(
    resources: Iterable[Resource], granted: Iterable[Grant], delegated: Iterable[DelegatedGrant]
) -> frozenset[PermissionKey]:
    """What is granted on these APIs, to the application itself or for everybody."""
    apis = {resource.principal_id: resource for resource in resources}
    roles = {
        _role_key(apis[grant.resource_id], grant) for grant in granted if grant.resource_id in apis
    }
    scopes = {
        _scope_key(apis[grant.resource_id], scope)
        for scope, grant in _scopes(delegated)
        if grant.everybody and grant.resource_id in apis
    }
    return frozenset(roles | scopes)


def grant_of(delegated: Iterable[DelegatedGrant], resource: Resource) -> DelegatedGrant | None:
    """The one grant of delegated permissions of this API for everybody."""
    return next(
        (g for g in delegated if g.everybody and g.resource_id == resource.principal_id), None
    )


def scopes_with(grant: DelegatedGrant, wanted: Iterable[str]) -> tuple[str, ...]:
    """What the grant is to hold: PATCH replaces the whole string, others' scopes stay."""
    there = {scope.lower() for scope in grant.scopes}
    return (*grant.scopes, *(name for name in wanted if name.lower() not in there))


def scopes_without(grant: DelegatedGrant, unwanted: Iterable[str]) -> tuple[str, ...]:
    gone = {name.lower() for name in unwanted}
    return tuple(scope for scope in grant.scopes if scope.lower() not in gone)


def key_text(key: PermissionKey) -> str:
    """How a connection notes what Keyturn itself granted: ``<api>/<kind>/<permission id>``."""
    return f"{key.resource}/{key.kind}/{key.id}"


def keys_given(given: Iterable[str]) -> tuple[PermissionKey, ...]:
    """The permissions among everything that Keyturn itself has given."""
    parts = (text.split("/") for text in given)
    return tuple(
        PermissionKey(resource=part[0], kind=Kind(part[1]), id=part[2])
        for part in parts
        if len(part) == 3
    )


def outdated(given: Iterable[str], wanted: Iterable[Permission]) -> tuple[PermissionKey, ...]:
    """What Keyturn granted once and the profile does not want any more."""
    want = {p.key for p in wanted}
    return tuple(key for key in keys_given(given) if key not in want)


def judge(
    wanted: Sequence[Permission],
    resources: Sequence[Resource],
    granted: Sequence[Grant],
    delegated: Sequence[DelegatedGrant],
    tolerated: Collection[PermissionKey] = (),
) -> tuple[Judged, ...]:
    """The verdict on every permission wanted or granted. An empty list means none, not any.

    *resources* are the APIs that the profile names, and Azure AD Graph where the tenant has it:
    nothing can be wanted on that one. What is *tolerated* gets no verdict.
    """
    apis = {resource.principal_id: resource for resource in resources}
    want = {p.key: p.name for p in wanted}
    have = held(resources, granted, delegated)
    found = [
        Judged(Verdict.OK if key in have else Verdict.MISSING, name, item_of(key))
        for key, name in want.items()
    ]
    made: dict[PermissionKey, datetime] = {}
    for grant in granted:
        api = apis.get(grant.resource_id)
        if api is None:
            found.append(_unknown(grant))
        elif grant.created is not None:
            made[_role_key(api, grant)] = grant.created
    for scope, holder in _scopes(delegated):
        api = apis.get(holder.resource_id)
        if api is None or not holder.everybody:
            found.append(_others(scope, holder, api))
    surplus = have - want.keys() - set(tolerated)
    found += [_surplus(key, resources, made.get(key)) for key in surplus]
    return tuple(sorted(found, key=lambda j: (j.verdict, j.name)))


def item_of(key: PermissionKey) -> Item:
    """A permission as granted: to the application itself, or for everybody."""
    what = What.APPLICATION if key.kind == Kind.APPLICATION else What.DELEGATED
    return Item(what=what, id=key.id, api=key.resource)


def _surplus(key: PermissionKey, resources: Iterable[Resource], created: datetime | None) -> Judged:
    names = {p.key: p.name for resource in resources for p in resource.permissions}
    verdict = Verdict.RETIRED if key.resource == RETIRED else Verdict.EXTRA
    kind = DELEGATED if key.kind == Kind.DELEGATED else ""
    return Judged(verdict, f"{names.get(key, key.id)}{kind}", item_of(key), created)


def _unknown(grant: Grant) -> Judged:
    """A grant on an API that the profile does not name."""
    item = Item(what=What.APPLICATION, id=grant.permission_id, api=grant.resource_id)
    name = f"{grant.resource_id}/{grant.permission_id}"
    return Judged(Verdict.FOREIGN, name, item, grant.created)


def _others(scope: str, holder: DelegatedGrant, api: Resource | None) -> Judged:
    """A scope that was granted for one user, or on an API that the profile does not name."""
    retired = api is not None and api.app_id == RETIRED
    item = Item(
        what=What.DELEGATED if holder.everybody else What.USER_CONSENT,
        id=scope if api is None else _scope_key(api, scope).id,
        api=holder.resource_id if api is None else api.app_id,
        scope=holder.user,
    )
    whose = f" (delegated, for the user {holder.user})" if holder.user else DELEGATED
    return Judged(Verdict.RETIRED if retired else Verdict.FOREIGN, f"{scope}{whose}", item)


def _scopes(delegated: Iterable[DelegatedGrant]) -> Iterator[tuple[str, DelegatedGrant]]:
    return ((scope, grant) for grant in delegated for scope in grant.scopes)


def _role_key(api: Resource, grant: Grant) -> PermissionKey:
    return PermissionKey(resource=api.app_id, kind=Kind.APPLICATION, id=grant.permission_id)


def _scope_key(api: Resource, scope: str) -> PermissionKey:
    """Delegated grants name their scopes; one that the API does not offer is its own id."""
    known = (
        p.key
        for p in api.permissions
        if p.key.kind == Kind.DELEGATED and p.name.lower() == scope.lower()
    )
    return next(known, PermissionKey(resource=api.app_id, kind=Kind.DELEGATED, id=scope))
