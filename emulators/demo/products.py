"""What is asked for: one connection for each product of the vendors' guides."""

import shutil
from pathlib import Path
from typing import Any

import msgspec

from emulators.stack import ROOT

REPAIRED = "password-manager-pro"
"""Profile of which the demo has a variant: drift is repaired, where all others only report it."""

OWNER = "ana@contoso.example"


class Product(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and what the demo does with it besides."""

    name: str
    profile: str
    features: dict[str, bool]
    inputs: dict[str, Any]
    by_queue: bool = False  # another system asks, with a message
    approval: str = ""  # the reason that the approver gives, where the risk is high
    api: str = "https://graph.microsoft.com"  # for which the product wants tokens

    def body(self) -> dict[str, Any]:
        """As a person sends it to ``POST /api/connections``."""
        return {
            "name": self.name,
            "profile": self.profile,
            "features": self.features,
            "inputs": self.inputs,
            "owner": OWNER,
        }

    def message(self) -> dict[str, Any]:
        """As another system posts it to the ``provisioning`` queue."""
        body = self.body()
        return {
            "apiVersion": "keyturn/v1",
            "kind": "onboard",
            "connection": body.pop("name"),
            **body,
        }


def devolutions(name: str, mode: str) -> Product:
    """Devolutions Server: its guide's role suffices for the accounts in those groups.

    Who holds roles are administrators, for whom a person must ask for more.
    """
    return Product(
        name=name,
        profile="devolutions-server",
        features={"discovery": True, "password_rotation": True, "admin_targets": mode == "roles"},
        inputs={
            "provider_name": "DVLS PAM",
            "config_name": "nightly",
            "search_mode": mode,
            "filter": ["Team 04", "Team 05"] if mode == "groups" else [],
            "secret_lifetime": "P90D",
        },
        approval="reviewed: PAM needs to write roles, change 4711",
    )


def products(domain: str, organisation: str) -> tuple[Product, ...]:
    """The five products, as a customer whose tenant has this domain asks for them."""
    return (
        devolutions("dvls-prod", "groups"),
        Product(
            name="pam360",
            profile="pam360",
            features={"sync": True},
            inputs={"domain": domain, "redirect_uri": "https://pam360.contoso.example:8282"},
            by_queue=True,
        ),
        Product(
            name="pmp",
            profile="password-manager-pro",
            features={"sync": True},
            inputs={"domain": domain, "groups": "Sales Department, All Departments"},
        ),
        Product(
            name="netwrix-im",
            profile="netwrix-identity-manager",
            features={"fulfilment": True},
            inputs={"organization": "Contoso", "connection_id": "MicrosoftEntraIDExport"},
            approval="reviewed: fulfilment writes users and groups, change 4712",
        ),
        Product(
            name="pandium-devops",
            profile="pandium",
            features={"azure_devops": True},
            inputs={"scope": "azure-devops", "devops_org": organisation},
            api="499b84ac-1321-427f-aa17-267ca6975798",
        ),
    )


def variant(folder: Path) -> Path:
    """A copy of the functions' bundle in which one profile's drift policy is ``repair``."""
    for part in ("functions", "shared", "emulators", "infra"):
        shutil.copytree(ROOT / part, folder / part)
    for file in ("function_app.py", "host.json"):
        shutil.copy(ROOT / file, folder)
    with (folder / "shared" / "profiles" / f"{REPAIRED}.yaml").open("a") as profile:
        profile.write("drift: {policy: repair}\n")
    return folder
