"""What a sheet says besides the fields: work for people, preconditions, notes, safer choices."""

from collections.abc import Mapping

from shared.handover.model import OpenPrecondition, Remark, StepForPerson, SwapLine
from shared.model.connection import Connection
from shared.model.profile import AzureRole, Profile, fill, holds
from shared.planning.features import features_of

LEVELS = {"express": "Basic", "stakeholder": "Stakeholder", "advanced": "Basic + Test Plans"}
"""Access levels as the portal names them. Source: Azure DevOps, "About access levels"."""

TENANT_ROOT = "tenant_root_group"


def steps(
    profile: Profile, connection: Connection, values: Mapping[str, str]
) -> tuple[StepForPerson, ...]:
    """Azure roles, and a membership that only somebody else may give."""
    features = features_of(profile, connection)
    found = [
        StepForPerson(_assign(role, connection, values))
        for role in profile.azure_roles
        if holds(role.when, features)
    ]
    member = connection.membership
    if member is not None and not member.joined:
        projects = f" and the projects {', '.join(member.projects)}" if member.projects else ""
        found.append(
            StepForPerson(
                f"In Azure DevOps, under Organization settings, Users, Add users, add the service "
                f"principal with object id {member.object_id} to the organisation {member.org} "
                f"with access level {LEVELS.get(member.licence, member.licence)}{projects}. "
                "A Project Collection Administrator must do this.",
                code="DEVOPS_NEEDS_PCA",
            )
        )
    return tuple(found)


def _assign(role: AzureRole, connection: Connection, values: Mapping[str, str]) -> str:
    scope = fill(role.scope, values)
    if scope == TENANT_ROOT:
        # The root management group has the tenant's id for its name.
        scope = f"/providers/Microsoft.Management/managementGroups/{values['tenant.id']}"
    return (
        f"Assign the Azure role {role.role} at the scope {scope} to the service principal with "
        f"object id {connection.facts.principal_id}."
    )


def preconditions(profile: Profile, connection: Connection) -> tuple[OpenPrecondition, ...]:
    features = features_of(profile, connection)
    return tuple(
        OpenPrecondition(id=wanted.id, kind=wanted.kind, about=wanted.about)
        for wanted in profile.preconditions
        if holds(wanted.when, features) and wanted.id not in connection.acknowledged
    )


def notes(profile: Profile, connection: Connection) -> tuple[Remark, ...]:
    """The profile's sentences, and permissions that it only advises."""
    features = features_of(profile, connection)
    told = [Remark(n.about, n.replaces) for n in profile.notes if holds(n.when, features)]
    advised = [
        Remark(f"Not requested, but advised: {entry.kind} permission {', '.join(entry.names)}.")
        for entry in profile.permissions
        if entry.advisory and holds(entry.when, features)
    ]
    return (*told, *advised)


def swaps(profile: Profile, connection: Connection) -> tuple[SwapLine, ...]:
    return tuple(
        SwapLine(
            instead_of=swap.instead_of,
            use=swap.use,
            taken=swap.instead_of in connection.spec.accept_swaps,
            reason=swap.reason,
        )
        for swap in profile.least_privilege
        if holds(swap.when, connection.spec.features)
    )
