"""Reads what is left of what Keyturn made for a connection, and removes it piece by piece."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.errors import NeedsHuman
from shared.federation import trust_of
from shared.leftovers import leftovers
from shared.mirror import values
from shared.model.connection import Connection
from shared.model.credential import HeldSecret, StoredSecret
from shared.model.directory import Application, Kind, Resource
from shared.model.profile import fill
from shared.planning import offboarding as plan
from shared.planning.access import ROLE_MARK, plan_access
from shared.planning.application import unique_name
from shared.planning.consent import key_text, keys_given
from shared.planning.credentials import staging_name
from shared.planning.templates import profile_inputs
from shared.planning.vault_entries import named, vault_name
from shared.profile import catalogue
from shared.step import Work

T = TypeVar("T")


async def gather(work: Work) -> plan.Seen:
    """All of it is reading; what is gone reads as nothing."""
    facts, ctx = work.connection.facts, work.ctx
    application = await _application(work)
    principal_id = facts.principal_id
    given = [key.resource for key in keys_given(work.connection.given)]
    object_id = application.object_id if application else ""
    membership = work.connection.membership
    roles, granted, delegated, found, entries = await asyncio.gather(
        _listed(ctx.roles.assigned, principal_id),
        _listed(ctx.consents.granted, principal_id),
        _listed(ctx.consents.delegated, principal_id),
        asyncio.gather(*(ctx.directory.resource(api) for api in dict.fromkeys(given))),
        _entries(work),
    )
    trusts = await ctx.federation.trusted(object_id) if object_id and _federated(work) else []
    held = await ctx.credentials.held(object_id) if object_id else None
    return plan.Seen(
        application=application,
        # Whom somebody else added is theirs to remove.
        membership=membership if membership and membership.member_id else None,
        roles=roles,
        resources=[resource for resource in found if resource is not None],
        granted=granted,
        delegated=delegated,
        entries=entries,
        trusts=trusts,
        held=held or (),
    )


def adopted_id(work: Work) -> str:
    """Client id of the application that the request named; empty when Keyturn made its own."""
    inputs = profile_inputs(work.profile, work.connection.spec)
    return fill(work.profile.registration.existing, inputs).strip().lower()


async def our_keys(work: Work, seen: plan.Seen) -> frozenset[str]:
    """Key ids of the secrets that operations of this connection made; nobody else's."""
    held: tuple[HeldSecret, ...] = tuple(seen.held)
    ours = set(await leftovers(work, held, ""))
    if known := work.connection.credential:
        ours |= {known.key_id, known.previous_key_id}
    name = work.connection.spec.name
    for entry in (name, staging_name(name)):
        ours |= {version.key_id for version in seen.entries.get(entry, ())}
    return frozenset(ours - {""})


async def trust_name(work: Work) -> str:
    return (await trust_of(work)).name if _federated(work) else ""


async def needed_by(work: Work, other: Connection) -> frozenset[str]:
    """Marks of what Keyturn gave that *other*, on the same application, needs as well."""
    marks = work.connection.given
    profile = catalogue().get(other.spec.profile)
    if profile is None:
        return frozenset(marks)
    access = plan_access(profile, other.spec, other.advice, other.roles)
    wants = {(p.resource, p.kind, p.name.lower()) for p in access.permissions}
    found = set()
    for key in keys_given(marks):
        resource = await work.ctx.directory.resource(key.resource)
        if (key.resource, key.kind, _named(resource, key.kind, key.id)) in wants:
            found.add(key_text(key))
    roles = await work.ctx.roles.names()
    held = {mark for mark in marks if mark.startswith(ROLE_MARK)}
    found |= {m for m in held if roles.get(m.removeprefix(ROLE_MARK)) in access.roles}
    return frozenset(found)


