"""Whether an application may set a user's password: Microsoft's matrix.

Source: Entra, "Privileged roles and permissions", table "Who can reset passwords"; Graph,
"Update user": an application also needs a directory role, assigned for the whole directory.
"""

from collections.abc import Iterator
from typing import Any

from emulators.graph.state import Entity, Tenant

RESETTERS = {
    "P": "966707d0-3269-4727-9be2-8c3a10f19b9d",  # Password Administrator
    "H": "729827e3-9c14-49f7-bb1b-9608f156bbb8",  # Helpdesk Administrator
    "A": "c4e39bd9-1100-46d3-8c65-fb160da0071f",  # Authentication Administrator
    "U": "fe930be7-5e62-47db-91af-98c3a49a38b1",  # User Administrator
    "X": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",  # Privileged Authentication Administrator
    "G": "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
}

EVERYBODY = "PHAUXG"
ABLE = {
    "88d8e3e3-8f55-4a1e-953a-9b9898b8876b": EVERYBODY,  # Directory Readers
    "95e79109-95c0-4d8e-aee3-d01accf2d47b": EVERYBODY,  # Guest Inviter
    "966707d0-3269-4727-9be2-8c3a10f19b9d": EVERYBODY,  # Password Administrator
    "790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b": "HAUXG",  # Message Center Reader
    "4a5d8f65-41da-4de4-8968-e035b65339cf": "HAUXG",  # Reports Reader
    "75934031-6c7e-415a-99d7-48dbd49e875e": "HAUXG",  # Usage Summary Reports Reader
    "27460883-1df1-4691-b032-3b79643e5e63": "HAUXG",  # User Experience Success Manager
    "729827e3-9c14-49f7-bb1b-9608f156bbb8": "HUXG",  # Helpdesk Administrator
    "c4e39bd9-1100-46d3-8c65-fb160da0071f": "AXG",  # Authentication Administrator
    "fdd7a751-b60b-444a-984c-02652fe8fa1c": "UXG",  # Groups Administrator
    "fe930be7-5e62-47db-91af-98c3a49a38b1": "UXG",  # User Administrator
}
"""Roles of the target, and the resetters that may act on it; any other role leaves `XG`."""


def may_reset(tenant: Tenant, caller_roles: frozenset[str], user: str) -> bool:
    """Whether one of the caller's directory roles may set this user's password."""
    able = set(EVERYBODY)
    for marks in _limits(tenant, user):
        able &= set(marks)
    return any(RESETTERS[mark] in caller_roles for mark in able)


def _limits(tenant: Tenant, user: str) -> Iterator[str]:
    """One entry for each thing that the user holds."""
    groups = [g for g in tenant.tables["group"].true_values() if g.body["isAssignableToRole"]]
    inside = {group.id for group in groups if user in _members(tenant, group)}
    owned = {group.id for group in groups if user in group.owners}
    for _ in inside | owned:
        yield "XG"
    holders = {user, *inside}
    for item in (*tenant.role_assignments.true_values(), *tenant.eligibilities.true_values()):
        if item["principalId"] in holders:
            yield "XG" if _restricted(tenant, item) else ABLE.get(item["roleDefinitionId"], "XG")


def _members(tenant: Tenant, group: Entity) -> set[str]:
    from emulators.graph.memberships import transitive_members

    return set(transitive_members(tenant, group))


def _restricted(tenant: Tenant, assignment: dict[str, Any]) -> bool:
    unit = tenant.find(assignment["directoryScopeId"].rpartition("/")[2], ("administrativeUnit",))
    return unit is not None and bool(unit.body["isMemberManagementRestricted"])
