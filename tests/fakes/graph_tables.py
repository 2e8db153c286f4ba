"""What Microsoft's own APIs offer and Entra's built-in roles, with their real ids.

The permissions are those of the Graph emulator's table. Source of the roles: Entra built-in
roles reference. Ids never change.
"""

import json
from pathlib import Path
from typing import Any

import emulators.graph
from shared.model.directory import GRAPH_APP_ID

_TABLE: dict[str, Any] = json.loads(
    (Path(emulators.graph.__file__).parent / "data" / "permissions.json").read_text()
)

APIS: dict[str, list[tuple[str, str, str]]] = {
    app_id: [(row["kind"], row["name"], row["id"]) for row in rows if row.get("isEnabled", True)]
    for app_id, rows in [
        (GRAPH_APP_ID, _TABLE["permissions"]),
        *((service["appId"], service["permissions"]) for service in _TABLE["services"]),
    ]
}
"""Kind, name and id of what each API offers, by application id."""

ROLES = {
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Authentication Administrator": "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Directory Readers": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Password Administrator": "966707d0-3269-4727-9be2-8c3a10f19b9d",
    "Groups Administrator": "fdd7a751-b60b-444a-984c-02652fe8fa1c",
    "Reports Reader": "4a5d8f65-41da-4de4-8968-e035b65339cf",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
}