async def carry_out(work: Work, removal: plan.Removal) -> None:
    """One removal; safe to repeat. Writes to the application wait their time."""
    ctx, principal_id = work.ctx, work.connection.facts.principal_id
    match removal:
        case plan.Leave(org=org, member_id=member_id):
            await _leave(work, org, member_id)
        case plan.TakeRole(assignment=held):
            await ctx.roles.unassign(held)
            await work.record("role.removed", role=held.role_id, assignment=held.id)
        case plan.Revoke(grant=grant, name=name):
            await ctx.consents.revoke(grant)
            api = grant.resource_id
            await work.record("consent.revoked", permission=name, principal=principal_id, on=api)
        case plan.Narrow(grant=there, left=left):
            await ctx.consents.set_scopes(there, left)
            gone = [scope for scope in there.scopes if scope not in left]
            data = {"permission": " ".join(gone), "kind": Kind.DELEGATED, "on": there.resource_id}
            await work.record("consent.revoked", principal=principal_id, **data)
        case plan.Shelve(name=name, enabled=versions):
            for version in versions:
                await ctx.vault.disable(version)
            await ctx.vault.remove(name)
            await work.record("vault.removed", name=name, versions=len(versions))
        case plan.Distrust(object_id=object_id, trust=trust):
            work.turn.before_write()
            await ctx.federation.remove(object_id, trust.id)
            work.turn.after_write()
            await work.record("federation.removed", name=trust.name, issuer=trust.issuer)
        case plan.Expel(object_id=object_id, key_id=key_id):
            work.turn.before_write()
            await ctx.credentials.remove(object_id, key_id)
            work.turn.after_write()
            await work.record("secret.removed", key_id=key_id, why="offboarded")


async def finish_application(work: Work, last: plan.Last) -> None:
    """Delete it, or give an adopted one back."""
    work.turn.before_write()
    match last:
        case plan.Delete(object_id=object_id, client_id=client_id):
            await work.ctx.applications.remove(object_id)
            what = "application.deleted"
        case plan.Release(object_id=object_id, client_id=client_id, left=left):
            await work.ctx.applications.update(object_id, left)
            what = "application.released"
    work.turn.after_write()
    await work.record(what, object_id=object_id, client_id=client_id)


async def _application(work: Work) -> Application | None:
    """The connection's application, unless somebody else's has taken its place."""
    applications, connection = work.ctx.applications, work.connection
    if client_id := adopted_id(work):
        # Without facts it was never ours to write to.
        known = bool(connection.facts.object_id)
        return await applications.of_client(client_id) if known else None
    found = await applications.find(unique_name(connection.spec.name))
    return found if found is not None and plan.is_ours(found, connection) else None


async def _entries(work: Work) -> dict[str, list[StoredSecret]]:
    """Versions under every name that the connection may have written to, if they are its own."""
    connection = work.connection
    own = (connection.spec.name, staging_name(connection.spec.name))
    names = dict.fromkeys((*await _names(work), *own))
    listed = await asyncio.gather(*(work.ctx.vault.all_versions(name) for name in names))
    return {
        name: versions
        for name, versions in zip(names, listed, strict=True)
        if versions and _is_own(connection, versions[-1], published=name in own)
    }


async def _names(work: Work) -> list[str]:
    """Names that the product reads by itself: those noted, and those that the profile gives."""
    found = list(work.connection.handed)
    known = await values(work)
    for output in named(work.profile, work.connection):
        try:
            found.append(vault_name(output, known))
        except NeedsHuman:
            continue  # no vault takes such a name: nothing was written
    return found


def _is_own(connection: Connection, newest: StoredSecret, *, published: bool) -> bool:
    """By its tags; a name that the product reads may have been made before there were tags."""
    if published:
        client_id = connection.facts.client_id
        return bool(client_id) and newest.tags.get("clientId") == client_id
    owner = newest.tags.get("connection", "")
    return owner == connection.spec.name or (not owner and newest.name in connection.handed)


async def _leave(work: Work, org: str, member_id: str) -> None:
    organisations = work.ctx.organisations
    await organisations.remove(org, member_id)
    if await organisations.member(org, member_id) is not None:
        raise work.wait("DEVOPS_STILL_MEMBER", f"The member of {org} is still listed.", seconds=10)
    await work.record("devops.left", org=org, member=member_id)
    await work.ctx.ledger.amend(work.connection.spec.name, membership=None)


def _federated(work: Work) -> bool:
    return not work.profile.credential.kept


def _named(resource: Resource | None, kind: Kind, id_: str) -> str:
    offered = resource.permissions if resource else ()
    return next((p.name.lower() for p in offered if (p.key.kind, p.key.id) == (kind, id_)), id_)


async def _listed(read: Callable[[str], Awaitable[list[T]]], id_: str) -> list[T]:
    """Nothing is there of what never had an id."""
    return await read(id_) if id_ else []
