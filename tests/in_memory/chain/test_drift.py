"""Every kind of drift is seen by the verification, told with its code, and has a remedy."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.errors import NeedsHuman
from shared.model.connection import Status
from shared.model.directory import Kind, PermissionKey
from shared.model.profile import RETIRED
from tests.fakes import FakeContext
from tests.fakes.tenant import RoleRow
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
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.world import connection

Change = Callable[[FakeContext], object]


def wrong_kind(ctx: FakeContext) -> None:
    """Somebody picks the permission again, and the wrong box."""
    right, wrong = (
        permission(ctx, "User.Read.All"),
        permission(ctx, "User.Read.All", Kind.DELEGATED),
    )
    configured = application(ctx).wanted.configured - {right.key} | {wrong.key}
    change(ctx, configured=configured)


def retired(ctx: FakeContext) -> None:
    key = PermissionKey(resource=RETIRED, kind=Kind.APPLICATION, id="5778995a")
    change(ctx, configured=application(ctx).wanted.configured | {key})


def not_asked_for(ctx: FakeContext) -> None:
    key = permission(ctx, "User.Read.All").key
    change(ctx, configured=application(ctx).wanted.configured - {key})


def deleted(ctx: FakeContext) -> None:
    row = application(ctx)
    ctx.tenant.deleted[row.id] = ctx.clock.now()
    ctx.tenant.applications.clear()
    ctx.tenant.principals.clear()


def disabled(ctx: FakeContext) -> None:
    principal(ctx).enabled = False


def other_role(ctx: FakeContext) -> None:
    principal(ctx).roles.append(RoleRow(role_id=ctx.tenant.role_ids["User Administrator"]))


DRIFTS: dict[str, tuple[Change, str, str]] = {
    "missing": (lambda ctx: revoke(ctx, "User.Read.All"), "CONSENT_", "User.Read.All"),
    "extra": (lambda ctx: grant(ctx, "Mail.Send"), "EXTRA_PERMISSION", "Mail.Send"),
    "wrong kind": (wrong_kind, "PERM_KIND", "User.Read.All was added as Delegated"),
    "retired API": (retired, "RETIRED_API", "retired Azure AD Graph"),
    "not asked for any more": (not_asked_for, "CONSENT_DRIFT", "User.Read.All"),
    "disabled": (disabled, "SP_DISABLED", "disabled"),
    "deleted": (deleted, "APP_DELETED", "deleted on 2026-01-05"),
    "audience": (
        lambda ctx: change(ctx, audience="AzureADMultipleOrgs"),
        "AUDIENCE_TOO_WIDE",
        "audience",
    ),
    "redirect": (
        lambda ctx: change(ctx, web_redirects=("https://evil.example",)),
        "REDIRECT_MISMATCH",
        "web redirect",
    ),
    "public flag": (
        lambda ctx: change(ctx, public_client=True),
        "PUBLIC_FLOW_OFF",
        "public client flows",
    ),
    "missing role": (lambda ctx: principal(ctx).roles.clear(), "ROLE_MISSING", "Helpdesk"),
    "extra role": (other_role, "EXTRA_PERMISSION", "User Administrator"),
    "a secret that nobody stored": (
        lambda ctx: secret(ctx, "by hand", age=timedelta(days=30)),
        "SECRET_VALUE_UNKNOWN",
        "by hand",
    ),
    "a second rotator": (
        lambda ctx: secret(ctx, "CyberArk", age=timedelta()),
        "TWO_ROTATORS",
        "keyId",
    ),
}


@pytest.mark.requirement("X-08", "D-20")
@pytest.mark.diagnosis(
    "CONSENT_MISSING",
    "CONSENT_DRIFT",
    "EXTRA_PERMISSION",
    "PERM_KIND",
    "RETIRED_API",
    "SP_DISABLED",
    "APP_DELETED",
    "AUDIENCE_TOO_WIDE",
    "REDIRECT_MISMATCH",
    "PUBLIC_FLOW_OFF",
    "ROLE_MISSING",
    "SECRET_VALUE_UNKNOWN",
    "TWO_ROTATORS",
)
@pytest.mark.parametrize("name", DRIFTS)
async def test_drift_is_told(name: str) -> None:
    happen, code, words = DRIFTS[name]
    ctx = await onboarded()
    happen(ctx)
    found = await verify(ctx)
    assert found.status == Status.FALSE
    assert found.reason.startswith(code)
    assert words in found.message
    assert found.remedy


@pytest.mark.requirement("N-13")
async def test_a_revoked_consent_that_is_given_again_is_seen_both_times() -> None:
    ctx = await onboarded()
    revoke(ctx, "User.Read.All")
    assert (await verify(ctx)).status == Status.FALSE
    assert "User.Read.All" not in (await connection(ctx)).granted
    grant(ctx, "User.Read.All")
    assert (await verify(ctx)).status == Status.TRUE
    assert "User.Read.All" in (await connection(ctx)).granted


async def test_all_that_is_wrong_is_told_the_gravest_first() -> None:
    ctx = await onboarded()
    grant(ctx, "Mail.Send")
    secret(ctx, "by hand", age=timedelta())
    principal(ctx).roles.clear()
    found = await verify(ctx)
    assert found.reason == "ROLE_MISSING"
    assert "EXTRA_PERMISSION: Granted but not in the profile: Mail.Send" in found.message
    assert "TWO_ROTATORS" in found.message


async def test_when_everything_was_in_order_for_the_last_time_is_kept() -> None:
    ctx = await onboarded()
    good = (await connection(ctx)).verified
    assert good is not None
    disabled(ctx)
    await verify(ctx)
    assert (await connection(ctx)).verified == good


@pytest.mark.diagnosis("APP_DELETED")
async def test_a_refusal_to_list_what_was_deleted_does_not_hide_that_it_is_gone() -> None:
    ctx = await onboarded()
    deleted(ctx)
    refused = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "grant it")
    ctx.tenant.fail("applications.deleted", refused, times=100)
    found = await verify(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "APP_DELETED")
