"""The group structure of an import: exactly the tenant's, for the groups that were read."""

from collections.abc import Iterable, Mapping

import msgspec

from shared.model.accounts import Account, Origin
from shared.model.connection import Value
from shared.model.imports import (
    Edge,
    ImportedGroup,
    ImportedUser,
    ImportRow,
    Membership,
    UserStore,
)


class Found(Value, frozen=True):
    """What was read for one import, in the order of the request; failed names are rows already."""

    users: tuple[Account, ...] = ()  # named or selected ones, as often as they were
    roots: tuple[Origin, ...] = ()  # groups that were asked for
    groups: tuple[Origin, ...] = ()  # these and all within them
    # By the id of a group: groups directly in it, and users directly in it.
    children: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    people: dict[str, Account] = msgspec.field(default_factory=dict)  # everybody met, by id
    gone: frozenset[str] = frozenset()  # known users that the tenant has no more
    failed: tuple[ImportRow, ...] = ()
    mfa: frozenset[str] = frozenset()  # ids of users who registered MFA


def structured(found: Found, known: UserStore, users: Mapping[str, ImportedUser]) -> UserStore:
    """What was read replaces what was known of these groups; other groups stay as they were."""
    read = {group.id for group in found.groups if group.id in found.members}
    groups = {group.id: group for group in known.groups}
    groups |= {g.id: ImportedGroup(id=g.id, name=g.name) for g in found.groups if g.id in read}
    edges = [edge for edge in known.edges if edge.parent not in read]
    edges += [
        Edge(parent=parent, child=child)
        for parent in sorted(read)
        for child in found.children.get(parent, ())
    ]
    links = [link for link in known.memberships if link.group not in read]
    links += [
        Membership(group=group, user=user)
        for group in sorted(read)
        for user in found.members[group]
        if user in users
    ]
    return UserStore(
        users=tuple(sorted(users.values(), key=lambda u: (u.user_principal_name.casefold(), u.id))),
        groups=tuple(sorted(groups.values(), key=lambda g: (g.name.casefold(), g.id))),
        edges=tuple(edges),
        memberships=tuple(links),
    )


def structure(store: UserStore, found: Found) -> Iterable[ImportRow]:
    read = {group.id for group in found.groups if group.id in found.members}
    for group in store.groups:
        if group.id in read:
            yield ImportRow(kind="group", state="imported", id=group.id, display_name=group.name)
    for edge in store.edges:
        if edge.parent in read:
            yield ImportRow(kind="edge", state="imported", id=edge.child, group=edge.parent)
    for link in store.memberships:
        if link.group in read:
            yield ImportRow(kind="membership", state="imported", id=link.user, group=link.group)
