"""The service principal becomes a user of the Azure DevOps organisation."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from functions.sweeps import sweep
from shared.membership import join
from shared.messages import StepMessage
from shared.model.connection import Aspect, Status
from shared.model.membership import Member
from shared.planning.membership import LICENCE
from shared.profile import catalogue
from shared.step import Work
from tests.fakes import FakeContext, FakeTenant, fake_context
from tests.fakes.drive import drive
from tests.fakes.organisations import Organisation
from tests.in_memory.handover.products import condition, known, onboarded, request

NAME = "pandium-prod"
PROJECT = "6fa35aad-6755-4dd7-8c69-e13f702af0f9"
WISHES: dict[str, Any] = {
    "features": {"azure_devops": True},
    "inputs": {"scope": "azure-devops", "devops_org": "contoso", "devops_projects": [PROJECT]},
}


def world(*, administered: bool = True) -> tuple[FakeContext, Organisation]:
    tenant = FakeTenant()
    organisation = Organisation(tenant.identity.id, administered)
    tenant.organisations["contoso"] = organisation
    return fake_context(tenant=tenant), organisation


@pytest.mark.requirement("A-11", "A-13", "A-14")
@pytest.mark.diagnosis("DEVOPS_LICENCE")
async def test_it_is_added_by_its_own_object_id():
    ctx, organisation = world()
    connection = await onboarded(ctx, "pandium", **WISHES)
    (member,) = organisation.members.values()
    assert member.object_id == connection.facts.principal_id
    assert (member.licence, member.projects) == ("express", (PROJECT,))
    assert {c.type: c.reason for c in connection.conditions if c.status != "True"} == {}
    assert LICENCE in condition(connection, Aspect.ROLE_ASSIGNED).message
    assert connection.membership is not None and connection.membership.joined


async def test_a_repeat_adds_nothing():
    ctx, organisation = world()
    await onboarded(ctx, "pandium", **WISHES)
    await onboarded(ctx, "pandium", **WISHES)
    assert len(organisation.members) == 1
    assert ctx.tenant.faults.count("organisations.add") == 1


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_crash_while_it_is_added_is_made_good(*, after_effect: bool):
    ctx, organisation = world()
    ctx.tenant.fail("organisations.add", RuntimeError("gone"), after_effect=after_effect)
    with pytest.raises(RuntimeError):
        await onboarded(ctx, "pandium", **WISHES)
    ctx.clock.advance(timedelta(hours=1))
    await sweep(ctx, "resume")
    await drive(ctx)
    assert len(organisation.members) == 1
    assert (await known(ctx, NAME)).membership is not None


async def test_a_member_with_less_is_completed():
    ctx, organisation = world()
    await onboarded(ctx, "pandium", **WISHES)
    (id_,) = organisation.members
    less = Member(object_id=organisation.members[id_].object_id, licence="stakeholder", id=id_)
    organisation.members[id_] = less
    broken = msgspec.structs.replace((await known(ctx, NAME)).conditions[0], status=Status.FALSE)
    await ctx.ledger.set_condition(NAME, broken)  # the same request then repairs
    await onboarded(ctx, "pandium", **WISHES)
    assert organisation.members[id_].licence == "express"
    assert organisation.members[id_].projects == (PROJECT,)


@pytest.mark.requirement("A-12")
@pytest.mark.diagnosis("DEVOPS_NEEDS_PCA")
async def test_without_the_right_the_sheet_has_the_step_and_onboarding_goes_on():
    ctx, organisation = world(administered=False)
    connection = await onboarded(ctx, "pandium", **WISHES)
    assert {c.type: c.reason for c in connection.conditions if c.status != "True"} == {}
    assert not organisation.members
    report = condition(connection, Aspect.HANDED_OVER)
    assert "For a person to do: 1." in report.message
    event = next(e for e in ctx.outbox.events if e.type == "keyturn.connection.reported")
    assert connection.facts.principal_id in event.data["steps"][0]


@pytest.mark.requirement("A-11", "A-12")
@pytest.mark.diagnosis("DEVOPS_NOT_MEMBER")
async def test_the_daily_check_asks_until_somebody_has_added_it():
    ctx, organisation = world(administered=False)
    connection = await onboarded(ctx, "pandium", **WISHES)
    await verified(ctx)
    missing = condition(await known(ctx, NAME), Aspect.VERIFIED)
    assert (missing.status, missing.reason) == ("False", "DEVOPS_NOT_MEMBER")
    assert connection.facts.principal_id in missing.remedy
    organisation.members["1"] = Member(
        object_id=connection.facts.principal_id, licence="express", id="1"
    )
    await verified(ctx)
    after = await known(ctx, NAME)
    assert condition(after, Aspect.VERIFIED).status == "True"
    assert after.membership is not None and after.membership.joined


@pytest.mark.requirement("A-15")
@pytest.mark.diagnosis("DEVOPS_TENANT")
@pytest.mark.parametrize("tenant", ["", "0f0f0f0f-0000-4000-8000-000000000001"])
async def test_an_organisation_of_another_tenant_is_refused(tenant: str):
    ctx, organisation = world()
    organisation.tenant = tenant
    connection = await onboarded(ctx, "pandium", **WISHES)
    stopped = condition(connection, Aspect.ROLE_ASSIGNED)
    assert (stopped.status, stopped.reason) == ("False", "DEVOPS_TENANT")


async def test_an_organisation_that_is_not_there_is_a_wrong_input():
    ctx, _ = world()
    del ctx.tenant.organisations["contoso"]
    connection = await onboarded(ctx, "pandium", **WISHES)
    assert condition(connection, Aspect.ROLE_ASSIGNED).reason == "INPUT_INVALID:devops_org"


async def verified(ctx: FakeContext) -> None:
    ctx.clock.reach((await ctx.ledger.due_times(NAME))["verify"])
    for kind in ("token", "verify"):  # the token has expired since
        await sweep(ctx, kind)
        await drive(ctx)


@pytest.mark.requirement("A-11")
@pytest.mark.diagnosis("DEVOPS_WRONG_ID")
@pytest.mark.parametrize("wrong", ["app.object_id", "app.client_id"])
async def test_an_id_of_another_kind_is_replaced_by_the_right_one(wrong: str):
    """A profile names the application where Azure DevOps wants its service principal."""
    ctx, organisation = world()
    connection = await onboarded(ctx, "pandium")
    profile = catalogue()["pandium"]
    grant = msgspec.structs.replace(profile.external_grants[0], object_id=f"${{{wrong}}}")
    spec = request("pandium", **WISHES).spec
    operation = await ctx.ledger.operation(NAME, connection.operation)
    assert operation is not None
    async with ctx.ledger.turn(NAME) as turn:
        work = Work(
            operation=operation,
            message=StepMessage(kind="onboard", connection=NAME, operation=connection.operation),
            connection=msgspec.structs.replace(connection, spec=spec),
            profile=msgspec.structs.replace(profile, external_grants=(grant,)),
            turn=turn,
            ctx=ctx,
            now=ctx.clock.now(),
        )
        await join(work)
    (member,) = organisation.members.values()
    assert member.object_id == connection.facts.principal_id
    resent = [row for row in await ctx.ledger.history(NAME) if row["what"] == "devops.resent"]
    assert [row["code"] for row in resent] == ["DEVOPS_WRONG_ID"]
