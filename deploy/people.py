"""Who has which role of the API first: named people, or applications by their client id."""

from collections.abc import Mapping, Sequence
from typing import Any

from deploy.directory import REGISTERING, Refused, explained, missing
from deploy.registration import Registration
from deploy.section import Change, Section
from shared.model.caller import Role


async def plan(
    client: Any, registration: Registration, given: Mapping[Role, Sequence[str]]
) -> Section:
    """Assignments that are missing; nobody's are taken away."""
    section = Section("Roles of the API")
    there = await _assigned(client, registration.principal_id)
    for role, people in given.items():
        for who in people:
            id_, name = await _found(client, who)
            if (role, id_) in there:
                section.there.append(f"{name} has {role.value}")
            else:
                section.changes.append(_assign(client, registration, role, id_, name))
    if not any(given.values()) and not there:
        section.notes.append(
            "nobody has a role yet, so nobody may call the API: --approver, --operator and "
            "--reader name people. Approver and operator should be different people (four eyes)."
        )
    return section


async def _assigned(client: Any, principal: str) -> set[tuple[Role, str]]:
    if not principal:
        return set()
    builder = client.service_principals.by_service_principal_id(principal)
    with explained("reading who has a role of the API", REGISTERING):
        api = await builder.get()
        page = await builder.app_role_assigned_to.get()
        rows = list(page.value or ())
        while page.odata_next_link:
            page = await builder.app_role_assigned_to.with_url(page.odata_next_link).get()
            rows += page.value or ()
    known = {role.value for role in Role}
    names = {str(role.id): Role(role.value) for role in api.app_roles if role.value in known}
    return {
        (names[str(row.app_role_id)], str(row.principal_id))
        for row in rows
        if str(row.app_role_id) in names
    }


async def _found(client: Any, who: str) -> tuple[str, str]:
    """Object id and name of a user, by principal name or id, or of an application."""
    for builder in (
        client.users.by_user_id(who),
        client.service_principals_with_app_id(who),
    ):
        try:
            with explained(f"looking for {who}", REGISTERING):
                found = await builder.get()
        except Refused as refusal:
            # An application's key is a GUID: Graph says 400 to anything else.
            if getattr(refusal.__cause__, "response_status_code", 0) == 400 or missing(
                refusal.__cause__
            ):
                continue
            raise
        return str(found.id), str(found.display_name)
    raise Refused(
        f"the tenant has nobody called {who}; give a user principal name, an object id, or the "
        "client id of an application"
    )


def _assign(client: Any, registration: Registration, role: Role, id_: str, name: str) -> Change:
    async def make() -> None:
        from msgraph.generated.models.app_role_assignment import AppRoleAssignment

        builder = client.service_principals.by_service_principal_id(registration.principal_id)
        with explained(f"giving {name} {role.value}", REGISTERING):
            api = await builder.get()
            ids = {each.value: each.id for each in api.app_roles}
            if role.value not in ids:
                raise Refused(
                    "the directory does not show the API's new roles yet; run this again in a "
                    "minute"
                )
            await builder.app_role_assigned_to.post(
                AppRoleAssignment(
                    principal_id=id_,
                    resource_id=registration.principal_id,
                    app_role_id=ids[role.value],
                )
            )

    return Change(f"give {name} the role {role.value}", f"{id_}, as asked for.", REGISTERING, make)
