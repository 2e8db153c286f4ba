"""Findings that end because Keyturn takes away what is besides, or repairs what is missing."""

import pytest
from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.connection import Status
from tests.in_memory.chain.drifts import application, grant, permission, principal, verify
from tests.in_memory.chain.findings import (
    DRIFTS,
    EVE,
    decide,
    events,
    findings,
    history,
    scopes,
    states,
    tenant_of,
    the_one,
)
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_repair import repairing
from tests.in_memory.chain.world import NAME, connection

__all__ = ["repairing"]


pytestmark = pytest.mark.requirement("X-08", "X-09")


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
