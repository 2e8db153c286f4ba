"""What people do to an application behind our back, and what a verification says of it."""

from datetime import timedelta

import msgspec

from shared import onboarding
from shared.model.connection import Aspect, Condition
from shared.model.directory import GRAPH_APP_ID, Kind, Permission, WantedApplication
from tests.fakes import FakeContext
from tests.fakes.drive import drive
from tests.fakes.tenant import ApplicationRow, GrantRow, PrincipalRow, SecretRow
from tests.in_memory.chain.world import NAME, connection


def application(ctx: FakeContext) -> ApplicationRow:
    (row,) = ctx.tenant.applications.values()
    return row


def principal(ctx: FakeContext) -> PrincipalRow:
    (row,) = ctx.tenant.principals.values()
    return row


def change(ctx: FakeContext, **parts: object) -> None:
    """Somebody edits the registration."""
    row = application(ctx)
    changed: WantedApplication = msgspec.structs.replace(row.wanted, **parts)
    row.wanted = changed


def permission(ctx: FakeContext, name: str, kind: Kind = Kind.APPLICATION) -> Permission:
    graph = ctx.tenant.resources[GRAPH_APP_ID]
    return next(p for p in graph.permissions if p.name == name and p.key.kind == kind)


def grant(ctx: FakeContext, name: str) -> None:
    graph = ctx.tenant.resources[GRAPH_APP_ID]
    row = GrantRow(resource_id=graph.principal_id, permission_id=permission(ctx, name).key.id)
    principal(ctx).grants.append(row)


def revoke(ctx: FakeContext, name: str) -> None:
    gone = permission(ctx, name).key.id
    rows = principal(ctx).grants
    rows[:] = [row for row in rows if row.permission_id != gone]


def secret(ctx: FakeContext, name: str, *, age: timedelta, value: str = "x") -> SecretRow:
    """Somebody adds a secret by hand."""
    now = ctx.clock.now()
    row = SecretRow(name=name, value=value, starts=now - age, ends=now + timedelta(days=300))
    application(ctx).secrets.append(row)
    return row


async def verify(ctx: FakeContext) -> Condition:
    """Verify some days later; answers the condition Verified."""
    ctx.clock.advance(days=2)
    operation = f"verify-{ctx.clock.now():%Y%m%d%H%M}"
    await onboarding.run(ctx, NAME, "verify", operation, asked_by="test")
    await drive(ctx)
    found = (await connection(ctx)).condition(Aspect.VERIFIED)
    assert found is not None
    return found
