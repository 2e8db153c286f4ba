"""What a verification finds is kept, told once a day, decided about by people, and closed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from functions.sweeps import sweep
from shared import onboarding, operations
from shared.errors import NeedsHuman
from shared.model.connection import Status
from shared.model.directory import GRAPH_APP_ID
from shared.model.finding import AuditEntry, Choice, Finding, What
from shared.onboarding.rejected import Rejected
from shared.planning.findings import MOST, MOST_CLOSED, decided, state_of
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
    verify,
)
from tests.in_memory.chain.test_drift import deleted, disabled, not_asked_for, other_role
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_repair import repairing
from tests.in_memory.chain.world import NAME, connection

__all__ = ["repairing"]

pytestmark = pytest.mark.requirement("X-08", "X-09")

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


@pytest.mark.diagnosis("OWNER_EXTRA", "AUTOMATION_NOT_OWNER")
@pytest.mark.parametrize("name", DRIFTS)
async def test_every_drift_is_a_finding(name: str) -> None:
    happen, what, verdict, code, words = DRIFTS[name]
    ctx = await onboarded()
    assert await findings(ctx) == []
    happen(ctx)
    shown = await verify(ctx)
    assert (shown.status, shown.reason) == (Status.FALSE, code)
    found = await the_one(ctx)
    assert (found.item.what, found.verdict, found.code) == (what, verdict, code)
    assert words in found.name and found.remedy
    assert len(events(ctx, "reported")) == len(await history(ctx, "finding.opened")) == 1


async def test_a_finding_is_told_once_a_day_and_its_end_once() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    first = await the_one(ctx)
    await onboarding.run(ctx, NAME, "verify", "same-day", asked_by="test")
    await drive(ctx)
    assert events(ctx, "reported") == [f"{first.fingerprint}:{ctx.clock.now():%Y-%m-%d}"]
    await verify(ctx)
    assert len(events(ctx, "reported")) == 2
    assert (await the_one(ctx)).first_seen == first.first_seen
    revoke(ctx, "Mail.Send")
    assert (await verify(ctx)).status == Status.TRUE
    assert (await the_one(ctx)).closed_why == "gone"
    await verify(ctx)
    assert len(events(ctx, "closed")) == len(await history(ctx, "finding.closed")) == 1
    assert len(events(ctx, "reported")) == 2


async def test_a_blink_is_no_finding() -> None:
    ctx = await onboarded()
    row = principal(ctx).grants[0]
    row.hidden = 3  # reads; then every replica has it
    assert (await verify(ctx)).status == Status.TRUE
    assert await findings(ctx) == []


async def test_while_the_application_is_gone_nothing_else_is_closed() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    disabled(ctx)
    await verify(ctx)
    assert await states(ctx) == ["open", "open"]


async def test_a_grant_of_just_now_is_judged_when_it_has_settled() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    ctx.clock.advance(days=2)
    principal(ctx).grants[-1].created = ctx.clock.now()
    await onboarding.run(ctx, NAME, "verify", "soon", asked_by="test")
    await drive(ctx)
    assert await findings(ctx) == []
    ctx.clock.advance(minutes=3)
    assert await sweep(ctx, "verify") == 1
    await drive(ctx)
    assert (await the_one(ctx)).name == "Mail.Send"


async def test_what_an_approver_accepts_is_no_trouble_until_it_changes() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    await decide(ctx, "accept", await the_one(ctx))
    shown = await verify(ctx)
    assert shown.status == Status.TRUE
    assert "Accepted: Mail.Send by eve" in shown.message
    assert await states(ctx) == ["approved"]
    assert len(events(ctx, "reported")) == 1
    revoke(ctx, "Mail.Send")
    await verify(ctx)
    grant(ctx, "Mail.Send")
    assert (await verify(ctx)).status == Status.FALSE
    assert await states(ctx) == ["open"]


async def test_an_acceptance_ends_on_its_day() -> None:
    ctx = await onboarded()
    owner(ctx)
    await verify(ctx)
    until = (ctx.clock.now() + timedelta(days=3)).date()
    await decide(ctx, "accept", await the_one(ctx), until=until)
    assert f"until {until}" in (await verify(ctx)).message
    assert (await verify(ctx)).status == Status.FALSE
    assert await states(ctx) == ["open"]


ACCEPTED: dict[str, Change] = {
    name: happen for name, (happen, _, verdict, _, _) in DRIFTS.items() if verdict != "missing"
}


@pytest.mark.parametrize("name", ACCEPTED)
async def test_everything_that_is_there_besides_can_be_accepted_and_stays(name: str) -> None:
    ctx = await onboarded()
    ACCEPTED[name](ctx)
    await verify(ctx)
    await decide(ctx, "accept", await the_one(ctx))
    assert (await verify(ctx)).status == Status.TRUE
    before = application(ctx).wanted
    ctx.clock.advance(days=1)
    await operations.start(ctx, NAME, "onboard", "again", asked_by="test", reason="requested")
    await drive(ctx)
    assert application(ctx).wanted == before


@pytest.mark.diagnosis("FINDING_NOT_ACCEPTABLE", "FINDING_NOT_REMOVABLE", "FINDING_CLOSED")
async def test_decisions_that_cannot_be_had() -> None:
    for happen, choice, code in (
        (lambda ctx: revoke(ctx, "User.Read.All"), "accept", "FINDING_NOT_ACCEPTABLE"),
        (lambda ctx: revoke(ctx, "User.Read.All"), "remove", "FINDING_NOT_REMOVABLE"),
        (elsewhere, "remove", "FINDING_NOT_REMOVABLE"),
        (lambda ctx: scopes(ctx, "Mail.Send", user="u-1"), "remove", "FINDING_NOT_REMOVABLE"),
        (lambda ctx: secret(ctx, "x", age=timedelta(1)), "remove", "FINDING_NOT_REMOVABLE"),
        (owner, "remove", "FINDING_NOT_REMOVABLE"),
    ):
        ctx = await onboarded()
        happen(ctx)
        await verify(ctx)
        with pytest.raises(Rejected) as refused:
            await decide(ctx, choice, await the_one(ctx))  # type: ignore[arg-type] # a choice
        assert refused.value.problem.code == code
        assert refused.value.problem.hint
        assert (await connection(ctx)).decisions == {}


REMOVABLE = ("extra grant", "delegated for everybody", "asked for besides", "another role",
             "the role in one unit")  # fmt: skip


@pytest.mark.requirement("X-17")
@pytest.mark.diagnosis("FINDING_REMOVAL")
@pytest.mark.parametrize("name", REMOVABLE)
async def test_what_an_approver_wants_away_is_taken_away_and_nothing_else(name: str) -> None:
    ctx = await onboarded()
    good = tenant_of(ctx)
    DRIFTS[name][0](ctx)
    await verify(ctx)
    finding = await the_one(ctx)
    await verify(ctx)
    assert tenant_of(ctx) != good
    await decide(ctx, "remove", finding)
    assert tenant_of(ctx) == good
    shown = (await connection(ctx)).conditions
    assert all(condition.status == Status.TRUE for condition in shown)
    assert (await the_one(ctx)).closed_why == "removed"
    (row,) = await history(ctx, "finding.removed")
    assert (row["approved_by"], row["fingerprint"]) == ("eve", finding.fingerprint)
    (row,) = await history(ctx, "finding.decided")
    assert (row["by"], row["principal"], row["reason"]) == ("eve", EVE, "CHG-9")


async def test_of_two_extras_only_the_approved_one_goes() -> None:
    ctx = await onboarded()
    scopes(ctx, "Mail.Send", "User.Read.All", "Mail.Read")
    scopes(ctx, "Mail.Send", user="u-1")
    await verify(ctx)
    found = {finding.name: finding for finding in await findings(ctx)}
    await decide(ctx, "remove", found["Mail.Send (delegated)"])
    assert [row.scopes for row in principal(ctx).delegated] == [
        ("User.Read.All", "Mail.Read"),
        ("Mail.Send",),
    ]


async def test_a_removal_of_what_the_profile_has_come_to_want_is_not_carried_out() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    finding = await the_one(ctx)
    wanted = permission(ctx, "User.Read.All").key
    other = replace(finding, item=replace(finding.item, id=wanted.id))
    await ctx.ledger.amend(NAME, findings=(other,))
    await decide(ctx, "remove", other)
    assert "User.Read.All" in (await connection(ctx)).granted


async def test_a_removal_that_is_refused_says_so_and_is_tried_again() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    refused = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "grant it")
    ctx.tenant.fail("consents.revoke", refused)
    await decide(ctx, "remove", await the_one(ctx))
    assert await states(ctx) == ["removing"]
    assert (await verify(ctx)).status == Status.TRUE
    assert (await the_one(ctx)).closed_why == "removed"


@pytest.mark.usefixtures("repairing")
@pytest.mark.parametrize(
    "name", ["missing grant", "not asked for", "role taken away", "owner lost"]
)
async def test_what_a_policy_repairs_is_closed_as_repaired(name: str) -> None:
    ctx = await onboarded()
    DRIFTS[name][0](ctx)
    assert (await verify(ctx)).status == Status.TRUE
    assert (await the_one(ctx)).closed_why == "repaired"
    assert len(events(ctx, "reported")) == len(events(ctx, "closed")) == 1


@pytest.mark.usefixtures("repairing")
async def test_a_role_that_was_put_back_is_noted_as_given() -> None:
    ctx = await onboarded()
    principal(ctx).roles.clear()
    await ctx.ledger.amend(NAME, given=())
    await verify(ctx)
    role = ctx.tenant.role_ids["Helpdesk Administrator"]
    assert f"role/{role}" in (await connection(ctx)).given


@pytest.mark.usefixtures("repairing")
async def test_an_ownership_that_is_out_of_reach_is_told_with_its_remedy() -> None:
    ctx = await onboarded()
    application(ctx).owners.clear()
    refused = NeedsHuman("AUTOMATION_NOT_OWNER", "HTTP 403", "have an owner add it")
    ctx.tenant.fail("applications.add_owner", refused, times=9)
    shown = await verify(ctx)
    assert (shown.reason, shown.remedy) == ("AUTOMATION_NOT_OWNER", "have an owner add it")
    assert await states(ctx) == ["open"]


async def test_a_decision_while_a_verification_runs_is_acted_upon_by_the_next() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    await verify(ctx)
    finding = await the_one(ctx)
    await onboarding.run(ctx, NAME, "verify", "in-flight", asked_by="test")
    wish = Wish(choice="accept", reason="CHG-9")
    made = await onboarding.decide(
        ctx, NAME, finding.fingerprint, wish, asked_by="eve", principal=EVE
    )
    assert made.operation is None
    await drive(ctx)
    assert await states(ctx) == ["approved"]


async def test_a_connection_holds_so_many_findings_and_no_more() -> None:
    ctx = await onboarded()
    scopes(ctx, *(f"Scope.{n}" for n in range(300)))
    await verify(ctx)
    assert len(await findings(ctx)) == MOST
    principal(ctx).delegated.clear()
    await verify(ctx)
    assert len(await findings(ctx)) == MOST_CLOSED


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


async def test_who_did_it_is_told_where_the_log_can_be_read() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    about = permission(ctx, "Mail.Send").key.id
    logged = AuditEntry(
        activity="Add app role assignment to service principal",
        at=ctx.clock.now(),
        name="mallory@contoso.example",
        id="m-1",
        about=f'"{about}"',
    )
    ctx.tenant.logged[principal(ctx).id] = [logged]
    await verify(ctx)
    actor = (await the_one(ctx)).actor
    assert actor is not None and (actor.name, actor.at) == (logged.name, logged.at)
    (told,) = [e for e in ctx.outbox.events if e.type == "keyturn.finding.reported"]
    assert told.data["changed_by"]["name"] == logged.name
    await verify(ctx)
    assert (await the_one(ctx)).actor == actor


@pytest.mark.parametrize("silent", ["refused", "no right", "empty"])
async def test_without_the_log_nobody_is_named_and_nothing_is_lost(silent: str) -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    if silent == "refused":
        refused = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "grant it")
        ctx.tenant.fail("audit_log.entries", refused, times=9)
    elif silent == "no right":
        ctx.tenant.own_roles -= {"AuditLog.Read.All"}
    assert (await verify(ctx)).reason == "EXTRA_PERMISSION"
    assert (await the_one(ctx)).actor is None
    asked = ctx.tenant.faults.count("audit_log.entries")
    assert asked == (0 if silent == "no right" else 1)
