"""The registration by which callers sign in to the API: its app roles, and who has them first.

It holds no secret: it only names the API, so that tokens can be asked for and roles assigned.
"""

from typing import Any

from deploy.directory import REGISTERING, Refused, explained, missing
from deploy.registration_parts import lacking, preauthorised, wanted
from deploy.section import Change, Section
from deploy.target import Target
from shared.model.caller import Role

TAG = "WindowsAzureActiveDirectoryIntegratedApp"
"""Makes a service principal show among the enterprise applications."""


def unique_name(target: Target) -> str:
    return f"keyturn-api-{target.name}"


class Registration:
    """The application as the tenant has it, and what brings it to what it should be."""

    def __init__(self, client: Any, target: Target) -> None:
        self._client, self._target = client, target
        self.client_id = ""
        self.principal_id = ""
        self.section = Section(f"API registration: {unique_name(target)}")
        self._object_id = ""

    async def plan(self) -> Section:
        found = await self._find()
        if found is None:
            self._add(
                "register the application, single tenant, without a secret",
                "so that callers can ask for tokens for the API.",
                self._create,
            )
        else:
            self._object_id, self.client_id = found.id, found.app_id
            self.section.there.append(f"application {found.app_id}")
        if parts := lacking(found):
            self._add(
                f"set {', '.join(parts)}",
                f"app roles {', '.join(Role)} decide what a caller may do; other roles stay.",
                self._configure,
            )
        else:
            self.section.there.append(f"app roles {', '.join(Role)}")
        principal = await self._principal() if self.client_id else None
        if principal is None:
            self._add(
                "make its enterprise application",
                "roles are assigned there.",
                self._create_principal,
            )
        else:
            self.principal_id = principal.id
            self.section.there.append(f"enterprise application {principal.id}")
        if principal is None or not principal.app_role_assignment_required:
            self._add(
                "require an assignment",
                "nobody without a role of the API gets a token for it.",
                self._require_assignment,
            )
        return self.section

    def _add(self, what: str, why: str, make: Any) -> None:
        self.section.changes.append(Change(what, why, REGISTERING, make))

    async def _find(self) -> Any:
        builder = self._client.applications_with_unique_name(unique_name(self._target))
        if self._target.api_client_id:
            builder = self._client.applications_with_app_id(self._target.api_client_id)
        return await _or_none("looking for the API's registration", builder)

    async def _principal(self) -> Any:
        builder = self._client.service_principals_with_app_id(self.client_id)
        return await _or_none("looking for the API's enterprise application", builder)

    async def _create(self) -> None:
        from msgraph.generated.models.application import Application

        fresh = Application(
            display_name=f"Keyturn API ({self._target.name})",
            unique_name=unique_name(self._target),
            sign_in_audience="AzureADMyOrg",
        )
        with explained("registering the API", REGISTERING):
            made = await self._client.applications.post(fresh)
        self._object_id, self.client_id = made.id, made.app_id

    async def _configure(self) -> None:
        builder = self._client.applications.by_application_id(self._object_id)
        with explained("setting the API's app roles", REGISTERING):
            known = await builder.get()
            await builder.patch(wanted(known, self.client_id))
            # A client can be preauthorised only for a scope that is there already.
            await builder.patch(preauthorised(known))

    async def _create_principal(self) -> None:
        from msgraph.generated.models.service_principal import ServicePrincipal

        with explained("making the API's enterprise application", REGISTERING):
            made = await self._client.service_principals.post(
                ServicePrincipal(app_id=self.client_id, tags=[TAG])
            )
        self.principal_id = made.id

    async def _require_assignment(self) -> None:
        from msgraph.generated.models.service_principal import ServicePrincipal

        builder = self._client.service_principals.by_service_principal_id(self.principal_id)
        with explained("requiring an assignment", REGISTERING):
            await builder.patch(ServicePrincipal(app_role_assignment_required=True))


async def _or_none(doing: str, builder: Any) -> Any:
    try:
        with explained(doing, REGISTERING):
            return await builder.get()
    except Refused as refusal:
        if missing(refusal.__cause__):
            return None
        raise
