"""The connections of a simulation."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest import mock

from msgspec.structs import replace

from shared.profile import catalogue
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

VARIANTS: dict[str, dict[str, Any]] = {
    "as built in": {},
    "next secrets staged ahead": {"credential": {"prestage": True}},
    "certificates": {"credential": {"kind": "certificate"}},
    "missing grants put back": {"drift": {"policy": "repair"}},
}
"""What the profiles of a simulation have besides; each seed has one of them."""


@contextmanager
def profiles(variant: str) -> Iterator[None]:
    """The built-in profiles of `BODIES`, changed so, for as long as it lasts."""
    known, changed = catalogue(), {}
    for body in BODIES:
        plain = known[body["profile"]]
        parts = VARIANTS[variant].items()
        new = {part: replace(getattr(plain, part), **keys) for part, keys in parts}
        changed[plain.id] = replace(plain, **new)
    with mock.patch.dict(known._read, changed):  # noqa: SLF001 - profiles are files; these are none
        yield


LIFETIMES = ("P30D", "P60D", "P90D", "P180D")


def draw(number: int, chance: Random) -> dict[str, Any]:
    """The body of a request for one product, by chance."""
    profile = chance.choice(BODIES)["profile"]
    return body_of(profile, number, chance.choice(LIFETIMES))


def body_of(profile: str, number: int, lifetime: str = "P180D") -> dict[str, Any]:
    """The body of a request for one of the products."""
    body = json.loads(json.dumps(next(b for b in BODIES if b["profile"] == profile)))
    body["name"] = f"product-{number}"
    body["owner"] = "ana@contoso.example"
    body["approval"] = {"reason": "reviewed"}
    body["inputs"]["secret_lifetime"] = lifetime
    if "connection_id" in body["inputs"]:
        body["inputs"]["connection_id"] = f"Export{number}"
    return body


def request_of(body: dict[str, Any]) -> Request:
    checked = check_request(json.dumps(body).encode())
    assert isinstance(checked, Request), checked
    return checked
