"""Groups of a large tenant: group *g* has the users (7g + k) mod N as members, k = 0 … 49.

Its owner is user g mod N, and every tenth can hold roles.
"""

from emulators.graph.groups import make_group
from emulators.graph.seed_applications import EPOCH
from emulators.graph.state import Entity, Tenant

MEMBERS = 50


def large_groups(tenant: Tenant, count: int) -> dict[str, Entity]:
    made = {}
    for number in range(count):
        name = f"Group {number:06d}"
        values = {
            "displayName": name,
            "mailNickname": f"group{number:06d}",
            "createdDateTime": EPOCH,
            "isAssignableToRole": number % 10 == 0 or None,
        }
        entity = make_group(tenant, values, *members(number, tenant.users.seeded))
        entity.owners.append(tenant.users.id_of(number % tenant.users.seeded))
        tenant.add(entity, settled=True)
        made[name] = entity
    return made


def members(number: int, users: int) -> tuple[range, ...]:
    """Numbers of a group's members; they go on at the first user behind the last."""
    count = min(MEMBERS, users)
    first = 7 * number % users
    over = max(0, first + count - users)
    return (range(first, first + count - over), *([range(over)] if over else []))
