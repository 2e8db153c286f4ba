"""Changes behind Keyturn's back of every kind, and the findings about them."""

from collections.abc import Callable
from datetime import timedelta

from shared import onboarding
from shared.model.directory import GRAPH_APP_ID
from shared.model.finding import Choice, Finding, What
from shared.planning.findings import decided, state_of
from shared.requests.decisions import Wish
from tests.fakes import FakeContext
from tests.fakes.drive import drive
from tests.fakes.tenant import GrantRow, RoleRow, ScopesRow
from tests.in_memory.chain.drifts import (
    application,
    change,
    grant,
    permission,
    principal,
    revoke,
    secret,
)
from tests.in_memory.chain.test_drift import deleted, disabled, not_asked_for, other_role
from tests.in_memory.chain.world import NAME, connection

Change = Callable[[FakeContext], object]
EVE = "id-of-eve"


async def findings(ctx: FakeContext) -> list[Finding]:
    row = await connection(ctx)
    return [decided(finding, row.decisions) for finding in row.findings]


async def the_one(ctx: FakeContext) -> Finding:
    (finding,) = await findings(ctx)
    return finding


async def decide(ctx: FakeContext, choice: Choice, finding: Finding, **more: object) -> None:
    wish = Wish(choice=choice, reason="CHG-9", **more)  # type: ignore[arg-type] # a date
    mark = finding.fingerprint
    await onboarding.decide(ctx, NAME, mark, wish, asked_by="eve", principal=EVE)
    await drive(ctx)


async def states(ctx: FakeContext) -> list[str]:
    return [state_of(finding, ctx.clock.now()) for finding in await findings(ctx)]


async def history(ctx: FakeContext, what: str) -> list[dict[str, object]]:
    return [row for row in await ctx.ledger.history(NAME) if row["what"] == what]


def events(ctx: FakeContext, kind: str) -> list[str]:
    return [event.id for event in ctx.outbox.events if event.type == f"keyturn.finding.{kind}"]


def scopes(ctx: FakeContext, *names: str, user: str = "") -> ScopesRow:
    api = ctx.tenant.resources[GRAPH_APP_ID].principal_id
    row = ScopesRow(resource_id=api, scopes=names, everybody=not user, user=user)
    principal(ctx).delegated.append(row)
    return row


def scoped_role(ctx: FakeContext) -> None:
    role = ctx.tenant.role_ids["Helpdesk Administrator"]
    principal(ctx).roles.append(RoleRow(role_id=role, scope="/administrativeUnits/au-1"))


def elsewhere(ctx: FakeContext) -> None:
    principal(ctx).grants.append(GrantRow(resource_id="other-api", permission_id="other"))


def asked_besides(ctx: FakeContext) -> None:
    key = permission(ctx, "Mail.Send").key
    change(ctx, configured=application(ctx).wanted.configured | {key})


def owner(ctx: FakeContext) -> None:
    application(ctx).owners.add("mallory")


DRIFTS: dict[str, tuple[Change, What, str, str, str]] = {
    "missing grant": (
        lambda ctx: revoke(ctx, "User.Read.All"),
        What.APPLICATION,
        "missing",
        "CONSENT_DRIFT",
        "User.Read.All",
    ),
    "extra grant": (
        lambda ctx: grant(ctx, "Mail.Send"),
        What.APPLICATION,
        "extra",
        "EXTRA_PERMISSION",
        "Mail.Send",
    ),
    "grant on another API": (
        elsewhere,
        What.APPLICATION,
        "foreign",
        "EXTRA_PERMISSION",
        "other-api/other",
    ),
    "delegated for everybody": (
        lambda ctx: scopes(ctx, "Mail.Send"),
        What.DELEGATED,
        "extra",
        "EXTRA_PERMISSION",
        "Mail.Send (delegated)",
    ),
    "delegated for one user": (
        lambda ctx: scopes(ctx, "Mail.Send", user="u-1"),
        What.USER_CONSENT,
        "foreign",
        "EXTRA_PERMISSION",
        "Mail.Send (delegated, for the user u-1)",
    ),
    "not asked for": (not_asked_for, What.CONFIGURED, "missing", "CONSENT_DRIFT", "User.Read.All"),
    "asked for besides": (asked_besides, What.CONFIGURED, "extra", "CONSENT_DRIFT", "Mail.Send"),
    "role taken away": (
        lambda ctx: principal(ctx).roles.clear(),
        What.ROLE,
        "missing",
        "ROLE_MISSING",
        "Helpdesk Administrator",
    ),
    "another role": (other_role, What.ROLE, "extra", "EXTRA_PERMISSION", "User Administrator"),
    "the role in one unit": (
        scoped_role,
        What.ROLE,
        "extra",
        "EXTRA_PERMISSION",
        "Helpdesk Administrator (only in /administrativeUnits/au-1)",
    ),
    "audience": (
        lambda ctx: change(ctx, audience="AzureADMultipleOrgs"),
        What.REGISTRATION,
        "extra",
        "AUDIENCE_TOO_WIDE",
        "audience: AzureADMultipleOrgs",
    ),
    "public flow": (
        lambda ctx: change(ctx, public_client=True),
        What.REGISTRATION,
        "extra",
        "PUBLIC_FLOW_OFF",
        "public client flows: allowed",
    ),
    "redirect": (
        lambda ctx: change(ctx, web_redirects=("https://evil.example",)),
        What.REGISTRATION,
        "extra",
        "REDIRECT_MISMATCH",
        "web redirect URIs: https://evil.example",
    ),
    "disabled": (disabled, What.PRINCIPAL, "missing", "SP_DISABLED", "the service principal"),
    "deleted": (deleted, What.REGISTRATION, "missing", "APP_DELETED", "the application"),
    "owner lost": (
        lambda ctx: application(ctx).owners.clear(),
        What.OWNER,
        "missing",
        "AUTOMATION_NOT_OWNER",
        "the automation",
    ),
    "owner": (owner, What.OWNER, "extra", "OWNER_EXTRA", "owner mallory"),
    "owner of the principal": (
        lambda ctx: principal(ctx).owners.add("mallory"),
        What.OWNER,
        "extra",
        "OWNER_EXTRA",
        "owner mallory (of the service principal)",
    ),
    "secret": (
        lambda ctx: secret(ctx, "by hand", age=timedelta(days=30)),
        What.SECRET,
        "foreign",
        "SECRET_VALUE_UNKNOWN",
        "by hand",
    ),
}


def tenant_of(ctx: FakeContext) -> tuple[object, ...]:
    """What the application is and holds, whoever gave it."""
    row = principal(ctx)
    return (
        {(g.resource_id, g.permission_id) for g in row.grants},
        {(d.resource_id, d.scopes, d.user) for d in row.delegated},
        {(r.role_id, r.scope) for r in row.roles},
        application(ctx).wanted.configured,
        frozenset(application(ctx).owners),
    )
