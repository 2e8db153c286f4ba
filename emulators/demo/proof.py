"""What came of it, and whether all of it is as it must be."""

from typing import Any

import jwt

from emulators.demo.board import ORDER, conditions
from emulators.demo.client import Client, control, secret_of, sign_in
from emulators.demo.products import Product


async def summary(state: dict[str, Any], client: Client, product: Product) -> dict[str, Any]:
    """Everything about one connection that the report shows."""
    path = f"/api/connections/{product.name}"
    connection = await client.get(path)
    secret = await secret_of(state, product.name)
    token = await sign_in(state, connection["application"]["client_id"], secret, product.api)
    tenant = await control(state, "state", lambda answer: answer.json())
    unique = f"keyturn-{product.name}"
    own = [a for a in tenant["applications"] if a.get("uniqueName") == unique]
    found = {
        "connection": connection,
        "handover": await client.get(f"{path}/handover"),
        "sheet": await client.text(f"{path}/handover?format=markdown"),
        "discoveries": await client.get(f"{path}/discoveries"),
        "token_roles": sorted(claims(token).get("roles", [])),
        "applications": len(own),
        "live_secrets": sum(len(a["passwordCredentials"]) for a in own),
    }
    if any(line.get("env") for line in found["handover"]["lines"]):
        found["env"] = await client.text(f"{path}/handover?format=env")
    return found


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def judge(product: Product, result: dict[str, Any]) -> list[str]:
    """What is not as it must be."""
    known = conditions(result["connection"])
    wrong = [
        f"{aspect} is not True: {known.get(aspect)}"
        for aspect in ORDER
        if known.get(aspect, {}).get("status") != "True"
    ]
    approval = result["connection"]["approval"]
    if bool(approval) != bool(product.approval):
        wrong.append(f"approval: {approval}")
    granted = set(result["connection"]["granted"])
    if not granted.issuperset(result["token_roles"]):
        wrong.append(f"token roles {result['token_roles']}, granted {sorted(granted)}")
    if (result["applications"], result["live_secrets"]) != (1, 1):
        wrong.append(f"{result['applications']} applications, {result['live_secrets']} secrets")
    return [f"{product.name}: {line}" for line in wrong]
