"""Onboardings of any profile, as far as consent, and what they did to the tenant."""

import msgspec

from shared import operations
from shared.model.connection import Approval, Aspect, Condition, Connection, Spec
from shared.model.directory import GRAPH_APP_ID, Kind, Permission, WantedApplication
from shared.planning.access import plan_access
from shared.planning.risk import high_risk
from shared.profile import catalogue
from tests.fakes import FakeContext
from tests.fakes.drive import drive
from tests.fakes.tenant import ApplicationRow, PrincipalRow
from tests.in_memory.chain.world import request

NAME = "conn"

SAMPLES = {
    "connection_id": "Entra",
    "domain": "contoso.onmicrosoft.com",
    "scope": "microsoft-graph",
    "devops_org": "contoso",
    "proxy_address": "https://teleport.contoso.example",
    "subscription_id": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "search_mode": "roles",
}
"""Values of required inputs that not any text would do for."""


def needed(profile: str) -> dict[str, object]:
    inputs = catalogue()[profile].inputs.items()
    return {
        name: SAMPLES.get(name, f"some {name}")
        for name, wanted in inputs
        if wanted.required or (wanted.required_when and wanted.default is None)
    }


def spec_of(
    profile: str, inputs: dict[str, object] | None = None, features: dict[str, bool] | None = None
) -> Spec:
    """The checked request, defaults filled in."""
    asked = request(
        name=NAME,
        profile=profile,
        inputs={**needed(profile), **(inputs or {})},
        features=features or {},
    )
    return asked.spec


async def begin(
    ctx: FakeContext,
    profile: str,
    *,
    inputs: dict[str, object] | None = None,
    features: dict[str, bool] | None = None,
    whole: bool = False,
) -> Connection:
    """Onboard a product up to its consent, or as a *whole*, with everything approved."""
    spec = spec_of(profile, inputs, features)
    await ctx.ledger.create(Connection(spec=spec, created=ctx.clock.now()))
    return await go_on(ctx, "first", whole=whole)


async def alter(ctx: FakeContext, operation: str, **changes: object) -> Connection:
    """Another spec for the same connection, and an onboarding that makes it true."""
    known = await found(ctx)
    await ctx.ledger.amend(NAME, spec=msgspec.structs.replace(known.spec, **changes))
    return await go_on(ctx, operation)


async def go_on(ctx: FakeContext, operation: str, *, whole: bool = False) -> Connection:
    known = await found(ctx)
    access = plan_access(catalogue()[known.spec.profile], known.spec)
    approval = Approval(by="chris", reason="reviewed", covers=high_risk(access))
    await ctx.ledger.amend(NAME, approval=approval)
    await operations.start(ctx, NAME, "onboard", operation, asked_by="test", reason="requested")
    await drive(ctx, None if whole else lambda sent: sent.step == "roles")
    ctx.outbox.queued.clear()
    after = await found(ctx)
    known_operation = await ctx.ledger.operation(NAME, operation)
    assert known_operation is not None
    if known_operation.state == "running":  # stopped by us: the next one may begin
        await operations.finish(ctx, known_operation, "succeeded", {})
    return after


async def found(ctx: FakeContext) -> Connection:
    known = await ctx.ledger.connection(NAME)
    assert known is not None
    return known


async def told(ctx: FakeContext, aspect: Aspect = Aspect.REGISTERED) -> Condition:
    condition = (await found(ctx)).condition(aspect)
    assert condition is not None
    return condition


async def audit(ctx: FakeContext, what: str) -> list[dict[str, object]]:
    return [row for row in await ctx.ledger.history(NAME) if row["what"] == what]


def application(ctx: FakeContext) -> ApplicationRow:
    (row,) = (a for a in ctx.tenant.applications.values() if a.wanted.unique_name)
    return row


def principal(ctx: FakeContext, row: ApplicationRow | None = None) -> PrincipalRow:
    return ctx.tenant.principals[(row or application(ctx)).client_id]


def permission(
    ctx: FakeContext, name: str, kind: Kind = Kind.APPLICATION, api: str = GRAPH_APP_ID
) -> Permission:
    offered = ctx.tenant.resources[api].permissions
    return next(p for p in offered if p.name == name and p.key.kind == kind)


def granted(ctx: FakeContext, row: ApplicationRow | None = None) -> set[str]:
    """Names of the application permissions granted, on whichever API."""
    names = {p.key.id: p.name for api in ctx.tenant.resources.values() for p in api.permissions}
    return {names[grant.permission_id] for grant in principal(ctx, row).grants}


def scopes(ctx: FakeContext) -> list[tuple[str, ...]]:
    return [tuple(sorted(held.scopes)) for held in principal(ctx).delegated if held.everybody]


def configured(ctx: FakeContext, row: ApplicationRow | None = None) -> set[tuple[str, str]]:
    """Kind and name of what the application is configured with."""
    keys = {p.key: p.name for api in ctx.tenant.resources.values() for p in api.permissions}
    wanted = (row or application(ctx)).wanted
    return {(str(key.kind), keys[key]) for key in wanted.configured}


def theirs(ctx: FakeContext, **parts: object) -> ApplicationRow:
    """Somebody's application that was there before, with a service principal; not in our tags."""
    plain = WantedApplication(
        unique_name="",
        display_name="Integrations",
        audience="AzureADMultipleOrgs",
        public_client=True,
        web_redirects=("https://theirs.example/cb",),
        native_redirects=(),
        spa_redirects=(),
        configured=frozenset({permission(ctx, "User.Read", Kind.DELEGATED).key}),
        tags=("theirs",),
    )
    wanted = msgspec.structs.replace(plain, **parts)
    row = ApplicationRow(wanted=wanted, created=ctx.clock.now(), owners={"ana"})
    ctx.tenant.applications[row.client_id] = row
    ctx.tenant.principals[row.client_id] = PrincipalRow(client_id=row.client_id, name="theirs")
    return row
