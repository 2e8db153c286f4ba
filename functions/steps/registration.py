"""Registers the application: guide steps 3 to 24 of Devolutions Server, and their like."""

import asyncio

from msgspec.structs import replace

from shared.computed import compute_features
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Aspect, Facts
from shared.planning import registration_problems as problems
from shared.planning.access import api_name
from shared.planning.application import merged, merged_principal
from shared.planning.registration import (
    Absent,
    AddOwner,
    CreatePrincipal,
    Finished,
    Foreign,
    Gone,
    Lock,
    NotOwned,
    Register,
    Seen,
    Wait,
    is_foreign,
    plan_registration,
)
from shared.preflight import preflight
from shared.remarks import remarks
from shared.step import Done, Work, step
from shared.wanted import Wanted, apis, missing_api, registered, wanted

NOT_VISIBLE = "The new application is not visible everywhere yet; trying again."

ADDING = frozenset({"Application.ReadWrite.All", "Directory.ReadWrite.All"})
"""Permissions of which one lets the automation add Microsoft's APIs; it needs neither otherwise."""

ROUNDS = 10
"""More than the longest plan needs; a tenant that undoes our writes must not hold a function."""


@step(Aspect.REGISTERED)
async def registration(work: Work) -> Done:
    """Create or correct the application, own it, lock it, and create its service principal."""
    await preflight(work)
    await _add_apis(work)
    wants = await wanted(work)
    people = await _people(work, wants)
    facts = work.connection.facts
    for _ in range(ROUNDS):
        seen = await _gather(work, wants)
        facts = await _learn(work, wants, facts, seen)
        match plan_registration(
            wants.application,
            wants.principal,
            seen,
            people=people,
            registered=facts.registered,
            now=work.ctx.clock.now(),
        ):
            case Finished(object_id=object_id, client_id=client_id):
                return await _finish(work, wants, object_id, client_id)
            case Wait():
                raise work.wait("APP_REPLICATION", NOT_VISIBLE, seconds=5, minutes=10)
            case Gone() | Foreign() | Absent() | NotOwned() as hindrance:
                raise await _stopped(work, wants, seen, hindrance)
            case CreatePrincipal(why=why):
                await _principal(work, wants, seen, facts, why)
            case action:
                await _write(work, wants, seen, facts, action)
    raise TryLater("APP_UNSETTLED", "The application keeps changing under our hands.")


async def _add_apis(work: Work) -> None:
    """An API of Microsoft's that the tenant never used is added, where the automation may."""
    directory = work.ctx.directory
    await directory.tenant()  # in another one than ours nothing is written
    for app_id in apis(work):
        if await directory.resource(app_id) is not None:
            continue
        if not ADDING & await directory.own_roles():
            raise missing_api(app_id)
        await work.ctx.applications.add_api(app_id)
        await work.record("api.added", api=api_name(app_id))
        if await directory.resource(app_id) is None:
            raise work.wait(
                "SP_REPLICATION", f"{api_name(app_id)} was added and is not visible yet.", seconds=5
            )


async def _people(work: Work, wants: Wanted) -> tuple[str, ...]:
    """Object ids of the users who are to be owners; asked for before anything is written."""
    found: dict[str, None] = {}
    for name, field in wants.owners.items():
        id_ = await work.ctx.directory.user_id(name)
        if id_ is None:
            raise problems.unknown_owner(name, field)
        found[id_] = None
    return tuple(found)


async def _gather(work: Work, wants: Wanted) -> Seen:
    applications = work.ctx.applications
    own = await work.ctx.directory.own_principal()  # a claim of our own token: seldom a call
    app = await registered(work, wants.application)
    if app is None:
        return Seen(application=None, owners=frozenset(), own=own, principal=None)
    owners, principal = await asyncio.gather(
        applications.owners(app.object_id), applications.principal(app.client_id)
    )
    return Seen(application=app, owners=owners, own=own, principal=principal)


