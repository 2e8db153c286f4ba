"""Wanted, configured and granted permissions, compared as sets by id and kind."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from shared.model.connection import Value
from shared.model.directory import DelegatedGrant, Grant, Kind, Permission, Resource


class Verdict(StrEnum):
    """What a comparison says of one permission."""

    OK = "ok"
    MISSING = "missing"  # wanted, not granted
    EXTRA = "extra"  # granted for everybody on an API of the profile, not wanted
    FOREIGN = "foreign"  # granted for one user, or on an API that the profile does not name


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
    resource: Resource,
    granted: Iterable[Grant],
    delegated: Iterable[DelegatedGrant],
) -> tuple[Judged, ...]:
    """The verdict on every permission wanted or granted. An empty list means none, not any."""
    wanted = [p for p in wanted if p.key.resource == resource.app_id]
    by_id = {p.key.id: p.name for p in resource.permissions if p.key.kind == Kind.APPLICATION}
    want = {p.key.id: p.name for p in wanted if p.key.kind == Kind.APPLICATION}
    want_scopes = {p.name for p in wanted if p.key.kind == Kind.DELEGATED}
    have: set[str] = set()
    found: list[Judged] = []
    for grant in granted:
        if grant.resource_id != resource.principal_id:
            found.append(Judged(Verdict.FOREIGN, f"{grant.resource_id}/{grant.permission_id}"))
        elif grant.permission_id in want:
            have.add(grant.permission_id)
        else:
            name = by_id.get(grant.permission_id, grant.permission_id)
            found.append(Judged(Verdict.EXTRA, name))
    have_scopes = _scopes(delegated, resource, want_scopes, found)
    found += [
        Judged(Verdict.OK if id_ in have else Verdict.MISSING, name) for id_, name in want.items()
    ]
    found += [
        Judged(Verdict.OK if name in have_scopes else Verdict.MISSING, name)
        for name in sorted(want_scopes)
    ]
    return tuple(sorted(found, key=lambda j: (j.verdict, j.name)))


def _scopes(
    delegated: Iterable[DelegatedGrant],
    resource: Resource,
    want: set[str],
    found: list[Judged],
) -> set[str]:
    """Wanted scopes that are granted for everybody; whatever else is granted goes to *found*."""
    have: set[str] = set()
    for grant in delegated:
        for scope in grant.scopes:
            if not grant.everybody or grant.resource_id != resource.principal_id:
                found.append(Judged(Verdict.FOREIGN, f"{scope} (delegated)"))
            elif scope in want:
                have.add(scope)
            else:
                found.append(Judged(Verdict.EXTRA, f"{scope} (delegated)"))
    return have
