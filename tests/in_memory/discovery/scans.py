"""A connection in memory whose discovery can be run."""

from datetime import datetime
from typing import Any

from functions import declare_steps
from shared.adapters.blob_accounts import BlobAccounts
from shared.errors import NeedsHuman
from shared.messages import StepMessage, encode
from shared.model.accounts import Account, Summary
from shared.model.connection import Aspect, Condition, Connection, Operation, Spec
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.fakes.blobs import FakeContainer

NAME = "pam"


async def connected(
    *,
    features: dict[str, bool] | None = None,
    profile: str = "devolutions-server",
    world: FakeContext | None = None,
    **inputs: Any,
) -> FakeContext:
    """A world with one connection that is onboarded but for its discovery."""
    declare_steps()
    ctx = world or fake_context()
    spec = Spec(
        name=NAME,
        profile=profile,
        features=features or {"discovery": True},
        inputs={
            "search_mode": "groups",
            "filter": [],
            "config_name": "Everybody",
            "read_mfa": "no",  # three sources less to account for
            "read_roles": "no",
            **inputs,
        },
    )
    assert await ctx.ledger.create(Connection(spec=spec, created=ctx.clock.now()))
    return ctx


def in_blobs(ctx: FakeContext, container: FakeContainer) -> FakeContext:
    """The same, its accounts in a container."""
    store = BlobAccounts(container)  # type: ignore[arg-type] # as much of it as is used
    parts = {field: getattr(ctx, field) for field in ctx.__struct_fields__}
    return FakeContext(**parts | {"account_store": store})


async def begin(ctx: FakeContext, operation: str, kind: str = "discover", reason: str = "") -> None:
    now = ctx.clock.now()
    begun = Operation(
        id=operation,
        kind=kind,
        connection=NAME,
        state="running",
        step="discovery",
        started=now,
        changed=now,
        reason=reason,
    )
    assert await ctx.ledger.begin(begun)


async def deliver(
    ctx: FakeContext,
    operation: str,
    kind: str = "discover",
    waiting_since: datetime | None = None,
    attempt: int = 1,
) -> None:
    message = StepMessage(
        kind=kind,
        connection=NAME,
        operation=operation,
        waiting_since=waiting_since,
        attempt=attempt,
    )
    await run(STEPS["discovery"], encode(message), "message-1", ctx)


async def scan(
    ctx: FakeContext, operation: str, kind: str = "discover", reason: str = ""
) -> Summary:
    """One whole operation; answers its summary."""
    ctx.clock.advance(minutes=1)
    await begin(ctx, operation, kind, reason)
    await deliver(ctx, operation, kind)
    await end(ctx, operation)
    return (await ctx.account_store.summaries(NAME))[0]


async def end(ctx: FakeContext, operation: str) -> None:
    """Let the steps after discovery be over."""
    known = await ctx.ledger.operation(NAME, operation)
    assert known is not None
    if known.state == "running":
        finished = Operation(
            id=known.id,
            kind=known.kind,
            connection=NAME,
            state="succeeded",
            step=known.step,
            started=known.started,
            changed=ctx.clock.now(),
        )
        await ctx.ledger.advance(finished, known=known)


async def found(ctx: FakeContext) -> dict[str, Account]:
    return {row.display_name: row async for row in ctx.account_store.accounts(NAME)}


async def condition(ctx: FakeContext) -> Condition:
    row = await ctx.ledger.connection(NAME)
    assert row is not None
    known = row.condition(Aspect.DISCOVERED)
    assert known is not None
    return known


def refusal() -> NeedsHuman:
    return NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403 for this group", "Grant it.")
