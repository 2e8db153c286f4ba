"""The parts of Graph's entities that Keyturn reads."""

import base64
import hashlib
import re
from datetime import datetime

import msgspec

from shared.model.credential import FederatedTrust, HeldSecret
from shared.model.directory import (
    Application,
    DelegatedGrant,
    Grant,
    Kind,
    Permission,
    PermissionKey,
    Principal,
    Resource,
    RoleAssignment,
)

HINT = 8  # characters of a thumbprint that tell certificates apart
HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{40}")


class Row(msgspec.Struct, rename="camel", frozen=True):
    """Base of the rows: Graph's names, unknown ones ignored."""


class AccessRow(Row, frozen=True):
    id: str
    type: str  # Role | Scope


class ResourceAccessRow(Row, frozen=True):
    resource_app_id: str
    resource_access: list[AccessRow]


class RedirectsRow(Row, frozen=True):
    redirect_uris: list[str] = []


class LockRow(Row, frozen=True):
    is_enabled: bool = False
    all_properties: bool | None = None


class PasswordRow(Row, frozen=True):
    key_id: str
    end_date_time: datetime
    start_date_time: datetime
    display_name: str | None = None
    hint: str | None = None
    secret_text: str | None = None

    def value(self) -> HeldSecret:
        return HeldSecret(
            key_id=self.key_id,
            name=self.display_name or "",
            starts=self.start_date_time,
            ends=self.end_date_time,
            hint=self.hint or "",
        )


class KeyRow(Row, frozen=True):
    key_id: str
    end_date_time: datetime
    start_date_time: datetime
    usage: str = ""
    display_name: str | None = None
    custom_key_identifier: str | None = None
    key: str | None = None  # Base64 of the certificate; not answered of every type

    def value(self) -> HeldSecret:
        return HeldSecret(
            key_id=self.key_id,
            name=self.display_name or "",
            starts=self.start_date_time,
            ends=self.end_date_time,
            hint=self._thumbprint()[:HINT],
            certificate=True,
        )

    def _thumbprint(self) -> str:
        """As the portal shows it: of what is registered, else as it was registered with it."""
        if self.key:
            # It names a certificate and protects nothing.
            raw = base64.b64decode(self.key)
            return hashlib.sha1(raw, usedforsecurity=False).hexdigest().upper()
        known = self.custom_key_identifier or ""
        return known if HEXADECIMAL.fullmatch(known) else base64.b64decode(known).hex().upper()


class CredentialsRow(Row, frozen=True):
    """Everything that an application may sign in with; an answer without a part of it is none."""

    id: str
    password_credentials: list[PasswordRow]
    key_credentials: list[KeyRow]

    def value(self) -> list[HeldSecret]:
        # Other usages sign or encrypt tokens for the application: nobody signs in with them.
        keys = [key for key in self.key_credentials if key.usage == "Verify"]
        return [p.value() for p in self.password_credentials] + [key.value() for key in keys]


class FederatedRow(Row, frozen=True):
    id: str
    name: str
    issuer: str
    audiences: list[str] = []
    subject: str | None = None
    description: str | None = None

    def value(self) -> FederatedTrust:
        return FederatedTrust(
            id=self.id,
            name=self.name,
            issuer=self.issuer,
            subject=self.subject or "",
            audiences=tuple(self.audiences),
            description=self.description or "",
        )


class ApplicationRow(Row, frozen=True):
    id: str
    app_id: str = ""
    display_name: str | None = None
    sign_in_audience: str | None = None
    is_fallback_public_client: bool | None = None
    web: RedirectsRow | None = None
    public_client: RedirectsRow | None = None
    spa: RedirectsRow | None = None
    required_resource_access: list[ResourceAccessRow] = []
    tags: list[str] = []
    created_date_time: datetime | None = None
    service_principal_lock_configuration: LockRow | None = None

    def value(self) -> Application:
        lock = self.service_principal_lock_configuration
        return Application(
            object_id=self.id,
            client_id=self.app_id,
            display_name=self.display_name or "",
            audience=self.sign_in_audience or "",
            public_client=bool(self.is_fallback_public_client),
            web_redirects=_uris(self.web),
            native_redirects=_uris(self.public_client),
            spa_redirects=_uris(self.spa),
            configured=frozenset(
                PermissionKey(
                    resource=entry.resource_app_id,
                    kind=Kind.APPLICATION if access.type == "Role" else Kind.DELEGATED,
                    id=access.id,
                )
                for entry in self.required_resource_access
                for access in entry.resource_access
            ),
            tags=tuple(self.tags),
            locked=bool(lock and lock.is_enabled and lock.all_properties),
            created=self.created_date_time,
        )


