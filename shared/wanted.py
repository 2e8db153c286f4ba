"""What a connection's profile wants in this tenant, with every name resolved."""

from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.connection import Value
from shared.model.directory import (
    GRAPH_APP_ID,
    Application,
    Kind,
    Permission,
    PermissionKey,
    Resource,
    WantedApplication,
    WantedPrincipal,
)
from shared.model.profile import Profile, fill, references
from shared.planning.access import Access, api_name, plan_access, resolve
from shared.planning.application import wanted_application, wanted_principal
from shared.planning.consent import keys_given
from shared.planning.findings import accepted
from shared.planning.observed import accepted_parts
from shared.planning.templates import profile_inputs, template_values
from shared.step import Work

PORTAL_DEFAULT = "User.Read"
"""Delegated permission that the portal gives every application it registers."""


BAD_REFERENCES = frozenset({"APPROLE_BAD_REF", "APP_REPLICATION"})
"""What Graph says of ids that are not known yet, and of those that are not known any more."""


class Wanted(Value, frozen=True):
    """The profile's wishes as ids of this tenant."""

    access: Access
    permissions: tuple[Permission, ...]
    resources: tuple[Resource, ...]
    application: WantedApplication
    principal: WantedPrincipal
    owners: dict[str, str]  # people who are to be owners, and the inputs that name them
    values: dict[str, str]


async def wanted(work: Work) -> Wanted:
    """Resolve the profile against the tenant; raises `NeedsHuman` for names that do not exist."""
    tenant = await work.ctx.directory.tenant()
    known = work.connection
    in_force = () if work.message.kind == "onboard" else known.roles
    access = plan_access(work.profile, known.spec, known.advice, in_force)
    resources = await _resources(work, access)
    permissions: list[Permission] = []
    for app_id, resource in resources.items():
        asked = [p for p in access.permissions if p.resource == app_id]
        permissions += resolve(asked, resource)
    values = profile_inputs(work.profile, work.connection.spec) | template_values(
        work.connection.spec, tenant, work.connection.facts, work.now.date().isoformat()
    )
    # What Keyturn gave earlier stays configured until consent has granted what takes its place.
    tolerated = _default(work.profile, resources[GRAPH_APP_ID])
    tolerated |= set(keys_given(work.connection.given))
    application = wanted_application(
        work.profile, work.connection.spec, tuple(permissions), values, frozenset(tolerated)
    )
    left = accepted(known.findings, known.decisions, work.now)
    application = replace(application, accepted=accepted_parts(left))
    return Wanted(
        access=access,
        permissions=tuple(permissions),
        resources=tuple(resources.values()),
        application=application,
        principal=wanted_principal(work.profile, application.display_name),
        owners=_owners(work.profile, values),
        values=values,
    )


def apis(work: Work) -> tuple[str, ...]:
    """Application ids of the APIs that the profile names; Graph is one in any case."""
    access = plan_access(work.profile, work.connection.spec, work.connection.advice)
    return tuple(dict.fromkeys((GRAPH_APP_ID, *(p.resource for p in access.permissions))))


async def _resources(work: Work, access: Access) -> dict[str, Resource]:
    """The APIs in the tenant; after a bad reference they are read anew, their ids may be old."""
    fresh = work.message.waiting_for in BAD_REFERENCES
    found: dict[str, Resource] = {}
    for app_id in dict.fromkeys((GRAPH_APP_ID, *(p.resource for p in access.permissions))):
        resource = await work.ctx.directory.resource(app_id, fresh=fresh)
        if resource is None:
            raise missing_api(app_id)
        found[app_id] = resource
    for app_id in {key.resource for key in keys_given(work.connection.given)} - found.keys():
        if (resource := await work.ctx.directory.resource(app_id, fresh=fresh)) is not None:
            found[app_id] = resource  # of a permission that is on its way out
    return found


def missing_api(app_id: str) -> NeedsHuman:
    return NeedsHuman(
        "RESOURCE_MISSING",
        f"The API {api_name(app_id)} has no service principal in this tenant.",
        f"Have an administrator add it (az ad sp create --id {app_id}), then send the request "
        "again.",
    )


async def registered(work: Work, application: WantedApplication) -> Application | None:
    """The connection's application: its own by unique name, an adopted one by client id."""
    if application.adopts:
        return await work.ctx.applications.of_client(application.adopts)
    return await work.ctx.applications.find(application.unique_name)


def _default(profile: Profile, graph: Resource) -> set[PermissionKey]:
    if profile.registration.remove_default_permissions:
        return set()
    return {
        p.key
        for p in graph.permissions
        if p.key.kind == Kind.DELEGATED and p.name == PORTAL_DEFAULT
    }


def _owners(profile: Profile, values: dict[str, str]) -> dict[str, str]:
    named = ((template, fill(template, values).strip()) for template in profile.registration.owners)
    return {
        name: next((ref.removeprefix("inputs.") for ref in references(template)), template)
        for template, name in named
        if name
    }
