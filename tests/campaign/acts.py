"""What people and other systems do: requests, and changes behind Keyturn's back."""

import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from shared import onboarding
from shared.model.directory import GRAPH_APP_ID, Kind
from shared.planning.credentials import PREFIX
from shared.planning.emergency import DISABLE
from shared.requests import Emergency
from shared.requests.side import Acknowledgement
from tests.fakes.tenant import GrantRow, RoleRow, ScopesRow, SecretRow

if TYPE_CHECKING:
    from tests.campaign.world import World

DAY = 86400.0

OPTIONS: tuple[tuple[str, ...], ...] = ((), (), (DISABLE,))
"""Of an emergency."""

UNWANTED = ("Sites.Read.All", "Reports.Read.All", "Mail.Read", "Calendars.Read")
"""Permissions that no product of a simulation asks for."""


@dataclass(frozen=True)
class Act:
    """Something that happens to one connection at some second."""

    number: int
    at: float
    what: str
    name: str

    @property
    def event(self) -> str:
        return f"act:{self.number}:{self.what}:{self.name}"


Doing = Callable[["World", str], Awaitable[None]]

ASKING: dict[str, Doing] = {}
BY_HAND: dict[str, Doing] = {}


def asks(doing: Doing) -> Doing:
    ASKING[doing.__name__] = doing
    return doing


def by_hand(doing: Doing) -> Doing:
    BY_HAND[doing.__name__] = doing
    return doing


@asks
async def rotation(world: "World", name: str) -> None:
    operation = uuid.uuid4().hex
    world.may_rotate(name)
    await world.ask(
        "rotation",
        lambda: onboarding.run(world.ctx, name, "rotate", operation, asked_by="ana"),
    )


@asks
async def verification(world: "World", name: str) -> None:
    operation = uuid.uuid4().hex
    await world.ask(
        "verification",
        lambda: onboarding.run(world.ctx, name, "verify", operation, asked_by="ana"),
    )


@asks
async def same_request_again(world: "World", name: str) -> None:
    await world.onboard(name)


@asks
async def order_by_queue(world: "World", name: str) -> None:
    world.may_rotate(name)
    order = {"apiVersion": "keyturn/v1", "kind": "rotate", "connection": name}
    body, id_ = json.dumps(order).encode(), uuid.uuid4().hex
    await world.ask("order", lambda: world.ctx.outbox.provision(body, id_))


@asks
async def emergency(world: "World", name: str) -> None:
    """The published secret has leaked: at the end nothing may be left of it."""
    await leak(world, name, world.chaos.chance("emergency", name, world.now()).choice(OPTIONS))


async def plain_emergency(world: "World", name: str) -> None:
    await leak(world, name, ())


async def leak(world: "World", name: str, options: tuple[str, ...]) -> None:
    served, operation = world.served(name), uuid.uuid4().hex
    wish = Emergency(reason="leaked", options=options)
    world.watch.hurried.add(name)
    if served is not None and await world.ask(
        "emergency",
        lambda: onboarding.replace_now(world.ctx, name, wish, operation, asked_by="ana"),
    ):
        world.watch.leaked[served.tags.get("keyId", "")] = name


@asks
async def acknowledgement(world: "World", name: str) -> None:
    given = Acknowledgement()
    world.watch.hurried.add(name)
    await world.ask(
        "acknowledgement",
        lambda: onboarding.acknowledge(world.ctx, name, given, by="ana", asked_by="ana"),
    )


@asks
async def near_expiry_event(world: "World", name: str) -> None:
    """Of the current version, and once more."""
    versions = world.ctx.vault.versions.get(name, [])
    if versions:
        await world.near_expiry(name, versions[-1].id)
        await world.near_expiry(name, versions[-1].id)


@asks
async def late_event(world: "World", name: str) -> None:
    """Of a version that is not served any more."""
    versions = world.ctx.vault.versions.get(name, [])
    if len(versions) > 1:
        await world.near_expiry(name, versions[0].id)


@by_hand
async def secret_added(world: "World", name: str) -> None:
    application = world.applications().get(name)
    if application is not None:
        now = world.now()
        secret = SecretRow(
            name="by hand", value="by-hand", starts=now, ends=now + timedelta(days=900)
        )
        application.secrets.append(secret)
        world.watch.foreign[secret.id] = name, "a secret made by hand"


@by_hand
async def extra_grant(world: "World", name: str) -> None:
    principal, graph = world.principal(name), world.tenant.resources[GRAPH_APP_ID]
    if principal is not None:
        held = {grant.permission_id for grant in principal.grants}
        spare = [
            p.key.id
            for p in graph.permissions
            if p.key.kind == Kind.APPLICATION and p.key.id not in held and p.name in UNWANTED
        ]
        if spare:
            row = GrantRow(resource_id=graph.principal_id, permission_id=spare[0])
            principal.grants.append(row)
            world.watch.foreign[row.id] = name, "an application permission granted by hand"


