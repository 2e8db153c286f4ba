"""Grants admin consent: guide step 25 of Devolutions Server, and its like.

When what is wanted has changed, the new permissions are granted and confirmed first, and only
then those are taken back that Keyturn itself granted earlier: at no moment is there less.
"""

from collections.abc import Collection, Sequence

from shared.granting import grant_missing, note_given, read_grants, record
from shared.model.connection import Aspect
from shared.model.directory import DelegatedGrant, Grant, Kind, PermissionKey, Resource
from shared.planning.consent import grant_of, key_text, lacking, outdated, scopes_without
from shared.planning.risk import require_approval
from shared.step import Done, Work, step
from shared.wanted import Wanted, registered, wanted


@step(Aspect.CONSENTED)
async def consent(work: Work) -> Done:
    """Grant the permissions that are wanted and missing, then take back outdated ones."""
    wants = await wanted(work)
    require_approval(wants.access, work.connection.approval)
    granted, delegated = await read_grants(work)
    if missing := lacking(wants.permissions, wants.resources, granted, delegated):
        await grant_missing(work, wants.resources, missing, delegated)
        granted, delegated = await _confirm(work, wants)
    known = await work.ctx.ledger.connection(work.connection.spec.name)
    if old := outdated(known.given if known else (), wants.permissions):
        for resource in wants.resources:
            await _revoke(work, resource, old, granted)
            await _revoke_scopes(work, resource, old, delegated)
        await _trim(work, wants, old)
        await note_given(work, drop={key_text(key) for key in old})
    names = ", ".join(sorted(p.name for p in wants.permissions)) or "none"
    return Done("GRANTED", f"Granted and confirmed: {names}.")


async def _confirm(work: Work, wants: Wanted) -> tuple[list[Grant], list[DelegatedGrant]]:
    """Read back: lists lag behind grants by up to a minute."""
    granted, delegated = await read_grants(work)
    if still := lacking(wants.permissions, wants.resources, granted, delegated):
        raise work.wait(
            "CONSENT_MISSING",
            f"{len(still)} of {len(wants.permissions)} permissions were granted and are not "
            f"listed yet: {', '.join(sorted(p.name for p in still))}.",
            seconds=10,
        )
    return granted, delegated


async def _revoke(
    work: Work, resource: Resource, old: Sequence[PermissionKey], granted: Sequence[Grant]
) -> None:
    """Take back what Keyturn granted and nobody wants now; of others' grants nothing."""
    names = {p.key: p.name for p in resource.permissions}
    keys = {k.id: k for k in old if k.resource == resource.app_id and k.kind == Kind.APPLICATION}
    for grant in granted:
        key = keys.get(grant.permission_id)
        if key is not None and grant.resource_id == resource.principal_id:
            await work.ctx.consents.revoke(grant)
            await record(work, "consent.revoked", resource, names.get(key, key.id))


async def _revoke_scopes(
    work: Work,
    resource: Resource,
    old: Collection[PermissionKey],
    delegated: Sequence[DelegatedGrant],
) -> None:
    there = grant_of(delegated, resource)
    scopes = [p.name for p in resource.permissions if p.key in old and p.key.kind == Kind.DELEGATED]
    if there is None or (left := scopes_without(there, scopes)) == there.scopes:
        return
    await work.ctx.consents.set_scopes(there, left)
    await record(work, "consent.revoked", resource, " ".join(scopes), Kind.DELEGATED)


async def _trim(work: Work, wants: Wanted, old: Collection[PermissionKey]) -> None:
    """Last of all the registration stops to ask for what was taken back."""
    application = await registered(work, wants.application)
    if application is None:
        raise work.wait("APP_REPLICATION", "The application is not visible just now.", seconds=5)
    left = application.configured - frozenset(old)
    if left != application.configured:
        work.turn.before_write()
        await work.ctx.applications.configure(application.object_id, left)
        work.turn.after_write()
