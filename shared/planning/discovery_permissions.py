"""Which permissions a scan needs: by its mode, its filters and the facts that it is to find.

Source: least privileges in Microsoft's permissions reference (permissions.json of 2026-08).
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from shared.model.connection import Spec, Value
from shared.model.entities import (
    ELIGIBLE_ROLES,
    HELD_ROLES,
    MEMBERSHIP,
    REGISTRATION,
    USER,
)
from shared.model.profile import DiscoveryPolicy, Profile
from shared.planning.discovery import is_wanted, search
from shared.planning.discovery_options import Options, options
from shared.planning.need import READ_DIRECTORY, Need

WRITE_GROUPS = ("Group.ReadWrite.All", *READ_DIRECTORY)

USERS = Need(
    permission="User.Read.All", why="read users", instead=(*READ_DIRECTORY, "User.ReadWrite.All")
)
GROUPS = Need(
    permission="Group.Read.All",
    why="read groups and their members",
    instead=("GroupMember.Read.All", *WRITE_GROUPS),
)
MEMBERS = Need(
    permission="GroupMember.Read.All",
    why="read who is in which group",
    instead=("Group.Read.All", "GroupMember.ReadWrite.All", *WRITE_GROUPS),
)
ROLES = Need(
    permission="RoleManagement.Read.Directory",
    why="read who holds directory roles",
    instead=("RoleManagement.ReadWrite.Directory", *READ_DIRECTORY),
)
ELIGIBLE = Need(
    permission="RoleEligibilitySchedule.Read.Directory",
    why="count eligible holders of roles, too",
    instead=("RoleManagement.ReadWrite.Directory", "RoleManagement.Read.Directory"),
    required=False,
)
UNITS = Need(
    permission="AdministrativeUnit.Read.All",
    why="name the administrative units that roles are scoped to",
    instead=("AdministrativeUnit.ReadWrite.All", *READ_DIRECTORY),
    required=False,
)
CHOSEN_UNITS = Need(
    permission=UNITS.permission,
    why="find the administrative units that the scan is limited to",
    instead=UNITS.instead,
)
PRINCIPALS = Need(
    permission="Application.Read.All",
    why="read service principals",
    instead=("Application.ReadWrite.All", *READ_DIRECTORY),
)
SIGN_IN_METHODS = Need(permission="AuditLog.Read.All", why="know which users have registered MFA")
MFA_FACT = Need(
    permission=SIGN_IN_METHODS.permission,
    why="tell of each account whether it has registered MFA",
    required=False,
)

ROLE_FACTS = Need(
    permission=ROLES.permission,
    why="tell of each account which directory roles it holds",
    instead=ROLES.instead,
    required=False,
)
ELIGIBLE_FACTS = Need(
    permission=ELIGIBLE.permission,
    why="tell of each account which directory roles it may activate",
    instead=ELIGIBLE.instead,
    required=False,
)
ROLE_MEMBERS = Need(
    permission=MEMBERS.permission,
    why="tell who is in the groups that hold directory roles",
    instead=MEMBERS.instead,
    required=False,
)

BY_KIND = {
    USER: USERS,
    "group": GROUPS,
    "directoryRole": ROLES,
    "servicePrincipal": PRINCIPALS,
    MEMBERSHIP: MEMBERS,
    REGISTRATION: SIGN_IN_METHODS,
    HELD_ROLES: ROLES,
    ELIGIBLE_ROLES: ELIGIBLE,
}
"""Of each kind of reading (`Reading.kind`)."""

BY_SOURCE = {"group": MEMBERS, "role": ROLES, "eligibility": ELIGIBLE}
"""Of the sources of a search: a chosen group, who holds a role, who may activate it."""


class Right(Value, frozen=True):
    """What one source of a scan needs; without it that source alone is not read."""

    source: str  # as `Reading.kind`; of a search by roles, what of Graph it reads
    need: Need

    def granted(self, held: Collection[str]) -> bool:
        return bool({self.need.permission, *self.need.instead} & set(held))


def missing(kind: str, id_: str) -> str:
    """The least permission that a refused source lacks, as `accounts.Source` names the source.

    Empty of a source that is not known.
    """
    need = BY_KIND.get(id_) if kind == "entity" else BY_SOURCE.get(kind)
    return need.permission if need else ""


def wanted_rights(profile: Profile, spec: Spec) -> tuple[Right, ...]:
    """What the scans of a connection need; nothing when it does not scan."""
    policy = profile.discovery
    if policy is None or not is_wanted(policy, spec.features):
        return ()
    return rights(policy, spec.inputs)


def rights(policy: DiscoveryPolicy, inputs: Mapping[str, Any]) -> tuple[Right, ...]:
    """One of each source that a scan with these inputs reads, what it cannot do without first."""
    mode, chosen = search(inputs, policy.modes).mode, options(inputs)
    found = [Right(source=USER, need=USERS)]
    match mode:
        case "groups":
            found.append(Right(source=MEMBERSHIP, need=MEMBERS))
        case "roles":
            found += _roles(chosen)
        case "all":
            found += _kinds(policy)
    if chosen.service_principals and mode in ("groups", "roles"):
        found.append(Right(source="servicePrincipal", need=PRINCIPALS))
    if chosen.roles and mode != "roles":
        found += _role_facts(found)
    found += _mfa(policy, chosen)
    return tuple(sorted(found, key=lambda right: not right.need.required))


def _roles(chosen: Options) -> list[Right]:
    return [
        Right(source="roleAssignment", need=ROLES),
        Right(source="roleEligibility", need=ELIGIBLE),
        Right(source=MEMBERSHIP, need=MEMBERS),
        Right(source="administrativeUnit", need=CHOSEN_UNITS if chosen.units else UNITS),
    ]


def _role_facts(known: Sequence[Right]) -> list[Right]:
    found = [
        Right(source=HELD_ROLES, need=ROLE_FACTS),
        Right(source=ELIGIBLE_ROLES, need=ELIGIBLE_FACTS),
    ]
    if not any(right.source == MEMBERSHIP for right in known):
        found.append(Right(source=MEMBERSHIP, need=ROLE_MEMBERS))
    return found


def _kinds(policy: DiscoveryPolicy) -> list[Right]:
    found = [Right(source=kind, need=BY_KIND[kind]) for kind in policy.entities if kind != USER]
    if policy.navigation and "group" in policy.entities:
        found.append(Right(source=MEMBERSHIP, need=MEMBERS))
    return found


def _mfa(policy: DiscoveryPolicy, chosen: Options) -> list[Right]:
    """Needed where a product skips or warns by it; else a fact that may stay unknown."""
    if any(skip.fact == "mfa_registered" and skip.policy != "ignore" for skip in policy.skip):
        return [Right(source=REGISTRATION, need=SIGN_IN_METHODS)]
    return [Right(source=REGISTRATION, need=MFA_FACT)] if chosen.mfa else []
