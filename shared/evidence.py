"""Reads everything that a verification judges."""

import asyncio
from datetime import datetime, timedelta

from shared.errors import NeedsHuman
from shared.federation import trust_of
from shared.leftovers import leftovers, note_strays
from shared.model.connection import Stray
from shared.model.credential import NewSecret, StoredSecret
from shared.model.directory import Application, Kind, Principal
from shared.model.finding import Item
from shared.model.profile import RETIRED
from shared.planning import expiry, federation, strays
from shared.planning.consent import Judged, Verdict, judge
from shared.planning.credential_parts import Facts
from shared.planning.credentials import staging_name
from shared.planning.findings import accepted
from shared.planning.lifetime import policy_of
from shared.planning.observed import stray_item
from shared.planning.ownership import NOT_READ, Owners
from shared.planning.registration import is_adopted
from shared.planning.sign_in import SignIn, Tried, expected_roles, looks_like_id
from shared.planning.verification import Evidence, HeldRole
from shared.proof import read_with, sign_in
from shared.step import BELIEVED, Work
from shared.upkeep import look_after
from shared.wanted import Wanted, registered


async def gather(work: Work, wants: Wanted) -> tuple[Evidence, NewSecret | None]:
    """All of it is reading, so it is done at once; also the published secret, if there is one."""
    facts, ctx = work.connection.facts, work.ctx
    (
        judged,
        application,
        principal,
        (missing, extra, role_ids),
        (found, secret, foreign),
    ) = await asyncio.gather(
        _judged(work, wants),
        registered(work, wants.application),
        ctx.applications.principal(facts.client_id),
        _roles(work, wants.access.roles),
        _credential(work, wants),
    )
    deleted = None
    if application is None:
        deleted = await _deleted(work)
    now, known = ctx.clock.now(), work.connection.credential
    adopted = is_adopted(work.profile, work.connection.spec)
    left = accepted(work.connection.findings, work.connection.decisions, now)
    published = known.published if known else None
    loud = [stray for stray in foreign if stray_item(stray) not in left]
    others = [
        strays.trouble(loud, published, adopted=adopted, now=now),
        await _trust(work),
        expiry.trouble(work.connection, now, expiry.notice_of(work.profile, work.connection.spec)),
    ]
    evidence = Evidence(
        wanted=wants.application,
        application=application,
        principal=principal,
        deleted=deleted,
        permissions=wants.permissions,
        offered=tuple(p for resource in wants.resources for p in resource.permissions),
        judged=judged,
        roles_wanted=wants.access.roles,
        roles_missing=missing,
        roles_extra=extra,
        role_ids=role_ids,
        owners=await _owners(work, wants, application, principal),
        accepted=left,
        young=_young(judged, now, BELIEVED * ctx.pace),
        sign_in=found,
        adopted=adopted,
        given=work.connection.given,
        since=work.connection.verified,
        strays=foreign,
        published=published,
        others=tuple(filter(None, others)),
        now=now,
    )
    return evidence, secret


async def _deleted(work: Work) -> datetime | None:
    """When the application was deleted; a refusal to say so must not hide that it is gone."""
    try:
        return await work.ctx.applications.deleted(work.connection.facts.object_id)
    except NeedsHuman:
        return None


async def _judged(work: Work, wants: Wanted) -> tuple[Judged, ...]:
    ctx, principal_id = work.ctx, work.connection.facts.principal_id
    granted, delegated = await asyncio.gather(
        ctx.consents.granted(principal_id), ctx.consents.delegated(principal_id)
    )
    tolerated = wants.application.tolerated
    judged = judge(wants.permissions, wants.resources, granted, delegated, tolerated)
    if all(j.verdict != Verdict.FOREIGN for j in judged):
        return judged
    retired = await ctx.directory.resource(RETIRED)
    if retired is None:
        return judged
    return judge(wants.permissions, (*wants.resources, retired), granted, delegated, tolerated)


def _young(judged: tuple[Judged, ...], now: datetime, settle: timedelta) -> frozenset[Item]:
    """What was granted so lately that it may be part of something that is still going on."""
    return frozenset(
        j.item
        for j in judged
        if j.item is not None
        and j.verdict in {Verdict.EXTRA, Verdict.FOREIGN}
        and j.created is not None
        and abs(now - j.created) < settle
    )


