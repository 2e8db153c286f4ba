"""Why accounts are in scope: roles held and eligibilities, with the names that people know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.model.accounts import EVERYWHERE, Origin
from shared.model.connection import Value

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
