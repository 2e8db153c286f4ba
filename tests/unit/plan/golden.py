"""Plans of the five products as they should be.

``python -m tests.unit.plan.golden`` writes them anew after a wanted change; the differences are
then reviewed like code.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import msgspec

from tests.fakes import fake_context
from tests.in_memory.http.client import ANA, SIGN_IN, Client

FOLDER = Path(__file__).parent / "golden"

TENANT = "7c0de5a1-3f6b-4f3e-9c4d-0d5a1e9b7c11"

REQUESTS: dict[str, dict[str, Any]] = {
    "devolutions-server": {
        "inputs": {"provider_name": "DVLS PAM", "config_name": "nightly", "search_mode": "roles"},
    },
    "pam360": {"inputs": {"domain": "contoso.example"}, "features": {"login": True}},
    "password-manager-pro": {"inputs": {"domain": "contoso.example"}},
    "pandium": {
        "inputs": {"scope": "azure-devops", "devops_org": "contoso"},
        "features": {"azure_devops": True},
    },
    "netwrix-identity-manager": {
        "inputs": {"connection_id": "Entra", "organization": "Contoso"},
        "features": {"fulfilment": True},
    },
}
"""What is asked for, with the choices that make a plan interesting."""


async def planned(profile: str, form: str) -> str:
    """The answer to a dry run in a tenant that is always the same."""
    ctx = fake_context()
    ctx.tenant.identity = msgspec.structs.replace(ctx.tenant.identity, id=TENANT)
    body = {"name": profile, "profile": profile, **REQUESTS[profile], "dry_run": True}
    answer = await Client(ctx, ANA).post(f"/api/connections?format={form}", body)
    assert answer.status == 200, answer.content
    if form == "markdown":
        return answer.content.decode()
    return msgspec.json.format(answer.content, indent=2).decode() + "\n"


def file(profile: str, form: str) -> Path:
    return FOLDER / f"{profile}.{'md' if form == 'markdown' else 'json'}"


def main() -> None:
    os.environ.update(SIGN_IN)
    FOLDER.mkdir(exist_ok=True)
    for profile in REQUESTS:
        for form in ("json", "markdown"):
            file(profile, form).write_text(asyncio.run(planned(profile, form)))


if __name__ == "__main__":
    main()
