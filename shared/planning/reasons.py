"""Why accounts are in scope: roles held, eligibilities and chosen groups, down to their members.

All of it is joined from what whole lists say, so that an account costs no request of its own:
role assignments and eligibilities, the groups in each group, administrative units, members.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from shared.model.accounts import EVERYWHERE, Account, Origin, Registered, Through
from shared.model.connection import Value
from shared.planning.accounts import merged
from shared.planning.nesting import Nested, within

UNITS = "/administrativeUnits/"
"""Begins a `directoryScopeId` that is an administrative unit."""


class Holding(Value, frozen=True):
    """A role assignment, or an eligibility for one, as Graph lists it."""

    principal: str  # id of a user, a group or a service principal
    role: str  # id of the definition
    scope: str = EVERYWHERE  # as Graph has it: "/", "/administrativeUnits/(id)", "/(object id)"
    eligible: bool = False
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Names:
    """What ids are called; an id that is not known stands for itself."""

    roles: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)  # those that are known to be groups


@dataclass(frozen=True)
class Reasons:
    """The reasons of accounts: by their own id, and by the group that they are directly in."""

    direct: Mapping[str, tuple[Origin, ...]]
    through: Mapping[str, tuple[Origin, ...]]

    def of(self, account: str, groups: Iterable[str]) -> tuple[Origin, ...]:
        """All reasons of an account that is directly in *groups*."""
        inherited = [self.through.get(group, ()) for group in groups]
        found = (*self.direct.get(account, ()), *(o for origins in inherited for o in origins))
        return tuple({origin.way: origin for origin in found}.values())

    def joined(self, other: "Reasons") -> "Reasons":
        return Reasons(
            direct=_together(self.direct, other.direct),
            through=_together(self.through, other.through),
        )


def of_groups(chosen: Iterable[Origin], nested: Nested, names: Names) -> Reasons:
    """Everybody in the chosen groups, directly or through groups in them."""
    through: defaultdict[str, list[Origin]] = defaultdict(list)
    for group in chosen:
        for inner, way in within(group.id, nested).items():
            through[inner].append(replace(group, chain=_chain(way, names)))
    return Reasons(direct={}, through=_fixed(through))


def of_roles(
    held: Iterable[Holding], nested: Nested, names: Names, *, units: Collection[str] = ()
) -> Reasons:
    """Everybody who holds or may activate a role, directly or through groups.

    With *units*, ids of administrative units, only what is scoped to one of them.
    """
    direct: defaultdict[str, list[Origin]] = defaultdict(list)
    through: defaultdict[str, list[Origin]] = defaultdict(list)
    for holding in held:
        origin = origin_of(holding, names)
        if units and origin.scope not in units:
            continue
        if holding.principal not in names.groups:
            direct[holding.principal].append(origin)
            continue
        for inner, way in within(holding.principal, nested).items():
            chain = _chain((holding.principal, *way), names)
            through[inner].append(replace(origin, chain=chain))
    return Reasons(direct=_fixed(direct), through=_fixed(through))


def rows(
    users: Iterable[Account],
    reasons: Reasons,
    members: Mapping[str, Collection[str]],
    registered: Mapping[str, bool] | None = None,
) -> Iterator[Account]:
    """One row for each of the *users* who is in scope.

    *members* are the ids directly in each group. Without *registered*, the report of who has
    registered a method, and for users it does not name, MFA is unknown.
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for group in reasons.through:
        for member in members.get(group, ()):
            groups[member].append(group)
    for user in users:
        origins = reasons.of(user.id, groups.get(user.id, ()))
        if origins:
            yield explained(user, origins, mfa=_mfa(user.id, registered))


def explained(
    account: Account, origins: tuple[Origin, ...], *, mfa: Registered = "unknown"
) -> Account:
    """The account with its reasons, in an order that does not vary."""
    eligible = all(origin.eligible for origin in origins)
    known = account.mfa if mfa == "unknown" else mfa
    return merged(None, replace(account, origins=origins, eligible=eligible, mfa=known))


def _mfa(id_: str, registered: Mapping[str, bool] | None) -> Registered:
    if registered is None or id_ not in registered:
        return "unknown"
    return "yes" if registered[id_] else "no"


def origin_of(holding: Holding, names: Names) -> Origin:
    """Why whoever has it directly is in scope."""
    scope = holding.scope or EVERYWHERE
    unit = scope.removeprefix(UNITS) if scope.startswith(UNITS) else ""
    return Origin(
        kind="role",
        id=holding.role,
        name=names.roles.get(holding.role, holding.role),
        scope=unit or (scope if scope == EVERYWHERE else scope.strip("/")),
        scope_name=names.units.get(unit, unit),
        eligible=holding.eligible,
        since=holding.since,
        until=holding.until,
    )


def _chain(way: Iterable[str], names: Names) -> tuple[Through, ...]:
    return tuple(Through(id=group, name=names.groups.get(group, group)) for group in way)


def _fixed(found: Mapping[str, list[Origin]]) -> dict[str, tuple[Origin, ...]]:
    return {key: tuple({o.way: o for o in origins}.values()) for key, origins in found.items()}


def _together(
    one: Mapping[str, tuple[Origin, ...]], other: Mapping[str, tuple[Origin, ...]]
) -> dict[str, tuple[Origin, ...]]:
    return {key: one.get(key, ()) + other.get(key, ()) for key in {**one, **other}}
