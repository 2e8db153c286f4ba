"""Objects as delta queries show them: selected properties, and links as `<name>@delta`."""

from typing import Any

from emulators.graph.population import DEFAULTS
from emulators.graph.query import Query
from emulators.graph.state import Entity, Tenant

RELATIONS: dict[str, tuple[str, ...]] = {
    "group": ("members", "owners"),
    "directoryRole": ("members",),
}
SHOWN: dict[str, list[str]] = {
    "group": [
        "id",
        "createdDateTime",
        "description",
        "displayName",
        "groupTypes",
        "mail",
        "mailEnabled",
        "mailNickname",
        "securityEnabled",
        "visibility",
        "isAssignableToRole",
    ],
    "directoryRole": ["id", "description", "displayName", "roleTemplateId"],
    "servicePrincipal": [
        "id",
        "accountEnabled",
        "appDisplayName",
        "appId",
        "appOwnerOrganizationId",
        "displayName",
        "servicePrincipalType",
    ],
}

Linked = dict[tuple[str, str], bool]
"""Relation and id of a link that changed: whether it is gone."""


class Rows:
    """Renders objects of one kind."""

    def __init__(self, tenant: Tenant, kind: str, query: Query, select: list[str]) -> None:
        self._tenant, self._kind, self._query, self._select = tenant, kind, query, select

    def entity(self, identity: str, linked: Linked | None = None) -> dict[str, Any] | None:
        """None when it is gone; all its links, or those of *linked*."""
        if self._kind == "user":
            user = self._tenant.users.get(identity)
            return None if user is None else self._shape(user, DEFAULTS)
        entity = self._tenant.tables[self._kind].truth(identity)
        if entity is None:
            return None
        body = self._shape(entity.body, SHOWN[self._kind])
        for relation in RELATIONS.get(self._kind, ()):
            body.pop(relation, None)
            if relation not in (self._select or ("members",)):
                continue
            shown = self._all(entity, relation) if linked is None else self._of(linked, relation)
            if shown:
                body[f"{relation}@delta"] = shown
        return body

    def part(self, identity: str, start: int, end: int) -> dict[str, Any] | None:
        """An object with some of its members, and its other links with the first of them."""
        body = self.entity(identity, {})
        entity = self._tenant.tables[self._kind].truth(identity)
        if body is None or entity is None:
            return None
        if "members" in (self._select or ("members",)):
            members = () if entity.members is None else entity.members.listed()[start:end]
            body["members@delta"] = [self._target(each) for each in members]
        if "owners" in self._select and start == 0:
            body["owners@delta"] = self._all(entity, "owners")
        return body

    def _shape(self, item: dict[str, Any], defaults: list[str]) -> dict[str, Any]:
        return {"id": item["id"]} | self._query.shape(item, defaults)

    def _all(self, entity: Entity, relation: str) -> list[dict[str, Any]]:
        if relation == "owners":
            return [self._target(identity) for identity in entity.owners]
        if entity.kind == "directoryRole":
            holders = [
                item["principalId"]
                for item in self._tenant.role_assignments.true_values()
                if item["roleDefinitionId"] == entity.body["roleTemplateId"]
                and item["directoryScopeId"] == "/"
            ]
            return [self._target(identity) for identity in holders]
        return [self._target(identity) for identity in entity.members or ()]

    def _of(self, linked: Linked, relation: str) -> list[dict[str, Any]]:
        return [
            self._target(identity) | ({"@removed": {"reason": "deleted"}} if removed else {})
            for (name, identity), removed in linked.items()
            if name == relation
        ]

    def _target(self, identity: str) -> dict[str, Any]:
        found = self._tenant.find(identity)
        kind = "user" if found is None else found.kind
        return {"@odata.type": f"#microsoft.graph.{kind}", "id": identity}
