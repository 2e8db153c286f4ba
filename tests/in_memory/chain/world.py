"""A request, and the invariants that must hold of whatever became of it."""

import json

from shared import onboarding
from shared.model.connection import Connection, Status
from shared.planning.credentials import PREFIX
from shared.requests import Request, check_request
from tests.fakes import FakeContext

NAME = "dvls-prod"


def request(**changes: object) -> Request:
    body = {
        "name": NAME,
        "profile": "devolutions-server",
        "inputs": {"provider_name": "DVLS PAM", "config_name": "nightly", "search_mode": "roles"},
        "owner": "ana@contoso.example",
        "approval": {"reason": "reviewed"},
        **changes,
    }
    checked = check_request(json.dumps(body).encode())
    assert isinstance(checked, Request), checked
    return checked


async def onboard(ctx: FakeContext, **changes: object) -> str:
    started = await onboarding.onboard(ctx, request(**changes), asked_by="test")
    return started.operation.id


async def connection(ctx: FakeContext) -> Connection:
    found = await ctx.ledger.connection(NAME)
    assert found is not None
    return found


async def statuses(ctx: FakeContext) -> dict[str, str]:
    return {c.type: c.status for c in (await connection(ctx)).conditions}


async def assert_onboarded(ctx: FakeContext) -> None:
    """One application, one live secret, which is the one served; every condition true."""
    found = await connection(ctx)
    assert {c.type: (c.status, c.reason) for c in found.conditions if c.status != Status.TRUE} == {}
    assert len(found.conditions) == 7
    applications = list(ctx.tenant.applications.values())
    assert len(applications) == 1
    held = await ctx.credentials.held(found.facts.object_id)
    served = await ctx.vault.current(NAME)
    assert held is not None and served is not None
    ours = [secret.key_id for secret in held if secret.name.startswith(PREFIX)]
    assert ours == [served.key_id]
    assert found.credential is not None and found.credential.key_id == served.key_id
    operation = await ctx.ledger.operation(NAME, found.operation)
    assert operation is not None and operation.state == "succeeded"