def _uris(row: RedirectsRow | None) -> tuple[str, ...]:
    return tuple(row.redirect_uris) if row else ()


class AppRoleRow(Row, frozen=True):
    id: str
    value: str | None = None
    is_enabled: bool = True
    allowed_member_types: list[str] = []


class ScopeRow(Row, frozen=True):
    id: str
    value: str | None = None
    is_enabled: bool = True


class PrincipalRow(Row, frozen=True):
    id: str
    app_id: str = ""
    account_enabled: bool | None = None
    app_role_assignment_required: bool = False
    tags: list[str] = []
    app_roles: list[AppRoleRow] = []
    oauth2_permission_scopes: list[ScopeRow] = msgspec.field(
        default_factory=list, name="oauth2PermissionScopes"
    )

    def value(self) -> Principal:
        return Principal(
            object_id=self.id,
            client_id=self.app_id,
            enabled=self.account_enabled is not False,
            assignment_required=self.app_role_assignment_required,
            tags=tuple(self.tags),
        )

    def resource(self) -> Resource:
        """The permissions that can be asked for; disabled ones cannot."""
        offered = [
            (Kind.APPLICATION, role.id, role.value)
            for role in self.app_roles
            if role.is_enabled and "Application" in role.allowed_member_types
        ] + [
            (Kind.DELEGATED, scope.id, scope.value)
            for scope in self.oauth2_permission_scopes
            if scope.is_enabled
        ]
        return Resource(
            app_id=self.app_id,
            principal_id=self.id,
            permissions=tuple(
                Permission(key=PermissionKey(resource=self.app_id, kind=kind, id=id_), name=name)
                for kind, id_, name in offered
                if name
            ),
        )


class GrantRow(Row, frozen=True):
    id: str
    app_role_id: str
    resource_id: str
    created_date_time: datetime | None = None

    def value(self) -> Grant:
        return Grant(
            id=self.id,
            resource_id=self.resource_id,
            permission_id=self.app_role_id,
            created=self.created_date_time,
        )


class DelegatedRow(Row, frozen=True):
    id: str
    resource_id: str
    consent_type: str
    scope: str | None = None
    principal_id: str | None = None

    def value(self) -> DelegatedGrant:
        return DelegatedGrant(
            id=self.id,
            resource_id=self.resource_id,
            scopes=tuple((self.scope or "").split()),
            everybody=self.consent_type == "AllPrincipals",
            user=self.principal_id or "",
        )


class TypedRow(Row, frozen=True):
    type: str = msgspec.field(default="", name="@odata.type")


class RoleAssignmentRow(Row, frozen=True):
    id: str
    role_definition_id: str
    directory_scope_id: str | None = None
    principal: TypedRow | None = None

    def value(self) -> RoleAssignment:
        kind = self.principal.type.rpartition(".")[2] if self.principal else ""
        return RoleAssignment(
            id=self.id,
            role_id=self.role_definition_id,
            scope=self.directory_scope_id or "",
            principal_type=kind[:1].upper() + kind[1:],
        )


class IdRow(Row, frozen=True):
    id: str


class ClientRow(Row, frozen=True):
    app_id: str


class NamedRow(Row, frozen=True):
    id: str
    display_name: str | None = None


class DeletedRow(Row, frozen=True):
    id: str
    deleted_date_time: datetime | None = None


class DomainRow(Row, frozen=True):
    name: str
    is_initial: bool = False


class OrganizationRow(Row, frozen=True):
    id: str
    display_name: str | None = None
    verified_domains: list[DomainRow] = []


class RestrictionRow(Row, frozen=True):
    restriction_type: str
    state: str | None = None
    max_lifetime: str | None = None


class RestrictionsRow(Row, frozen=True):
    password_credentials: list[RestrictionRow] = []
    key_credentials: list[RestrictionRow] = []


class PolicyRow(Row, frozen=True):
    is_enabled: bool = False
    application_restrictions: RestrictionsRow | None = None
