"""Requests for products other than Devolutions Server, driven to the end of their chain."""

import json
from datetime import timedelta
from typing import Any

from shared import onboarding
from shared.model.connection import Aspect, Condition, Connection
from shared.requests import Request, check_request
from tests.fakes import FakeContext
from tests.fakes.drive import drive

REQUESTS: dict[str, dict[str, Any]] = {
    "teleport-entra": {
        "inputs": {"app_name": "Teleport", "proxy_address": "https://teleport.contoso.example"}
    },
    "vault-azure-secrets": {
        "features": {"rotate_root": True, "dynamic": False},
        "inputs": {
            "app_name": "Vault",
            "subscription_id": "11111111-2222-4333-8444-555555555555",
        },
    },
    "password-manager-pro": {
        "features": {"login": True},
        "inputs": {"domain": "contoso.onmicrosoft.com"},
    },
    "netwrix-identity-manager": {
        "inputs": {"organization": "Contoso", "connection_id": "EntraExport"}
    },
    "pandium": {"inputs": {"scope": "azure-devops"}},
}


async def onboard(ctx: FakeContext, profile: str, **changes: Any) -> Connection:
    """Onboard the product, and let its chain run to the end."""
    body = {
        "name": profile,
        "profile": profile,
        "owner": "ana@contoso.example",
        "approval": {"reason": "reviewed"},
        **REQUESTS[profile],
        **changes,
    }
    checked = check_request(json.dumps(body).encode())
    assert isinstance(checked, Request), checked
    await onboarding.onboard(ctx, checked, asked_by="test")
    await drive(ctx)
    return await found(ctx, profile)


async def found(ctx: FakeContext, name: str) -> Connection:
    known = await ctx.ledger.connection(name)
    assert known is not None
    return known


async def run(
    ctx: FakeContext, name: str, kind: str, *, later: timedelta = timedelta(days=2)
) -> Connection:
    """Run an operation of this kind some days later."""
    ctx.clock.advance(later)
    operation = f"{kind}-{ctx.clock.now():%Y%m%d%H%M}"
    await onboarding.run(ctx, name, kind, operation, asked_by="test")
    await drive(ctx)
    return await found(ctx, name)


def condition(connection: Connection, aspect: Aspect) -> Condition:
    held = connection.condition(aspect)
    assert held is not None, [c.type for c in connection.conditions]
    return held
