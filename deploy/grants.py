"""Graph permissions of the two apps' identities: what is granted, what is missing.

A managed identity has no consent page; its permissions are app role assignments. Source: "Grant
an app role to a service principal" and "Assign a managed identity access to an application role".
"""

from collections.abc import Collection
from typing import Any

from deploy.directory import GRANTING, Refused, explained, missing
from deploy.section import Change, Section
from deploy.target import APPS, Target
from shared.model.directory import GRAPH_APP_ID
from shared.planning.identities import IDENTITIES, Right, superfluous

NAMES = {"front": "Front door", "worker": "Worker"}


async def sections(
    client: Any, target: Target, *, without: Collection[str], prune: bool
) -> list[Section]:
    """One for each app; raises `Refused` when the tenant cannot be read."""
    with explained("reading Microsoft Graph's permissions", GRANTING):
        graph = await client.service_principals_with_app_id(GRAPH_APP_ID).get()
    ids = {role.value: role.id for role in graph.app_roles}
    return [
        await _section(client, app, target.principal(app), graph.id, ids, without, prune=prune)
        for app in APPS
        if target.principal(app)
    ]


async def held(client: Any, principal: str, graph_id: str) -> dict[str, str]:
    """Ids of an identity's assignments of Graph's app roles, by the role's id."""
    found: dict[str, str] = {}
    with explained(f"reading the permissions of {principal}", GRANTING):
        page = await client.service_principals.by_service_principal_id(
            principal
        ).app_role_assignments.get()
        while page is not None:
            for row in page.value or ():
                if str(row.resource_id) == graph_id:
                    found[str(row.app_role_id)] = row.id
            link = page.odata_next_link
            if not link:
                break
            page = await (
                client.service_principals.by_service_principal_id(principal)
                .app_role_assignments.with_url(link)
                .get()
            )
    return found


async def _section(
    client: Any,
    app: str,
    principal: str,
    graph_id: str,
    ids: dict[str, Any],
    without: Collection[str],
    *,
    prune: bool,
) -> Section:
    name = await _name(client, principal)
    section = Section(f"{NAMES[app]}: identity {name}, object id {principal}")
    given = await held(client, principal, graph_id)
    names = {str(id_): value for value, id_ in ids.items()}
    has = {names.get(role, role): assignment for role, assignment in given.items()}
    for right in IDENTITIES[app]:
        if right.permission in has:
            section.there.append(right.permission)
        elif right.permission in without:
            section.notes.append(f"{right.permission} is left out; goes without: {right.needed}")
        else:
            section.changes.append(
                _grant(client, right, principal, graph_id, ids.get(right.permission))
            )
    for extra in superfluous(app, has):
        if prune:
            section.changes.append(_revoke(client, extra, principal, has[extra]))
        else:
            section.notes.append(f"{extra} is granted and not needed: --prune takes it away")
    return section


async def _name(client: Any, principal: str) -> str:
    from kiota_abstractions.api_error import APIError

    try:
        with explained(f"reading the identity {principal}", GRANTING):
            found = await client.service_principals.by_service_principal_id(principal).get()
    except Refused as refusal:
        if isinstance(refusal.__cause__, APIError) and missing(refusal.__cause__):
            raise Refused(
                f"the tenant has no identity {principal}. Right after `azd provision` it can take "
                "minutes until the directory shows it; else this is another tenant's or an older "
                "environment's (`azd env get-values`)."
            ) from refusal
        raise
    return str(found.display_name)


def _grant(client: Any, right: Right, principal: str, graph_id: str, role: Any) -> Change:
    from msgraph.generated.models.app_role_assignment import AppRoleAssignment

    async def make() -> None:
        if role is None:
            raise Refused(f"Microsoft Graph offers no permission {right.permission} in this cloud")
        wanted = AppRoleAssignment(principal_id=principal, resource_id=graph_id, app_role_id=role)
        assignments = client.service_principals.by_service_principal_id(principal)
        with explained(f"granting {right.permission}", GRANTING):
            await assignments.app_role_assignments.post(wanted)

    danger = f" DANGER: {right.danger}." if right.danger else ""
    return Change(
        f"grant {right.permission}",
        f"to {right.why} ({right.needed}).{danger}",
        GRANTING,
        make,
    )


def _revoke(client: Any, permission: str, principal: str, assignment: str) -> Change:
    async def make() -> None:
        assignments = client.service_principals.by_service_principal_id(principal)
        with explained(f"taking {permission} away", GRANTING):
            await assignments.app_role_assignments.by_app_role_assignment_id(assignment).delete()

    return Change(f"take away {permission}", "no step or call of this app uses it.", GRANTING, make)
