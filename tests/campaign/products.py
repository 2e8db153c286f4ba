"""The connections of a simulation."""

import json
from random import Random
from typing import Any

from shared.requests import Request, check_request

BODIES: tuple[dict[str, Any], ...] = (
    {
        "profile": "devolutions-server",
        "inputs": {"provider_name": "DVLS PAM"},
        "features": {"discovery": False},
    },
    {
        "profile": "netwrix-identity-manager",
        "inputs": {"organization": "Contoso", "connection_id": "Export"},
    },
    {
        "profile": "password-manager-pro",
        "inputs": {"domain": "contoso.onmicrosoft.com"},
        "features": {"sync": False},
    },
    {"profile": "authentik-entra", "inputs": {}},
    {"profile": "elastic-sharepoint-online", "inputs": {}},  # signs in with a certificate
)

LIFETIMES = ("P30D", "P60D", "P90D", "P180D")


def draw(number: int, chance: Random) -> dict[str, Any]:
    """The body of a request for one product, by chance."""
    body = json.loads(json.dumps(chance.choice(BODIES)))
    body["name"] = f"product-{number}"
    body["owner"] = "ana@contoso.example"
    body["approval"] = {"reason": "reviewed"}
    body["inputs"]["secret_lifetime"] = chance.choice(LIFETIMES)
    if "connection_id" in body["inputs"]:
        body["inputs"]["connection_id"] = f"Export{number}"
    return body


def request_of(body: dict[str, Any]) -> Request:
    checked = check_request(json.dumps(body).encode())
    assert isinstance(checked, Request), checked
    return checked
