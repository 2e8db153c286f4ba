"""Wanted, configured and granted permissions, compared as sets by id and kind."""

from collections.abc import Collection, Iterable, Iterator, Sequence
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
from shared.model.profile import RETIRED


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


def missing(
    wanted: Sequence[Permission], resource: Resource, granted: Iterable[Grant]
) -> tuple[Permission, ...]:
    """Application permissions of this API that are wanted and not granted."""
    there = {g.permission_id for g in granted if g.resource_id == resource.principal_id}
    return tuple(
        p
        for p in wanted
        if p.key.resource == resource.app_id
        and p.key.kind == Kind.APPLICATION
        and p.key.id not in there
    )


def judge(
    wanted: Sequence[Permission],
    resources: Sequence[Resource],
    granted: Iterable[Grant],
    delegated: Iterable[DelegatedGrant],
    tolerated: Collection[PermissionKey] = (),
) -> tuple[Judged, ...]:
    """The verdict on every permission wanted or granted. An empty list means none, not any.

    *resources* are the APIs that the profile names, and Azure AD Graph where the tenant has it:
    nothing can be wanted on that one. What is *tolerated* gets no verdict.
    """
    apis = {resource.principal_id: resource for resource in resources}
    want = {p.key: p.name for p in wanted}
    have: dict[PermissionKey, None] = {}
    found: list[Judged] = []
    for grant in granted:
        api = apis.get(grant.resource_id)
        if api is None:
            found.append(Judged(Verdict.FOREIGN, f"{grant.resource_id}/{grant.permission_id}"))
            continue
        key = PermissionKey(resource=api.app_id, kind=Kind.APPLICATION, id=grant.permission_id)
        have[key] = None
        if key not in want and key not in tolerated:
            found.append(Judged(_surplus(api), _name(api, key)))
    for scope, holder in _scopes(delegated):
        api = apis.get(holder.resource_id)
        if api is None or not holder.everybody:
            verdict = _surplus(api) if api and api.app_id == RETIRED else Verdict.FOREIGN
            found.append(Judged(verdict, f"{scope} (delegated)"))
            continue
        key = _scope_key(api, scope)
        have[key] = None
        if key not in want and key not in tolerated:
            found.append(Judged(_surplus(api), f"{scope} (delegated)"))
    found += [
        Judged(Verdict.OK if key in have else Verdict.MISSING, name) for key, name in want.items()
    ]
    return tuple(sorted(found, key=lambda j: (j.verdict, j.name)))


def _scopes(delegated: Iterable[DelegatedGrant]) -> Iterator[tuple[str, DelegatedGrant]]:
    return ((scope, grant) for grant in delegated for scope in grant.scopes)


def _scope_key(api: Resource, scope: str) -> PermissionKey:
    """Delegated grants name their scopes; one that the API does not offer is its own id."""
    known = (
        p.key
        for p in api.permissions
        if p.key.kind == Kind.DELEGATED and p.name.lower() == scope.lower()
    )
    return next(known, PermissionKey(resource=api.app_id, kind=Kind.DELEGATED, id=scope))


def _name(api: Resource, key: PermissionKey) -> str:
    return next((p.name for p in api.permissions if p.key == key), key.id)


def _surplus(api: Resource) -> Verdict:
    return Verdict.RETIRED if api.app_id == RETIRED else Verdict.EXTRA
