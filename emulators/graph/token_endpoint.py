"""The token endpoint: client credentials with a secret or a certificate."""

import base64
import uuid
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from emulators.graph import sts_errors
from emulators.graph.assertions import check_assertion
from emulators.graph.ids import is_guid
from emulators.graph.state import Entity, Tenant
from emulators.graph.tokens import GRAPH_APP_ID, GRAPH_AUDIENCES, LIFETIME, TokenIssuer

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FIRST_PARTY = {
    "https://vault.azure.net",
    "https://servicebus.azure.net",
    "https://eventhubs.azure.net",
    "https://storage.azure.com",
    "https://management.azure.com",
    "https://management.core.windows.net",
    "https://eventgrid.azure.net",
    "https://monitor.azure.com",
    "https://database.windows.net",
    "https://manage.office.com",
    "499b84ac-1321-427f-aa17-267ca6975798",  # Azure DevOps
    "e406a681-f3d4-42a8-90b6-c2b029497af1",  # Azure Storage
    "022907d3-0f1b-48f7-badc-1ba6abab6d66",  # Azure SQL Database
    "996def3d-b36c-4153-8607-a6fd3c01b89f",  # Dynamics 365 Business Central
}
"""Microsoft's own resources; every application of a tenant may ask for a token for them."""
ANY_APP_TOKEN = "0997a1d0-0d1d-4acb-b408-d5ca73121e90"


class TokenEndpoint:
    def __init__(self, tenant: Tenant, issuer: TokenIssuer) -> None:
        self._tenant, self._issuer = tenant, issuer

    def answer(
        self, tenant: str, form: dict[str, str], authorization: str, *, without_roles: bool = False
    ) -> dict[str, Any]:
        """The token answer, or a TokenError."""
        self._check_tenant(tenant)
        form = _with_basic(form, authorization)
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                raise sts_errors.missing_parameter(name)
        if form["grant_type"] != "client_credentials":
            raise sts_errors.bad_grant(form["grant_type"])
        if not form.get("scope"):
            raise sts_errors.missing_parameter("scope")
        application = self._application(form["client_id"])
        if form.get("client_assertion"):
            self._check_assertion(application, form["client_assertion"])
        elif form.get("client_secret"):
            self._check_secret(application, form["client_secret"])
        else:
            raise sts_errors.missing_credential()
        principal = self._principal(application)
        resource = _resource(form["scope"])
        claims = self._claims(application, principal, resource)
        if without_roles:
            claims.pop("roles", None)
        claims["appidacr"] = "2" if form.get("client_assertion") else "1"
        return {
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "ext_expires_in": LIFETIME,
            "access_token": self._issuer.sign(claims),
        }

    def _check_tenant(self, tenant: str) -> None:
        if tenant.lower() not in (self._tenant.id, self._tenant.domain):
            raise sts_errors.unknown_tenant(tenant, guid=is_guid(tenant))

    def _application(self, app_id: str) -> Entity:
        if not is_guid(app_id) or uuid.UUID(app_id).int == 0:
            raise sts_errors.nonsense_application(app_id)
        found = self._tenant.application_of(app_id)
        table = self._tenant.tables["application"]
        if found is None or not table.settled_for_token(found.id):
            raise sts_errors.unknown_application(app_id, self._tenant.display_name)
        return found

    def _principal(self, application: Entity) -> Entity:
        app_id = application.body["appId"]
        principal = self._tenant.principal_of(app_id)
        if principal is None:
            raise sts_errors.missing_principal(app_id, self._tenant.id)
        if principal.body["accountEnabled"] is False or application.body.get("isDisabled"):
            raise sts_errors.disabled_application(app_id, application.body["displayName"])
        return principal

    def _check_secret(self, application: Entity, value: str) -> None:
        """Secrets live on the application; the service principal may carry some as well."""
        app_id = application.body["appId"]
        principal = self._tenant.principal_of(app_id)
        secrets = application.secrets + (principal.secrets if principal else [])
        lag = self._tenant.lag
        for secret in secrets:
            if secret.text == value and lag.visible(secret.born, secret.gone, token=True):
                now = self._tenant.clock.now()
                if datetime.fromisoformat(secret.end) <= now:
                    raise sts_errors.expired_secret(app_id)
                if datetime.fromisoformat(secret.start) <= now:
                    return
        raise sts_errors.wrong_secret(app_id)

    def _check_assertion(self, application: Entity, assertion: str) -> None:
        app_id = application.body["appId"]
        principal = self._tenant.principal_of(app_id)
        keys = application.keys + (principal.keys if principal else [])
        lag = self._tenant.lag
        known = [key for key in keys if lag.visible(key.born, key.gone, token=True)]
        tenants = (self._tenant.id, self._tenant.domain)
        check_assertion(known, assertion, app_id, tenants, self._tenant.clock.now())

    def _claims(self, application: Entity, principal: Entity, resource: str) -> dict[str, Any]:
        claims = {
            "aud": resource,
            "appid": application.body["appId"],
            "app_displayname": application.body["displayName"],
            "oid": principal.id,
            "sub": principal.id,
            "uti": self._tenant.ids.guid(),
            "wids": self._directory_roles(principal.id) or [ANY_APP_TOKEN],
        }
        api = self._resource_principal(resource)
        if api is None:
            if resource.rstrip("/") not in FIRST_PARTY and not _storage(resource):
                raise sts_errors.unknown_resource(resource, self._tenant.display_name)
            return claims
        roles = self._granted(principal.id, api)
        return claims | ({"roles": roles} if roles else {})

    def _resource_principal(self, resource: str) -> Entity | None:
        if resource in GRAPH_AUDIENCES:
            return self._tenant.principal_of(GRAPH_APP_ID)
        for entity in self._tenant.tables["servicePrincipal"].true_values():
            if resource.rstrip("/") in entity.body["servicePrincipalNames"]:
                return entity
        return None

    def _granted(self, principal_id: str, api: Entity) -> list[str]:
        names = {role["id"]: role["value"] for role in api.body["appRoles"]}
        return sorted(
            names[grant["appRoleId"]]
            for grant in self._tenant.app_roles.values_for_token()
            if grant["principalId"] == principal_id
            and grant["resourceId"] == api.id
            and grant["appRoleId"] in names
        )

    def _directory_roles(self, principal_id: str) -> list[str]:
        """The tenant-wide ones (Entra: access token claims, wids)."""
        return [
            assignment["roleDefinitionId"]
            for assignment in self._tenant.role_assignments.values_for_token()
            if assignment["principalId"] == principal_id and assignment["directoryScopeId"] == "/"
        ]


def _with_basic(form: dict[str, str], authorization: str) -> dict[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return form
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return {"client_id": unquote_plus(user), "client_secret": unquote_plus(password)} | form


def _resource(scope: str) -> str:
    words = [word for word in scope.split() if word not in ("openid", "profile", "offline_access")]
    if len(words) != 1 or not words[0].endswith("/.default"):
        raise sts_errors.bad_scope(scope)
    return words[0].removesuffix("/.default")


def _storage(resource: str) -> bool:
    return resource.startswith("https://") and resource.rstrip("/").endswith(
        ("blob.core.windows.net", "table.core.windows.net", "queue.core.windows.net")
    )
