"""Granting permissions, and keeping account of what Keyturn itself has granted."""

from collections.abc import Collection, Iterable, Sequence

from shared.errors import NeedsHuman
from shared.model.directory import (
    DelegatedGrant,
    Grant,
    Kind,
    Permission,
    Resource,
)
from shared.planning.access import api_name
from shared.planning.consent import BY_HAND, grant_of, key_text, scopes_with
from shared.step import Work

NEEDED = {
    Kind.APPLICATION: "AppRoleAssignment.ReadWrite.All",
    Kind.DELEGATED: "DelegatedPermissionGrant.ReadWrite.All",
}
"""What the automation must hold to grant a permission of each kind."""


async def read_grants(work: Work) -> tuple[list[Grant], list[DelegatedGrant]]:
    principal_id, consents = work.connection.facts.principal_id, work.ctx.consents
    return await consents.granted(principal_id), await consents.delegated(principal_id)


async def grant_missing(
    work: Work,
    resources: Sequence[Resource],
    missing: Sequence[Permission],
    delegated: Sequence[DelegatedGrant],
) -> None:
    """Grant what is *missing*, one after the other; *delegated* is what is granted now."""
    await _require_own_rights(work, missing)
    await note_given(work, add=[key_text(p.key) for p in missing])
    for resource in resources:
        on_it = [p for p in missing if p.key.resource == resource.app_id]
        for permission in on_it:
            if permission.key.kind == Kind.APPLICATION:
                await _grant(work, resource, permission)
        scopes = tuple(p.name for p in on_it if p.key.kind == Kind.DELEGATED)
        if scopes:
            await _grant_scopes(work, resource, scopes, delegated)


async def _require_own_rights(work: Work, missing: Sequence[Permission]) -> None:
    """Say what is missing before the first write, instead of failing half-way."""
    own = await work.ctx.directory.own_roles()
    needed = dict.fromkeys(NEEDED[p.key.kind] for p in missing)
    if absent := [name for name in needed if name not in own]:
        raise NeedsHuman(
            "AUTOMATION_PRIVILEGE",
            f"{', '.join(sorted(p.name for p in missing))} have no admin consent, and the "
            f"automation's identity lacks {', '.join(absent)}, which granting it needs.",
            "Grant it to the automation (docs/deployment.md), or have an administrator grant the "
            f"consent in the portal; then send the request again. {BY_HAND}",
        )


async def note_given(work: Work, *, add: Iterable[str] = (), drop: Collection[str] = ()) -> None:
    """Marks of permissions or roles, stored before they are given: a crash forgets nothing."""
    name = work.connection.spec.name
    known = await work.ctx.ledger.connection(name)
    given = known.given if known else ()
    marks = tuple(dict.fromkeys(mark for mark in (*given, *add) if mark not in drop))
    if marks != given:
        await work.ctx.ledger.amend(name, given=marks)


async def _grant(work: Work, resource: Resource, permission: Permission) -> None:
    principal_id = work.connection.facts.principal_id
    await work.ctx.consents.grant(principal_id, resource.principal_id, permission.key.id)
    await record(work, "consent.granted", resource, permission.name)


async def _grant_scopes(
    work: Work, resource: Resource, scopes: tuple[str, ...], delegated: Sequence[DelegatedGrant]
) -> None:
    """One grant for each API holds all scopes; others' scopes in it stay."""
    consents, principal_id = work.ctx.consents, work.connection.facts.principal_id
    if (there := grant_of(delegated, resource)) is None:
        await consents.grant_scopes(principal_id, resource.principal_id, scopes)
    else:
        await consents.set_scopes(there, scopes_with(there, scopes))
    await record(work, "consent.granted", resource, " ".join(scopes), Kind.DELEGATED)


async def record(
    work: Work, what: str, resource: Resource, permission: str, kind: Kind = Kind.APPLICATION
) -> None:
    await work.record(
        what,
        permission=permission,
        kind=kind,
        on=api_name(resource.app_id),
        principal=work.connection.facts.principal_id,
    )
