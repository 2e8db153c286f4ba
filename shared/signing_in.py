"""The switch of a product's sign-in to the tenant's passwords, and what must hold before it."""

from shared import onboarding
from shared.context import Context
from shared.errors import NeedsHuman
from shared.importing import product
from shared.model.connection import FINISHED, Connection
from shared.model.imports import UserStore, Warned
from shared.model.profile import Precondition, Profile
from shared.model.schedule import Login
from shared.onboarding import Rejected
from shared.planning.import_people import (
    NO_ADMINISTRATOR,
    administrators,
    blocked_by,
    mfa_blocked,
    open_preconditions,
    policies_that_hit,
)
from shared.requests import Acknowledged


async def switch(
    ctx: Context, name: str, *, enabled: bool, by: str, principal: str
) -> tuple[Login, tuple[Warned, ...]]:
    """Store the switch; raises `Rejected` while the product's users would be locked out.

    Source: guides of PAM360 and Password Manager Pro, section 2.3 and the notes of 2.2 and 3.
    """
    connection = await onboarding.find(ctx, name)
    profile, _ = product(connection)
    warnings: tuple[Warned, ...] = ()
    if enabled:
        store = await _ready(ctx, connection, profile)
        warnings = await _warnings(ctx, connection, profile, store)
    login = Login(enabled=enabled, at=ctx.clock.now(), by=by)
    await ctx.ledger.amend(name, login=login)
    data = {"enabled": enabled, "by": by, "principal": principal}
    data |= {"warnings": [warned.code for warned in warnings]}
    await ctx.ledger.record(name, login.at, "login.switched", data)
    return login, warnings


async def acknowledge(
    ctx: Context,
    name: str,
    precondition: str,
    given: Acknowledged,
    *,
    asked_by: str,
    principal: str,
) -> Precondition:
    """Store somebody's word that a precondition outside holds."""
    connection = await onboarding.find(ctx, name)
    profile, _ = product(connection)
    manual = {held.id: held for held in profile.preconditions if held.kind == "manual"}
    held = manual.get(precondition)
    if held is None:
        raise Rejected(
            "precondition",
            "PRECONDITION_UNKNOWN",
            f"{profile.id} has no precondition of this name that a person acknowledges",
            f"allowed: {', '.join(sorted(manual)) or 'none'}",
        )
    by = given.by or asked_by
    await ctx.ledger.amend(name, acknowledged={**connection.acknowledged, held.id: by})
    data = {"precondition": held.id, "by": by, "note": given.note}
    data |= {"asked_by": asked_by, "principal": principal}
    await ctx.ledger.record(name, ctx.clock.now(), "precondition.acknowledged", data)
    return held


async def _ready(ctx: Context, connection: Connection, profile: Profile) -> UserStore:
    name = connection.spec.name
    if not any(run.state in FINISHED for run in await ctx.import_store.summaries(name)):
        raise Rejected(
            "connection",
            "LOGIN_BEFORE_IMPORT",
            "No user has been imported yet: the sign-in works only for users who are there.",
            f"import users first (POST /api/connections/{name}/import)",
        )
    waiting = open_preconditions(profile, connection)
    if waiting:
        raise Rejected(
            "connection",
            "PRECONDITION_OPEN",
            "; ".join(f"{held.id}: {held.about}" for held in waiting),
            f"see to it, then POST /api/connections/{name}/preconditions/{waiting[0].id}",
        )
    store, _ = await ctx.import_store.load(name)
    policy = profile.import_
    if policy and policy.require_at_least_one and not administrators(policy, store.users):
        raise Rejected(
            "connection",
            NO_ADMINISTRATOR,
            f"No imported user is {policy.require_at_least_one}; the login was not switched.",
            f"give one user that role (PATCH /api/connections/{name}/users)",
        )
    return store


async def _warnings(
    ctx: Context, connection: Connection, profile: Profile, store: UserStore
) -> tuple[Warned, ...]:
    """What Graph shows that stops a password sign-in; it is reported and never changed."""
    if not any(held.kind == "graph_warn" for held in profile.preconditions):
        return ()
    found: list[Warned] = []
    try:
        policies = await ctx.directory_reader.policies()
    except NeedsHuman as problem:
        found.append(Warned(code=problem.code, message=problem.message, next_step=problem.remedy))
    else:
        hit = policies_that_hit(policies, connection.facts.client_id, store)
        if hit:
            found.append(blocked_by(hit))
    registered = [user.user_principal_name for user in store.present() if user.mfa]
    if registered:
        found.append(mfa_blocked(registered))
    return tuple(found)
