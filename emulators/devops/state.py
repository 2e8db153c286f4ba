"""Organisations and their members."""

import uuid
from dataclasses import dataclass, field
from typing import Any

EVERYBODY = "*"
"""As an administrator: whoever has a token of the tenant."""


@dataclass
class Member:
    """A service principal in an organisation."""

    object_id: str
    licence: str
    app_id: str = ""
    name: str = ""
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    projects: dict[str, str] = field(default_factory=dict)  # project id: group type


@dataclass
class Organisation:
    """`administrators` and `inviters` are object ids of those who may manage members."""

    name: str
    tenant: str  # that it is connected to; empty for none
    administrators: set[str] = field(default_factory=lambda: {EVERYBODY})
    inviters: set[str] = field(default_factory=set)  # project and team administrators
    invite_policy: bool = True  # "Allow team and project administrators to invite new users"
    projects: dict[str, str] = field(default_factory=dict)  # id: name
    licences: dict[str, int] = field(default_factory=dict)  # left, where there is an end
    members: dict[str, Member] = field(default_factory=dict)  # by their id

    def administered_by(self, object_id: str) -> bool:
        return bool({EVERYBODY, object_id} & self.administrators)

    def of(self, object_id: str) -> Member | None:
        return next((m for m in self.members.values() if m.object_id == object_id), None)

    def shown(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "tenant": self.tenant,
            "administrators": sorted(self.administrators),
            "inviters": sorted(self.inviters),
            "invite_policy": self.invite_policy,
            "projects": self.projects,
            "licences": self.licences,
            "members": [vars(member) for member in self.members.values()],
        }


@dataclass
class State:
    """Everything; `refuse_ids_with` is 200 or 400, as both have been seen for a wrong id."""

    tenant: str
    organisations: dict[str, Organisation] = field(default_factory=dict)
    refuse_ids_with: int = 400
    unavailable: int = 0  # calls that are answered 503 from now on
    traffic: list[dict[str, Any]] = field(default_factory=list)


def seeded(tenant: str) -> State:
    """One organisation of the tenant, and one of somebody else's."""
    contoso = Organisation(
        "contoso",
        tenant,
        projects={
            "6fa35aad-6755-4dd7-8c69-e13f702af0f9": "Platform",
            "fca61097-56a1-464f-85ba-1b126cf02cd1": "Integrations",
        },
    )
    other = Organisation("fabrikam", "f0f0f0f0-0000-4000-8000-000000000001")
    return State(tenant, {"contoso": contoso, "fabrikam": other})
