"""Registers the application: guide steps 3 to 24 of Devolutions Server, and their like."""

import asyncio

from shared.computed import compute_features
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Aspect, Facts
from shared.planning.registration import (
    AddOwner,
    CreatePrincipal,
    Finished,
    Foreign,
    Gone,
    Lock,
    Register,
    Seen,
    Wait,
    is_foreign,
    plan_registration,
)
from shared.step import Done, Work, step
from shared.wanted import Wanted, wanted

NOT_VISIBLE = "The new application is not visible everywhere yet; trying again."

DELETED = NeedsHuman(
    "APP_DELETED",
    "The application was deleted in Entra ID.",
    "Restore it within 30 days (App registrations, Deleted applications), then send the request "
    "again.",
)

ROUNDS = 8
"""More than the longest plan needs; a tenant that undoes our writes must not hold a function."""


@step(Aspect.REGISTERED)
async def registration(work: Work) -> Done:
    """Create or correct the application, own it, lock it, and create its service principal."""
    wants = await wanted(work)
    facts = work.connection.facts
    for _ in range(ROUNDS):
        seen = await _gather(work, wants)
        facts = await _learn(work, facts, seen)
        match plan_registration(
            wants.application, seen, registered=facts.registered, now=work.ctx.clock.now()
        ):
            case Finished(object_id=object_id, client_id=client_id):
                return await _finish(work, object_id, client_id)
            case Wait():
                raise work.wait("APP_REPLICATION", NOT_VISIBLE, seconds=5, minutes=10)
            case Gone():
                raise work.doubt(DELETED)
            case Foreign():
                raise NeedsHuman(
                    "APP_NAME_CLASH",
                    f"An application that Keyturn did not make has the unique name "
                    f"{wants.application.unique_name}.",
                    "Onboard the product under another name, or remove that application.",
                )
            case CreatePrincipal():
                await _create_principal(work, wants, facts)
            case action:
                await _write(work, wants, facts, action)
    raise TryLater("APP_UNSETTLED", "The application keeps changing under our hands.")


async def _gather(work: Work, wants: Wanted) -> Seen:
    applications = work.ctx.applications
    own = await work.ctx.directory.own_principal()  # a claim of our own token: seldom a call
    app = await applications.find(wants.application.unique_name)
    if app is None:
        return Seen(application=None, owners=frozenset(), own=own, principal=None)
    owners, principal = await asyncio.gather(
        applications.owners(app.object_id), applications.principal(app.client_id)
    )
    return Seen(application=app, owners=owners, own=own, principal=principal)


async def _learn(work: Work, facts: Facts, seen: Seen) -> Facts:
    """Note ids as soon as they are seen: what comes later is found by them."""
    if seen.application is None or (facts.registered is None and is_foreign(seen.application)):
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


async def _write(
    work: Work, wants: Wanted, facts: Facts, action: Register | AddOwner | Lock
) -> None:
    """One write to the application; the next one waits its time."""
    work.turn.before_write()
    applications, object_id = work.ctx.applications, facts.object_id
    match action:
        case Register(why=why):
            await applications.ensure(wants.application)
            await work.record("application.registered", why=why, client_id=facts.client_id)
        case AddOwner():
            await applications.add_owner(object_id, await work.ctx.directory.own_principal())
            await work.record("application.owned", object_id=object_id)
        case Lock():
            await applications.lock(object_id)
            await work.record("application.locked", object_id=object_id)
    work.turn.after_write()


async def _create_principal(work: Work, wants: Wanted, facts: Facts) -> None:
    await work.ctx.applications.ensure_principal(facts.client_id, wants.application.display_name)
    await work.record("principal.created", client_id=facts.client_id)


async def _finish(work: Work, object_id: str, client_id: str) -> Done:
    """Both must be there for every replica that is asked, or the next step stumbles."""
    app, principal = await asyncio.gather(
        work.ctx.applications.settled(object_id),
        work.ctx.applications.settled_principal(client_id),
    )
    if app is None or principal is None:
        raise work.wait("APP_REPLICATION", NOT_VISIBLE, seconds=5, minutes=10)
    await compute_features(work)
    return Done("REGISTERED", f"Application {client_id} is registered and owned.")
