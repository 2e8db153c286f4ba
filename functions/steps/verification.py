"""Checks that the connection still is what its profile says: guide steps 19 and 26."""

import asyncio
from datetime import timedelta

from shared.model.connection import Aspect
from shared.model.credential import NewSecret
from shared.model.directory import Kind
from shared.planning.consent import Verdict, judge
from shared.planning.sign_in import expected_roles
from shared.planning.verification import Evidence, Read, Tried, find_trouble, looks_like_id
from shared.proof import read_with, sign_in
from shared.reset_trial import reset_trial
from shared.step import Done, Work, step
from shared.wanted import Wanted, wanted

EVERY = timedelta(days=1)


@step(Aspect.VERIFIED)
async def verification(work: Work) -> Done:
    """Compare wanted, configured and granted, and sign in with the published secret."""
    wants = await wanted(work)
    secret = await _published(work)
    evidence = await _gather(work, wants, secret)
    granted = tuple(j.name for j in evidence.judged if j.verdict != Verdict.MISSING)
    roles = tuple(r for r in evidence.roles_wanted if r not in evidence.roles_missing)
    name = work.connection.spec.name
    await work.ctx.ledger.amend(name, granted=granted, roles=roles)
    await work.ctx.ledger.set_due("verify", name, work.ctx.clock.now() + EVERY)
    if trouble := find_trouble(evidence) or await reset_trial(work, secret):
        raise work.doubt(trouble)
    return Done(
        "VERIFIED",
        f"Signed in with the published secret; {len(granted)} permissions and {len(roles)} roles "
        "are as the profile wants them.",
    )


async def _published(work: Work) -> NewSecret:
    current = await work.ctx.vault.current(work.connection.spec.name)
    secret = await work.ctx.vault.reveal(current) if current else None
    if secret is None:
        raise work.wait("SECRET_MISSING", "The vault serves no secret.", seconds=10, minutes=5)
    return secret


async def _gather(work: Work, wants: Wanted, secret: NewSecret) -> Evidence:
    """All of it is reading, so it is done at once."""
    facts, ctx = work.connection.facts, work.ctx
    permissions = [
        (p.key.resource, p.name) for p in wants.permissions if p.key.kind == Kind.APPLICATION
    ]
    expected = expected_roles(work.profile, work.connection.spec, permissions)
    granted, delegated, application, principal, missing, (tried, read) = await asyncio.gather(
        ctx.consents.granted(facts.principal_id),
        ctx.consents.delegated(facts.principal_id),
        ctx.applications.find(wants.application.unique_name),
        ctx.applications.principal(facts.client_id),
        _roles_missing(work, wants.access.roles),
        _used(work, secret, expected),
    )
    return Evidence(
        wanted=wants.application,
        application=application,
        principal=principal,
        judged=judge(wants.permissions, wants.resources, granted, delegated),
        roles_wanted=wants.access.roles,
        roles_missing=missing,
        tokens=tried,
        secret_looks_like_id=looks_like_id(secret.reveal(), secret.key_id),
        reads=read,
    )


async def _roles_missing(work: Work, names: tuple[str, ...]) -> tuple[str, ...]:
    roles = work.ctx.roles
    held, ids = await asyncio.gather(
        roles.assigned(work.connection.facts.principal_id),
        asyncio.gather(*map(roles.role_id, names)),
    )
    there = {assignment.role_id for assignment in held if assignment.scope == "/"}
    return tuple(name for name, id_ in zip(names, ids, strict=True) if id_ not in there)


async def _used(
    work: Work, secret: NewSecret, expected: dict[str, frozenset[str]]
) -> tuple[tuple[Tried, ...], tuple[Read, ...]]:
    """Sign in with the secret; once that works everywhere, read with what the tokens carry."""
    tried = await sign_in(work, secret, expected)
    if any(each.token is None for each in tried):
        return tried, ()
    return tried, await read_with(work, secret, expected)
