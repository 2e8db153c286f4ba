"""A connection of a product that imports users, onboarded but for its imports, in memory."""

from typing import Any
from uuid import uuid4

from functions import declare_steps
from functions.sweeps import sweep
from shared.model.connection import Aspect, Condition, Connection, Facts, Spec
from shared.model.imports import ImportRequest, ImportRow, ImportSummary, UserStore
from shared.operations import start
from shared.profile import catalogue
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive

NAME = "pam"
CLIENT_ID = "6f1c8e0a-52b7-4f0e-9d51-6f2f0a7b9c3d"
DOMAIN = "contoso.onmicrosoft.com"


async def connected(
    profile: str = "pam360", *, features: dict[str, bool] | None = None, **inputs: Any
) -> FakeContext:
    """A world with one connection."""
    declare_steps()
    ctx = fake_context()
    defaults = {"domain": DOMAIN, "users": [], "groups": [], "roles": {}, "sync_interval_hours": 24}
    spec = Spec(
        name=NAME,
        profile=profile,
        features=features if features is not None else {"sync": True, "login": False},
        inputs={**defaults, **inputs},
        owner="ana@contoso.example",
    )
    assert profile in catalogue()
    facts = Facts(object_id="object-1", client_id=CLIENT_ID, principal_id="principal-1")
    row = Connection(spec=spec, created=ctx.clock.now(), facts=facts)
    assert await ctx.ledger.create(row)
    return ctx


async def run_import(ctx: FakeContext, **wish: Any) -> ImportSummary:
    """Ask for an import and let it run to its end; answers its summary."""
    operation = uuid4().hex
    lists = {key: tuple(value) if isinstance(value, list) else value for key, value in wish.items()}
    await ctx.import_store.keep(NAME, operation, ImportRequest(**lists))
    started = await start(ctx, NAME, "import", operation, asked_by="test", reason="requested")
    assert started is not None
    return await ended(ctx)


async def ended(ctx: FakeContext) -> ImportSummary:
    """Let what is queued run; the newest summary."""
    await drive(ctx)
    ctx.clock.advance(minutes=1)
    return (await ctx.import_store.summaries(NAME))[0]


async def synchronised(ctx: FakeContext, **passed: float) -> ImportSummary:
    """Let time pass, sweep, and run what was due."""
    ctx.clock.advance(**(passed or {"hours": 25}))
    assert await sweep(ctx, "import") == 1
    return await ended(ctx)


async def rows(ctx: FakeContext, summary: ImportSummary) -> list[ImportRow]:
    return [row async for row in ctx.import_store.rows(NAME, summary.operation)]


async def reasons(ctx: FakeContext, summary: ImportSummary) -> dict[str, tuple[str, str]]:
    """State and reason of every counted row, by the name it has."""
    found = await rows(ctx, summary)
    return {row.display_name or row.asked: (row.state, row.reason) for row in found if row.counted}


async def store(ctx: FakeContext) -> UserStore:
    return (await ctx.import_store.load(NAME))[0]


async def people(ctx: FakeContext) -> dict[str, tuple[str, str]]:
    """Everybody in the product: state and role by name."""
    return {u.display_name: (u.state, u.role) for u in (await store(ctx)).users}


async def connection(ctx: FakeContext) -> Connection:
    found = await ctx.ledger.connection(NAME)
    assert found is not None
    return found


async def condition(ctx: FakeContext) -> Condition:
    known = (await connection(ctx)).condition(Aspect.DISCOVERED)
    assert known is not None
    return known
