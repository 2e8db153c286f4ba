"""Checks that the connection still is what its profile says: guide steps 19 and 26."""

from datetime import timedelta

from shared.model.connection import Aspect
from shared.model.credential import NewSecret
from shared.model.directory import Kind
from shared.planning.consent import Judged, Verdict, judge
from shared.planning.verification import Evidence, find_trouble, looks_like_id
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
    await work.ctx.ledger.set_access(name, granted, roles)
    await work.ctx.ledger.set_due("verify", name, work.ctx.clock.now() + EVERY)
    if trouble := find_trouble(evidence):
        raise trouble
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
    facts = work.connection.facts
    consents, applications = work.ctx.consents, work.ctx.applications
    granted = await consents.granted(facts.principal_id)
    delegated = await consents.delegated(facts.principal_id)
    judged: dict[Judged, None] = {}
    for resource in wants.resources:
        judged |= dict.fromkeys(judge(wants.permissions, resource, granted, delegated))
    token = await work.ctx.tokens.obtain(facts.client_id, secret)
    expected = frozenset(p.name for p in wants.permissions if p.key.kind == Kind.APPLICATION)
    return Evidence(
        wanted=wants.application,
        application=await applications.find(wants.application.unique_name),
        principal=await applications.principal(facts.client_id),
        judged=tuple(judged),
        roles_wanted=wants.access.roles,
        roles_missing=await _roles_missing(work, wants.access.roles),
        token=token,
        token_roles=expected,
        secret_looks_like_id=looks_like_id(secret.reveal(), secret.key_id),
        refused_reads=await _refused(work, secret, expected) if token else (),
    )


async def _roles_missing(work: Work, names: tuple[str, ...]) -> tuple[str, ...]:
    held = await work.ctx.roles.assigned(work.connection.facts.principal_id)
    there = {assignment.role_id for assignment in held if assignment.scope == "/"}
    return tuple([name for name in names if await work.ctx.roles.role_id(name) not in there])


async def _refused(work: Work, secret: NewSecret, names: frozenset[str]) -> tuple[str, ...]:
    client_id = work.connection.facts.client_id
    return tuple(
        [n for n in sorted(names) if await work.ctx.tokens.read_as(client_id, secret, n) is False]
    )
