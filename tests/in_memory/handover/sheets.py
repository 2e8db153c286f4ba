"""The sheets of the five products in every form, as the golden files have them.

``python -m tests.in_memory.handover.sheets`` writes them anew, after a profile or a form changed on
purpose; the difference is then reviewed like code.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from shared.handover import environment, markdown, offered, settings_file, sheet
from shared.model.connection import BrokeredToken, Connection, Credential, Facts, Membership
from shared.model.directory import Tenant
from shared.profile import catalogue
from tests.fakes import START
from tests.in_memory.handover.products import request

GOLDEN = Path(__file__).parent / "golden"
TENANT = Tenant(
    id="7e4a47aa-0000-4000-8000-000000000001", name="Contoso", initial_domain="contoso.example"
)
FACTS = Facts(
    object_id="0b1ec7aa-0000-4000-8000-000000000001",
    client_id="c11e47aa-0000-4000-8000-000000000001",
    principal_id="5e4b1ceb-0000-4000-8000-000000000001",
)
KEY_ID = "6e71d000-0000-4000-8000-000000000001"

PRODUCTS: dict[str, dict[str, Any]] = {
    "devolutions-server": {"inputs": {"password_template": "Strong"}},
    "pam360": {
        "features": {"stored_account": True, "login": True},
        "inputs": {"resource_name": "Azure", "account_name": "pam360-app"},
    },
    "password-manager-pro": {},
    "pandium": {
        "features": {"azure_devops": True},
        "inputs": {"scope": "azure-devops", "devops_org": "contoso"},
    },
    "netwrix-identity-manager": {},
}
"""What each sheet's request asks for beyond what is required."""


def vault(name: str, version: str) -> str:
    return f"https://kv-contoso.vault.azure.net/secrets/{name}/{version}"


def connection(profile: str) -> Connection:
    """A connection after its onboarding, with ids and dates that never change."""
    spec = request(profile, **PRODUCTS[profile]).spec
    made = Connection(
        spec=spec,
        created=START,
        facts=FACTS,
        credential=Credential(
            key_id=KEY_ID,
            expires=START + timedelta(days=180),
            published=START,
            due=START + timedelta(days=120),
            vault_name=spec.name,
            vault_version="0" * 31 + "1",
            hint="8Q~",
        ),
    )
    more: dict[str, Any] = {"handed": handed(made)}
    if profile == "pandium":
        more["brokered"] = BrokeredToken(
            obtained=START,
            expires=START + timedelta(seconds=3599),
            scope="499b84ac-1321-427f-aa17-267ca6975798/.default",
            token="d16e57",
            token_type="Bearer",
            expires_in=3599,
            ext_expires_in=3599,
        )
        more["membership"] = Membership(
            org="contoso",
            object_id=FACTS.principal_id,
            licence="express",
            projects=(),
            joined=False,
        )
    return msgspec.structs.replace(made, **more)


def handed(made: Connection) -> dict[str, str]:
    """A version for each name that the product reads by itself."""
    names = [output.vault_name for output in catalogue()[made.spec.profile].outputs]
    told = {
        "${connection}": made.spec.name,
        "${inputs.connection_id}": str(made.spec.inputs.get("connection_id")),
    }
    for reference, value in told.items():
        names = [name.replace(reference, value) for name in names]
    return {name: f"{place:032d}" for place, name in enumerate(names, 2) if name}


def forms(profile: str) -> Iterator[tuple[str, str]]:
    """Every form of a product's sheet: name of the golden file, and text."""
    known = catalogue()[profile]
    made = sheet(known, connection(profile), TENANT, vault)
    for form in offered(known):
        match form:
            case "json":
                text = json.dumps(msgspec.to_builtins(made), indent=2) + "\n"
                yield f"{profile}.json", text
            case "markdown":
                yield f"{profile}.md", markdown(made)
            case "env":
                yield f"{profile}.env", environment(made, vault)
            case file:
                yield f"{profile}.{file}", settings_file(made, file)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for old in GOLDEN.iterdir():
        old.unlink()
    for product in PRODUCTS:
        for name, text in forms(product):
            (GOLDEN / name).write_text(text, "utf-8")
