"""The plan of an onboarding: everything that would be done, and what is left to people."""

from shared.model.connection import Connection
from shared.model.directory import Tenant
from shared.model.profile import RESOURCES, Output, Profile, fill, holds, references
from shared.planning.access import Access, reset_roles
from shared.planning.application import wanted_application
from shared.planning.features import features_of
from shared.planning.membership import LICENCE, wanted_members
from shared.planning.need import Need
from shared.planning.plan_parts import (
    Plan,
    PlannedApplication,
    PlannedAzureRole,
    PlannedMembership,
    PlannedPermission,
    PlannedRole,
    PlannedSwap,
)
from shared.planning.plan_upkeep import automation, credential, discovery
from shared.planning.preflight import Finding, Gathered
from shared.planning.risk import (
    azure_role_tier,
    is_privileged,
    role_tier,
    tier,
    uncovered,
)
from shared.planning.templates import profile_inputs, template_values

NOWHERE = Tenant(id="", name="", initial_domain="")
"""Stands for a tenant that could not be read."""


def make_plan(
    profile: Profile,
    connection: Connection,
    access: Access,
    needs: tuple[Need, ...],
    seen: Gathered,
    found: tuple[Finding, ...],
) -> Plan:
    """The plan for a connection that is, or would be, asked for as `connection.spec` says."""
    spec, tenant = connection.spec, seen.tenant or NOWHERE
    values = profile_inputs(profile, spec) | template_values(spec, tenant, connection.facts, "")
    features = features_of(profile, connection)
    waiting = uncovered(access, connection.approval)
    made = Plan(
        connection=spec.name,
        profile=profile.id,
        title=profile.title,
        facts=profile.facts,
        tenant=tenant.id,
        tenant_name=tenant.name,
        features=features,
        application=_application(profile, connection, values),
        permissions=_permissions(profile, connection, access),
        advised=tuple(
            name
            for entry in profile.permissions
            if entry.advisory and holds(entry.when, features)
            for name in entry.names
        ),
        swaps=_swaps(profile, connection),
        roles=_roles(profile, connection, access),
        azure_roles=tuple(
            PlannedAzureRole(
                role=entry.role,
                scope=fill(entry.scope, values),
                risk=azure_role_tier(entry.role, entry.scope),
            )
            for entry in profile.azure_roles
            if holds(entry.when, features)
        ),
        memberships=tuple(
            PlannedMembership(
                organisation=wanted.org,
                licence=wanted.member.licence,
                projects=wanted.member.projects,
                note=LICENCE,
            )
            for wanted in wanted_members(profile, features, values)
        ),
        credential=credential(profile, connection, seen),
        discovery=discovery(profile, connection, seen.own),
        handover=tuple(
            output.label or output.env or output.name
            for output in profile.outputs
            if holds(output.when, spec.features) and not _left_out(output, values)
        ),
        preconditions=tuple(
            entry.about
            for entry in profile.preconditions
            if holds(entry.when, features) and entry.id not in connection.acknowledged
        ),
        notes=tuple(note.about for note in profile.notes if holds(note.when, features)),
        approval_needed=waiting,
        automation=automation(needs, seen),
        findings=found,
        would_stop=any(finding.blocking for finding in found),
    )
    return made.with_work(profile)


def _left_out(output: Output, values: dict[str, str]) -> bool:
    """Whether it is optional and only repeats inputs that were not given."""
    asked = references(output.value)
    given = all(name.startswith("inputs.") for name in asked)
    return output.optional and bool(asked) and given and not fill(output.value, values).strip()


def _application(
    profile: Profile, connection: Connection, values: dict[str, str]
) -> PlannedApplication:
    wanted = wanted_application(profile, connection.spec, (), values)
    return PlannedApplication(
        display_name=wanted.display_name,
        unique_name=wanted.unique_name,
        audience=wanted.audience,
        platform=profile.registration.platform,
        redirect_uris=(
            *wanted.web_redirects,
            *wanted.native_redirects,
            *wanted.spa_redirects,
        ),
        public_client_flows=wanted.public_client,
        adopts=wanted.adopts,
    )


def _permissions(
    profile: Profile, connection: Connection, access: Access
) -> tuple[PlannedPermission, ...]:
    aliases = {app_id: alias for alias, app_id in reversed(RESOURCES.items())}
    taken = {
        swap.use: swap.instead_of
        for swap in profile.least_privilege
        if swap.instead_of in access.swapped
    }
    waiting = uncovered(access, connection.approval)
    return tuple(
        PlannedPermission(
            name=wanted.name,
            api=aliases.get(wanted.resource, wanted.resource),
            kind=wanted.kind.value,
            risk=tier(wanted.name, wanted.resource),
            approval=wanted.name in waiting,
            instead_of=taken.get(wanted.name, ""),
        )
        for wanted in access.permissions
    )


def _swaps(profile: Profile, connection: Connection) -> tuple[PlannedSwap, ...]:
    return tuple(
        PlannedSwap(
            instead_of=swap.instead_of,
            use=swap.use,
            reason=swap.reason,
            taken=swap.instead_of in connection.spec.accept_swaps,
            risk=tier(swap.instead_of),
            risk_then=tier(swap.use),
        )
        for swap in profile.least_privilege
        if holds(swap.when, connection.spec.features)
    )


def _roles(profile: Profile, connection: Connection, access: Access) -> tuple[PlannedRole, ...]:
    waiting = uncovered(access, connection.approval)
    _, more = reset_roles(profile, connection.spec)
    advice = connection.advice
    return tuple(
        PlannedRole(
            name=role,
            privileged=is_privileged(role),
            risk=role_tier(role),
            approval=role in waiting,
            may_become={name: role_tier(name) for name in more if name != role},
            proposed=advice.proposed if advice is not None else "",
            because=tuple(f"{b.held}: {', '.join(b.accounts)}" for b in advice.blockers)
            if advice is not None
            else (),
        )
        for role in access.roles
    )