async def _learn(work: Work, wants: Wanted, facts: Facts, seen: Seen) -> Facts:
    """Note ids as soon as they are seen: what comes later is found by them."""
    if seen.application is None or (facts.registered is None and _unclaimed(wants, seen)):
        return facts
    learnt = Facts(
        object_id=seen.application.object_id,
        client_id=seen.application.client_id,
        principal_id=seen.principal.object_id if seen.principal else facts.principal_id,
        registered=facts.registered or work.ctx.clock.now(),
    )
    if learnt != facts:
        await work.ctx.ledger.amend(work.connection.spec.name, facts=learnt)
    return learnt


def _unclaimed(wants: Wanted, seen: Seen) -> bool:
    """Whether it is not ours to work with: somebody else's, or one that we do not own yet."""
    if wants.application.adopts:
        return seen.own not in seen.owners
    return seen.application is not None and is_foreign(seen.application)


async def _stopped(
    work: Work, wants: Wanted, seen: Seen, hindrance: Gone | Foreign | Absent | NotOwned
) -> Exception:
    adopts, applications = wants.application.adopts, work.ctx.applications
    match hindrance:
        case Gone():
            when = await applications.deleted(work.connection.facts.object_id)
            return work.doubt(problems.deleted(when))
        case Foreign():
            return problems.foreign(wants.application.unique_name)
        case Absent():
            known = await applications.identify(adopts)
            problem = problems.absent(adopts, known)
            return problem if known else work.doubt(problem)
        case NotOwned():
            return work.doubt(problems.not_owned(adopts, seen.own))


async def _write(
    work: Work, wants: Wanted, seen: Seen, facts: Facts, action: Register | AddOwner | Lock
) -> None:
    """One write to the application; the next one waits its time."""
    work.turn.before_write()
    applications, object_id = work.ctx.applications, facts.object_id
    match action:
        case Register(why=why):
            await _register(work, wants, seen, why)
            await work.record("application.registered", why=why, client_id=facts.client_id)
        case AddOwner(owner=owner):
            await applications.add_owner(object_id, owner)
            await work.record("application.owned", object_id=object_id, owner=owner)
        case Lock():
            await applications.lock(object_id)
            await work.record("application.locked", object_id=object_id)
    work.turn.after_write()


async def _register(work: Work, wants: Wanted, seen: Seen, why: str) -> None:
    applications, app = work.ctx.applications, seen.application
    complete = merged(wants.application, app)
    if app is not None and wants.application.adopts:
        await applications.update(app.object_id, complete)
        return
    try:
        await applications.ensure(complete)
    except NeedsHuman as refusal:
        if why == "new" and refusal.code == "GRAPH_REFUSED":
            raise problems.create_failed(refusal) from refusal
        raise


async def _principal(work: Work, wants: Wanted, seen: Seen, facts: Facts, why: str) -> None:
    named = seen.application.display_name if seen.application else wants.principal.display_name
    complete = merged_principal(replace(wants.principal, display_name=named), seen.principal)
    await work.ctx.applications.ensure_principal(facts.client_id, complete)
    await work.record("principal.created", client_id=facts.client_id, why=why)


async def _finish(work: Work, wants: Wanted, object_id: str, client_id: str) -> Done:
    """Both must be there for every replica that is asked, or the next step stumbles."""
    app, principal = await asyncio.gather(
        work.ctx.applications.settled(object_id),
        work.ctx.applications.settled_principal(client_id),
    )
    if app is None:
        raise work.wait("APP_REPLICATION", NOT_VISIBLE, seconds=5, minutes=10)
    if principal is None:
        raise work.wait(
            "SP_REPLICATION",
            "The new service principal is not visible everywhere yet; trying again.",
            seconds=5,
            minutes=10,
        )
    await compute_features(work)
    notes = await remarks(work, wants, app)
    verb = "adopted" if wants.application.adopts else "registered and owned"
    message = " ".join((f"Application {client_id} is {verb}.", *notes))
    known = work.connection.condition(Aspect.REGISTERED)
    if notes and (known is None or known.message != message):
        await work.record("application.noted", notes=notes)
    return Done("REGISTERED", message)
