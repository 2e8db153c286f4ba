"""Offboardings in memory, and what they may leave."""

from shared import onboarding
from shared.model.connection import Connection, Operation, Status
from tests.fakes import FakeContext
from tests.fakes.drive import drive

REASON = "the product was replaced"


async def ask(ctx: FakeContext, name: str, operation: str = "leave") -> Operation:
    return await onboarding.offboard(ctx, name, operation, reason=REASON, asked_by="ana")


async def offboard(ctx: FakeContext, name: str, operation: str = "leave") -> Connection:
    """Ask, and run what follows to its end."""
    await ask(ctx, name, operation)
    await drive(ctx)
    known = await ctx.ledger.connection(name)
    assert known is not None
    return known


async def assert_gone(ctx: FakeContext, name: str) -> None:
    """Nothing is left of a connection that had an application of its own; its audit is."""
    known = await ctx.ledger.connection(name)
    assert known is not None and known.offboarding is not None
    assert known.offboarding.finished is not None, known.conditions
    assert known.offboarding.reason == REASON
    assert known.facts.object_id in ctx.tenant.deleted
    assert known.facts.client_id not in ctx.tenant.principals
    assert ctx.tenant.applications == {}
    assert ctx.vault.versions == {}
    assert not any(v.enabled for versions in ctx.vault.deleted.values() for v in versions)
    assert all(not org.members for org in ctx.tenant.organisations.values())
    assert await ctx.ledger.due_times(name) == {}
    assert {c.status for c in known.conditions} == {Status.FALSE}
    assert {c.reason for c in known.conditions} == {"OFFBOARDED"}
    assert known.credential is None and known.given == ()
    operation = await ctx.ledger.operation(name, known.operation)
    assert operation is not None and operation.state == "succeeded"
    told = [row["what"] for row in await ctx.ledger.history(name)]
    for what in ("connection.requested", "offboarding.requested", "offboarding.begun"):
        assert what in told
    assert told[-1] == "connection.offboarded"


async def whats(ctx: FakeContext, name: str) -> list[str]:
    return [str(row["what"]) for row in await ctx.ledger.history(name)]
