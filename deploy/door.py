"""The front door from outside: whether it is shut to strangers, and what it tells of itself."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx

from deploy.findings import FAILED, OK, Finding
from deploy.target import Target

SIGN_IN = "sign-in"

FORGED = {
    "auth_typ": "aad",
    "claims": [
        {"typ": "roles", "val": "Keyturn.Reader"},
        {"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": "doctor"},
    ],
}

OPEN = (
    "App Service Authentication is not in front, so callers can say themselves who they are. "
    "Switch it on: set KEYTURN_API_CLIENT_ID (python -m deploy permissions), run azd provision, "
    "and see that the app's Authentication blade requires it."
)


def forged(target: Target) -> dict[str, str]:
    """A principal that says all that a good one says, but comes from a caller."""
    claims = [
        *FORGED["claims"],
        {"typ": "aud", "val": target.api_client_id},
        {"typ": "iss", "val": f"{target.authority}/{target.tenant_id}/v2.0"},
        {
            "typ": "http://schemas.microsoft.com/identity/claims/tenantid",
            "val": target.tenant_id,
        },
        {"typ": "exp", "val": "4102444800"},
    ]
    content = json.dumps({**FORGED, "claims": claims}).encode()
    return {"x-ms-client-principal": base64.b64encode(content).decode()}


async def strangers(http: httpx.AsyncClient, target: Target, key: str) -> list[Finding]:
    """Tries the door without a token, and with a principal that nobody vouches for."""
    found = []
    for what, headers in (("without a token", {}), ("with a made-up caller", forged(target))):
        answer = await http.get("/api/health", headers={"x-functions-key": key, **headers})
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            continue
        message = f"a call {what} was answered {answer.status_code}, not 401"
        found.append(Finding(FAILED, SIGN_IN, message, OPEN))
    return found or [Finding(OK, SIGN_IN, "nobody gets in without a token of this tenant")]


async def health(
    http: httpx.AsyncClient, key: str, token: str
) -> tuple[dict[str, Any] | None, list[Finding]]:
    """What the front door says of itself; None where it did not, with the reason."""
    headers = {"x-functions-key": key, "authorization": f"Bearer {token}"}
    answer = await http.get("/api/health", headers=headers)
    try:
        told = answer.json()
    except ValueError:
        told = {}
    if "dependencies" in told:
        return told, []
    return None, list(_refused(answer.status_code, told))


def _refused(status: int, told: dict[str, Any]) -> Iterator[Finding]:
    if problems := told.get("problems"):
        for problem in problems:
            yield Finding(FAILED, "front door", problem["message"], problem["hint"])
    elif status == httpx.codes.UNAUTHORIZED:
        yield Finding(
            FAILED,
            "front door",
            "the call was answered 401",
            "give a function key of the front door (--key; `az functionapp keys list`), and sign "
            "in to the tenant that KEYTURN_API_CLIENT_ID is registered in",
        )
    else:
        yield Finding(
            FAILED,
            "front door",
            f"it answered {status}",
            "see that the app runs (azd deploy) and look into its log",
        )
