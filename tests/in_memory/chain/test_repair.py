"""A profile's drift policy decides whether what is missing is put back; nothing is removed."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared import profile as profiles
from shared import runtime
from shared.model.connection import Status
from shared.model.profile import Drift
from shared.requests import check_request
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
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
from tests.in_memory.chain.test_drift import not_asked_for, other_role
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.world import NAME, connection, onboard

WRITES = ("consents.grant", "roles.assign", "applications.ensure", "credentials.remove")

MISSING: dict[str, Callable[[FakeContext], object]] = {
    "grant": lambda ctx: revoke(ctx, "User.Read.All"),
    "role": lambda ctx: principal(ctx).roles.clear(),
    "configured": not_asked_for,
}

SURPLUS: dict[str, Callable[[FakeContext], object]] = {
    "grant": lambda ctx: grant(ctx, "Mail.Send"),
    "role": other_role,
    "secret": lambda ctx: secret(ctx, "by hand", age=timedelta()),
    "audience": lambda ctx: change(ctx, audience="AzureADMultipleOrgs"),
    "public flag": lambda ctx: change(ctx, public_client=True),
    "redirect": lambda ctx: change(ctx, web_redirects=("https://a.example",)),
}


@pytest.fixture
def repairing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The built-in profiles, with the policy repair."""
    known = {
        name: replace(each, drift=Drift(policy="repair"))
        for name, each in profiles.catalogue().items()
    }
    monkeypatch.setattr(runtime, "catalogue", lambda: known)


def writes(ctx: FakeContext) -> list[str]:
    return [call for call in ctx.tenant.faults.calls if call in WRITES]


@pytest.mark.requirement("X-09")
@pytest.mark.usefixtures("repairing")
@pytest.mark.parametrize("kind", MISSING)
async def test_repair_puts_back_what_is_missing(kind: str) -> None:
    ctx = await onboarded()
    MISSING[kind](ctx)
    found = await verify(ctx)
    assert found.status == Status.TRUE
    assert "drift.repaired" in [row["what"] for row in await ctx.ledger.history(NAME)]


@pytest.mark.requirement("X-09")
@pytest.mark.parametrize("kind", MISSING)
async def test_report_changes_nothing(kind: str) -> None:
    ctx = await onboarded()
    MISSING[kind](ctx)
    before = writes(ctx)
    found = await verify(ctx)
    assert found.status == Status.FALSE
    assert writes(ctx) == before


@pytest.mark.requirement("X-09")
@pytest.mark.usefixtures("repairing")
@pytest.mark.parametrize("kind", SURPLUS)
async def test_repair_removes_nothing(kind: str) -> None:
    ctx = await onboarded()
    SURPLUS[kind](ctx)
    before = writes(ctx)
    found = await verify(ctx)
    assert found.status == Status.FALSE
    assert writes(ctx) == before


@pytest.mark.requirement("X-09")
@pytest.mark.usefixtures("repairing")
async def test_repair_puts_back_one_thing_and_leaves_what_is_there_besides() -> None:
    ctx = await onboarded()
    mail = permission(ctx, "Mail.Send").key
    not_asked_for(ctx)
    change(ctx, configured=application(ctx).wanted.configured | {mail})
    grant(ctx, "Mail.Send")
    found = await verify(ctx)
    assert found.reason in ("CONSENT_DRIFT", "EXTRA_PERMISSION")
    configured = application(ctx).wanted.configured
    assert {mail, permission(ctx, "User.Read.All").key} <= configured


@pytest.mark.requirement("X-09")
@pytest.mark.usefixtures("repairing")
async def test_repair_grants_nothing_that_was_not_approved() -> None:
    ctx = await onboarded()
    known = await connection(ctx)
    assert known.approval is not None
    await ctx.ledger.amend(NAME, approval=replace(known.approval, covers=()))
    revoke(ctx, "RoleManagement.ReadWrite.Directory")
    before = writes(ctx)
    found = await verify(ctx)
    assert found.reason == "APPROVAL_PENDING"
    assert writes(ctx) == before


@pytest.mark.requirement("X-09")
def test_a_request_cannot_choose_the_policy() -> None:
    body = b'{"name": "x", "profile": "devolutions-server", "drift": {"policy": "repair"}}'
    found = check_request(body)
    assert isinstance(found, list)
    assert any(problem.field == "drift" for problem in found)


@pytest.mark.usefixtures("repairing")
async def test_an_onboarding_that_is_all_right_repairs_nothing() -> None:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    assert "drift.repaired" not in [row["what"] for row in await ctx.ledger.history(NAME)]