async def _owners(
    work: Work, wants: Wanted, application: Application | None, principal: Principal | None
) -> Owners:
    if application is None or principal is None:
        return NOT_READ
    applications, directory = work.ctx.applications, work.ctx.directory
    names = tuple(wants.owners)
    own, held, of_principal, ids = await asyncio.gather(
        directory.own_principal(),
        applications.owners(application.object_id),
        applications.principal_owners(principal.object_id),
        asyncio.gather(*map(directory.user_id, names)),
    )
    return Owners(
        own=own,
        wanted={id_: name for name, id_ in zip(names, ids, strict=True) if id_},
        of_application=held,
        of_principal=of_principal,
    )


async def _roles(
    work: Work, wanted: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[HeldRole, ...], dict[str, str]]:
    """Names of the directory roles that are missing, those that nobody wants, and all ids."""
    roles = work.ctx.roles
    held, ids = await asyncio.gather(
        roles.assigned(work.connection.facts.principal_id),
        asyncio.gather(*map(roles.role_id, wanted)),
    )
    there = {assignment.role_id for assignment in held if assignment.everywhere}
    known = {name: id_ for name, id_ in zip(wanted, ids, strict=True) if id_}
    missing = tuple(name for name, id_ in zip(wanted, ids, strict=True) if id_ not in there)
    more = [a for a in held if not (a.everywhere and a.role_id in ids)]
    if not more:
        return missing, (), known
    names = await roles.names()
    extra = [
        HeldRole(role_id=a.role_id, scope=a.scope, name=names.get(a.role_id, a.role_id))
        for a in more
    ]
    return missing, tuple(sorted(extra, key=lambda role: role.told)), known


async def _credential(
    work: Work, wants: Wanted
) -> tuple[SignIn | None, NewSecret | None, tuple[Stray, ...]]:
    """The secret that is served, what signing in with it shows, and the secrets of others."""
    name, vault = work.connection.spec.name, work.ctx.vault
    held, served, staged = await asyncio.gather(
        work.ctx.credentials.held(work.connection.facts.object_id),
        vault.current(name),
        vault.current(staging_name(name)),
    )
    left = await leftovers(work, held or (), served.key_id if served else "")
    foreign = await note_strays(work, held, (served, staged), left)
    if not work.profile.credential.kept:
        return None, None, foreign
    shown = None if held is None else tuple(held)
    seen = Facts(held=shown, served=served, staged=staged, leftovers=left)
    await look_after(work, policy_of(work.profile, work.connection.spec), seen)
    there = held is None or any(s.key_id == served.key_id for s in held) if served else False
    if _left_to_others(work):
        foreign = ()  # made by the one who rotates
        if served is not None and not there:
            return None, None, foreign  # he has replaced the secret that was handed over
    secret = await vault.reveal(served) if served else None
    if served is None or secret is None:
        return SignIn(served=False, lost=await _lost(work)), None, foreign
    return await _signed_in(work, wants, served, secret, held=there), secret, foreign


async def _lost(work: Work) -> str:
    """What became of the published version, as far as the vault still shows it."""
    known = work.connection.credential
    if known is None:
        return ""
    versions = await work.ctx.vault.all_versions(known.vault_name)
    if not versions:
        return f"{known.vault_name} was deleted or purged there"
    return f"the current version of {known.vault_name} is disabled"


async def _signed_in(
    work: Work, wants: Wanted, served: StoredSecret, secret: NewSecret, *, held: bool
) -> SignIn:
    """Sign in with the secret; once that works everywhere, read with what the tokens carry."""
    permissions = [
        (p.key.resource, p.name) for p in wants.permissions if p.key.kind == Kind.APPLICATION
    ]
    expected = expected_roles(work.profile, work.connection.spec, permissions)
    refused: NeedsHuman | None = None
    tried: tuple[Tried, ...] = ()
    try:
        tried = await sign_in(work, secret, expected)
    except NeedsHuman as problem:
        refused = problem
    good = refused is None and all(each.token is not None for each in tried)
    return SignIn(
        served=True,
        held=held,
        by_hand=not served.key_id,
        hint=served.hint,
        word=served.shape.word,
        published=served.created,
        expires=served.expires,
        looks_like_id=looks_like_id(secret.reveal(), secret.key_id),
        refused=refused,
        tokens=tried,
        reads=await read_with(work, secret, expected) if good else (),
    )


def _left_to_others(work: Work) -> bool:
    return policy_of(work.profile, work.connection.spec).external


async def _trust(work: Work) -> NeedsHuman | None:
    if work.profile.credential.kept:
        return None
    there = await work.ctx.federation.trusted(work.connection.facts.object_id)
    return federation.trouble(await trust_of(work), there)
