"""Features that default to a fact of the tenant."""

import json
from typing import Any

import pytest

from functions.http.views import view
from shared import onboarding
from shared.errors import NeedsHuman
from shared.handover.outside import preconditions
from shared.profile import catalogue
from shared.requests import Request, check_request
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.world import NAME, connection

BODY = {
    "name": NAME,
    "profile": "netwrix-privilege-secure",
    "inputs": {"app_name": "NPS"},
    "approval": {"reason": "ok"},
}


async def onboarded(ctx: FakeContext, **features: bool) -> dict[str, Any]:
    """The features that the API shows."""
    checked = check_request(json.dumps({**BODY, "features": features}).encode())
    assert isinstance(checked, Request), checked
    await onboarding.onboard(ctx, checked, asked_by="test")
    await drive(ctx)
    return view(await connection(ctx), [], {}, ctx.clock.now()).features


@pytest.mark.parametrize("hybrid", [True, False])
async def test_a_hybrid_tenant_is_found(hybrid: bool) -> None:  # noqa: FBT001 - a parameter
    ctx = fake_context()
    ctx.tenant.hybrid = hybrid
    assert (await onboarded(ctx))["hybrid"] is hybrid
    known = await connection(ctx)
    opened = {held.id for held in preconditions(catalogue()[known.spec.profile], known)}
    assert ("password-writeback" in opened) is hybrid


@pytest.mark.parametrize("forced", [True, False])
async def test_what_the_request_forces_is_what_holds(forced: bool) -> None:  # noqa: FBT001 - a parameter
    ctx = fake_context()
    ctx.tenant.hybrid = not forced
    assert (await onboarded(ctx, hybrid=forced))["hybrid"] is forced


async def test_a_refused_look_up_stops_nothing() -> None:
    ctx = fake_context()
    refused = NeedsHuman("AUTOMATION_PRIVILEGE", "HTTP 403", "grant it")
    ctx.tenant.fail("directory.hybrid", refused)
    assert (await onboarded(ctx))["hybrid"] is False
    assert (await connection(ctx)).facts.client_id
