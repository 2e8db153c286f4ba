"""Requests for the products of the guides, and their chains in memory."""

import json
from typing import Any

from shared import onboarding
from shared.model.connection import Aspect, Condition, Connection
from shared.requests import Request, check_request
from tests.fakes import FakeContext
from tests.fakes.drive import drive

INPUTS: dict[str, dict[str, Any]] = {
    "devolutions-server": {"provider_name": "DVLS PAM", "config_name": "nightly"},
    "pam360": {"domain": "contoso.onmicrosoft.com"},
    "password-manager-pro": {"domain": "contoso.onmicrosoft.com"},
    "pandium": {"scope": "microsoft-graph"},
    "netwrix-identity-manager": {
        "organization": "Contoso",
        "connection_id": "MicrosoftEntraIDExport",
    },
}


def request(profile: str, name: str = "", **changes: Any) -> Request:
    body = {
        "name": name or f"{profile}-prod",
        "profile": profile,
        "inputs": {**INPUTS[profile], **changes.pop("inputs", {})},
        "owner": "ana@contoso.example",
        "approval": {"reason": "reviewed"},
        **changes,
    }
    checked = check_request(json.dumps(body).encode())
    assert isinstance(checked, Request), checked
    return checked


async def onboarded(ctx: FakeContext, profile: str, name: str = "", **changes: Any) -> Connection:
    """Run the whole chain; answers the connection as it is then."""
    wanted = request(profile, name, **changes)
    await onboarding.onboard(ctx, wanted, asked_by="test")
    await drive(ctx)
    return await known(ctx, wanted.spec.name)


async def known(ctx: FakeContext, name: str) -> Connection:
    found = await ctx.ledger.connection(name)
    assert found is not None
    return found


def condition(connection: Connection, aspect: Aspect) -> Condition:
    found = connection.condition(aspect)
    assert found is not None, f"no condition {aspect}: {connection.conditions}"
    return found
