"""The tenant at the start: Microsoft's services, people, groups, roles, a few applications."""

from dataclasses import dataclass
from typing import Any

from emulators.graph.administrative_units import make_unit
from emulators.graph.groups import make_group
from emulators.graph.large import large_groups
from emulators.graph.role_assignments import make_assignment, make_eligibility
from emulators.graph.seed_applications import EPOCH, SeededApp, seed_application
from emulators.graph.seed_callers import Callers, seed_callers
from emulators.graph.seed_identities import Identities, listed, seed_identities
from emulators.graph.seed_services import role_id, seed_roles, seed_services
from emulators.graph.state import Entity, Tenant

ACTIVE = ((0, "Global Administrator"), (1, "Helpdesk Administrator"), (2, "User Administrator"),
          (3, "Privileged Role Administrator"), (4, "Authentication Administrator"),
          (6, "Global Reader"), (9, "Directory Readers"))  # fmt: skip
ELIGIBLE = ((8, "Global Administrator"), (10, "User Administrator"), (11, "Helpdesk Administrator"))
TEAMS = 12
UNIT = 1000
"""Of a large tenant's users so many are in administrative units."""


@dataclass(frozen=True)
class Seeded:
    administrator: SeededApp
    automation: SeededApp
    """Both apps in one: it holds what both identities hold."""
    callers: Callers
    identities: Identities


def seed_tenant(tenant: Tenant) -> Seeded:
    graph = seed_services(tenant)
    seed_roles(tenant)
    groups = _groups(tenant)
    _assignments(tenant, groups)
    everything = [role["value"] for role in graph.body["appRoles"] if role["isEnabled"]]
    both = sorted({name for names in listed().values() for name in names})
    return Seeded(
        administrator=seed_application(tenant, "Tenant Administration", graph, everything),
        automation=seed_application(tenant, "Onboarding Automation", graph, both),
        callers=seed_callers(tenant),
        identities=seed_identities(tenant, graph),
    )


def _group(tenant: Tenant, name: str, *ranges: range, **more: Any) -> Entity:
    nickname = "".join(char for char in name.lower() if char.isalnum())
    values = {"displayName": name, "mailNickname": nickname, "createdDateTime": EPOCH} | more
    entity = make_group(tenant, values, *ranges)
    tenant.add(entity, settled=True)
    return entity


def _groups(tenant: Tenant) -> dict[str, Entity]:
    size = tenant.users.seeded
    if tenant.groups is not None:
        return large_groups(tenant, tenant.groups) | _special(tenant)
    made = [
        _group(tenant, f"{name} Department", range(number, size, 7))
        for number, name in enumerate(("Finance", "Sales", "Engineering", "Operations"))
    ]
    made.append(_group(tenant, "Guests", range(7, size, 20)))
    for number in range(min(TEAMS, size // 10)):
        unified = {"groupTypes": ["Unified"], "mailEnabled": True, "securityEnabled": False}
        more: dict[str, Any] = unified if number % 3 == 0 else {}
        first = number * 10
        made.append(_group(tenant, f"Team {number:02d}", range(first, first + 10), **more))
    known = {e.body["displayName"]: e for e in made} | _special(tenant)
    everyone = _group(tenant, "All Departments")
    for entity in made[:4]:
        _nest(everyone, entity)
    return known | {"All Departments": everyone}


def _special(tenant: Tenant) -> dict[str, Entity]:
    size = tenant.users.seeded
    tier0 = _group(tenant, "Tier 0 Admins", range(min(1, size)))
    domain = _group(tenant, "Tier 0 Domain Admins", range(min(1, size), min(4, size)))
    emergency = _group(tenant, "Tier 0 Break Glass", range(min(4, size), min(6, size)))
    helpdesk = _group(
        tenant, "Helpdesk Operators", range(min(12, size), min(18, size)), isAssignableToRole=True
    )
    _nest(tier0, domain)
    _nest(domain, emergency)
    return {e.body["displayName"]: e for e in (tier0, domain, emergency, helpdesk)}


def _nest(parent: Entity, child: Entity) -> None:
    if parent.members is not None:
        parent.members.add(child.id)


def _assignments(tenant: Tenant, groups: dict[str, Entity]) -> None:
    users, size = tenant.users, tenant.users.seeded
    helpdesk = groups["Helpdesk Operators"].id
    for number, name in ACTIVE:
        if number < size:
            make_assignment(tenant, role_id(tenant, name), users.id_of(number), settled=True)
    make_assignment(tenant, role_id(tenant, "Helpdesk Administrator"), helpdesk, settled=True)
    for number, name in ELIGIBLE:
        if number < size:
            make_eligibility(tenant, role_id(tenant, name), users.id_of(number))
    make_eligibility(
        tenant,
        role_id(tenant, "Authentication Administrator"),
        helpdesk,
        end="2027-06-30T00:00:00Z",
    )
    for number, name in enumerate(("Branch North", "Branch South")):
        living = size if tenant.groups is None else min(size, UNIT)
        unit = make_unit(tenant, {"displayName": name}, range(number, living, 2))
        tenant.add(unit, settled=True)
        if number == 0 and size > 14:
            scope = f"/administrativeUnits/{unit.id}"
            role = role_id(tenant, "Helpdesk Administrator")
            make_assignment(tenant, role, users.id_of(14), scope, settled=True)
