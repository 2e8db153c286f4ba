"""What a connection's profile wants in this tenant, with every name resolved."""

from collections import defaultdict

from shared.errors import NeedsHuman
from shared.model.connection import Value
from shared.model.directory import GRAPH_APP_ID, Permission, Resource, WantedApplication
from shared.planning.access import Access, WantedPermission, api_name, plan_access, resolve
from shared.planning.registration import wanted_application
from shared.planning.templates import profile_inputs, template_values
from shared.step import Work


class Wanted(Value, frozen=True):
    """The profile's wishes as ids of this tenant."""

    access: Access
    permissions: tuple[Permission, ...]
    resources: tuple[Resource, ...]
    application: WantedApplication
    values: dict[str, str]


async def wanted(work: Work) -> Wanted:
    """Resolve the profile against the tenant; raises `NeedsHuman` for names that do not exist."""
    known = work.connection
    in_force = () if work.message.kind == "onboard" else known.roles
    access = plan_access(work.profile, known.spec, known.advice, in_force)
    by_resource: dict[str, list[WantedPermission]] = defaultdict(list)
    by_resource[GRAPH_APP_ID] = []  # looked at in any case: nothing else may be granted on it
    for permission in access.permissions:
        by_resource[permission.resource].append(permission)
    resources: list[Resource] = []
    permissions: list[Permission] = []
    for app_id, names in by_resource.items():
        resource = await work.ctx.directory.resource(app_id)
        if resource is None:
            raise missing_api(app_id)
        resources.append(resource)
        permissions += resolve(names, resource)
    tenant = await work.ctx.directory.tenant()
    today = work.now.date().isoformat()
    values = profile_inputs(work.profile, work.connection.spec) | template_values(
        work.connection.spec, tenant, work.connection.facts, today
    )
    return Wanted(
        access=access,
        permissions=tuple(permissions),
        resources=tuple(resources),
        application=wanted_application(
            work.profile, work.connection.spec, tuple(permissions), values
        ),
        values=values,
    )


def missing_api(app_id: str) -> NeedsHuman:
    return NeedsHuman(
        "RESOURCE_MISSING",
        f"The API {api_name(app_id)} has no service principal in this tenant.",
        f"Have an administrator add it (az ad sp create --id {app_id}), then send the request "
        "again.",
    )