@by_hand
async def consent_of_one_user(world: "World", name: str) -> None:
    principal, graph = world.principal(name), world.tenant.resources[GRAPH_APP_ID]
    if principal is not None:
        row = ScopesRow(resource_id=graph.principal_id, scopes=("Mail.Read",), everybody=False)
        principal.delegated.append(row)
        world.watch.foreign[row.id] = name, "a user's own consent"


@by_hand
async def extra_role(world: "World", name: str) -> None:
    principal = world.principal(name)
    if principal is not None:
        row = RoleRow(role_id=world.tenant.role_ids["Reports Reader"])
        principal.roles.append(row)
        world.watch.foreign[row.id] = name, "a directory role assigned by hand"


@by_hand
async def grant_removed(world: "World", name: str) -> None:
    principal = world.principal(name)
    if principal is not None and principal.grants:
        row = principal.grants.pop(0)
        world.watch.foreign.pop(row.id, None)
        world.broken(name)


@by_hand
async def served_secret_removed(world: "World", name: str) -> None:
    """In the portal, by mistake: the product stands still until the next verification."""
    application, served = world.applications().get(name), world.served(name)
    if application is not None and served is not None:
        key = served.tags.get("keyId")
        application.secrets[:] = [s for s in application.secrets if s.id != key]
        world.broken(name)


@by_hand
async def replaced_secret_removed(world: "World", name: str) -> None:
    application, served = world.applications().get(name), world.served(name)
    if application is not None and served is not None:
        key = served.tags.get("keyId")
        application.secrets[:] = [
            s for s in application.secrets if s.id == key or not s.name.startswith(PREFIX)
        ]
        world.may_rotate(name)  # one that was staged ahead is gone too


@by_hand
async def published_version_disabled(world: "World", name: str) -> None:
    served = world.served(name)
    if served is not None:
        served.enabled = False
        world.broken(name)


@by_hand
async def staged_version_disabled(world: "World", name: str) -> None:
    for version in world.ctx.vault.versions.get(f"{name}--next", []):
        version.enabled = False
    world.may_rotate(name)


@by_hand
async def published_secret_deleted(world: "World", name: str) -> None:
    vault = world.ctx.vault
    if name in vault.versions:
        vault.deleted[name] = vault.versions.pop(name)
        world.broken(name)


async def retirement_forgotten(world: "World", name: str) -> None:
    """A due time is lost; nothing of Keyturn's loses one, and it is not asked for."""
    await world.ctx.ledger.set_due("retire", name, None)


PLANNED: dict[str, Doing] = {
    "retirement_forgotten": retirement_forgotten,
    "plain_emergency": plain_emergency,
}
"""What only a written plan asks for."""


@by_hand
async def principal_disabled(world: "World", name: str) -> None:
    """For some hours."""
    principal = world.principal(name)
    if principal is not None:
        world.broken(name)
        principal.enabled = False
        await world.sleep(world.chaos.chance("disabled", name).uniform(0.1, 2) * DAY)
        principal.enabled = True
        world.broken(name)


@by_hand
async def application_deleted(world: "World", name: str) -> None:
    """And restored some hours later, as the finding says."""
    tenant = world.tenant
    for unique, row in list(tenant.applications.items()):
        if unique == f"keyturn-{name}":
            principal = tenant.principals.pop(row.client_id, None)
            del tenant.applications[unique]
            tenant.deleted[row.id] = world.now()
            world.aside[0].append(row)
            world.aside[1].extend([principal] if principal else [])
            world.broken(name)
            await world.sleep(world.chaos.chance("deleted", name).uniform(0.1, 3) * DAY)
            known = world.connection(name)
            if known is None or known.offboarding is not None:
                return  # nobody restores what is not used any more
            tenant.applications[unique] = row
            del tenant.deleted[row.id]
            world.aside[0].remove(row)
            if principal is not None:
                tenant.principals[row.client_id] = principal
                world.aside[1].remove(principal)
            world.broken(name)


@by_hand
async def shorter_lifetimes(world: "World", name: str) -> None:
    """The tenant's policy is tightened."""
    world.tenant.longest_lifetime = 60.0


def plan(chance: Random, names: list[str], seconds: float) -> list[Act]:
    """The acts of a simulation, in time: requests all along, changes by hand now and then."""
    drawn: list[tuple[float, str, str]] = []
    for name in names:
        drawn.append((chance.uniform(0, 5 * DAY), "onboarding", name))
        asked = chance.choices(sorted(ASKING), k=chance.randint(1, 3))
        drawn += [(chance.uniform(2 * DAY, seconds), what, name) for what in asked]
        if chance.random() < 0.15:
            drawn.append((chance.uniform(seconds / 2, seconds), "offboarding", name))
        if chance.random() < 0.6:
            changed = chance.choices(sorted(BY_HAND), k=chance.randint(1, 4))
            drawn += [(chance.uniform(6 * DAY, seconds), what, name) for what in changed]
    return [Act(number, *each) for number, each in enumerate(sorted(drawn))]


async def perform(world: "World", act: Act) -> None:
    if act.what == "onboarding":
        await world.onboard(act.name)
    elif act.what == "offboarding":
        await world.offboard(act.name)
    else:
        doing = {**ASKING, **BY_HAND, **PLANNED}[act.what]
        await doing(world, act.name)
