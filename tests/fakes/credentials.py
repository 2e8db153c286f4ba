"""Client secrets, certificates and tokens over one `FakeTenant`."""

from datetime import datetime, timedelta

from shared.adapters.token_reads import READS
from shared.errors import NeedsHuman
from shared.model.credential import (
    HeldSecret,
    IssuedToken,
    NewSecret,
    ReadFacts,
    SecretRules,
    TokenFacts,
    TokenSecret,
)
from shared.model.directory import GRAPH_APP_ID
from shared.model.shape import Shape
from tests.fakes.faults import fallible
from tests.fakes.part import Part, written
from tests.fakes.tenant import SecretRow

DIRECTORY = {"Directory.Read.All", "Directory.ReadWrite.All"}
USERS = DIRECTORY | {"User.Read.All", "User.ReadWrite.All", "User.ReadBasic.All"}
GROUPS = DIRECTORY | {"Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All"}
ROLES = DIRECTORY | {"RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"}
ALLOWING = {"list_users": USERS, "list_groups": GROUPS, "list_role_assignments": ROLES}


def allowing(what: str) -> set[str]:
    """Permissions that allow the read of a check, or of a permission."""
    kinds = (kind for kind in (USERS, GROUPS, ROLES) if what in kind)
    return ALLOWING.get(what) or next(kinds, {what})


class FakeCredentials(Part):
    """Implements ``ports.Credentials``."""

    @fallible("credentials.held")
    async def held(self, object_id: str) -> list[HeldSecret] | None:
        row = self._tenant.application(object_id)
        if row is None or not row.seen():
            return None
        return [
            HeldSecret(
                key_id=s.id,
                name=s.name,
                starts=s.starts,
                ends=s.ends,
                hint=s.hint,
                certificate=s.certificate,
            )
            for s in row.secrets
            if s.seen()
        ]

    @fallible("credentials.add")
    async def add(
        self,
        object_id: str,
        name: str,
        ends: datetime,
        *,
        shape: Shape = Shape.CLIENT_SECRET,
        subject: str = "",
    ) -> NewSecret:
        tenant, now = self._tenant, self._tenant.clock.now()
        row = written(tenant.application(object_id), object_id)
        days = tenant.longest_certificate if shape.certificate else tenant.longest_lifetime
        if days is not None and ends - now > timedelta(days=days):
            raise NeedsHuman(
                "SECRET_LIFETIME_OVER_POLICY", f"at most {days} days", "Ask for a shorter one."
            )
        made = SecretRow(
            name=name,
            value=tenant.new_value(certificate=shape.certificate),
            certificate=shape.certificate,
            starts=now,
            ends=ends,
            hidden=tenant.lag,
            unknown=tenant.token_lag,
        )
        row.secrets.append(made)
        return NewSecret(
            key_id=made.id,
            ends=ends,
            hint=made.hint,
            value=made.value,
            shape=shape,
            thumbprint=made.thumbprint,
        )

    @fallible("credentials.remove")
    async def remove(self, object_id: str, key_id: str) -> None:
        row = written(self._tenant.application(object_id), object_id)
        row.secrets[:] = [s for s in row.secrets if s.id != key_id]

    @fallible("credentials.gone")
    async def gone(self, object_id: str, key_id: str) -> bool:
        row = written(self._tenant.application(object_id), object_id)
        return all(secret.id != key_id for secret in row.secrets)

    @fallible("credentials.rules")
    async def rules(self, shape: Shape = Shape.CLIENT_SECRET) -> SecretRules:
        tenant = self._tenant
        if shape.certificate:
            return SecretRules(longest=tenant.longest_certificate)
        return SecretRules(allowed=tenant.secrets_allowed, longest=tenant.longest_lifetime)

    @fallible("credentials.longest_lifetime")
    async def longest_lifetime(self, shape: Shape = Shape.CLIENT_SECRET) -> float | None:
        tenant = self._tenant
        return tenant.longest_certificate if shape.certificate else tenant.longest_lifetime


class FakeTokens(Part):
    """Implements ``ports.Tokens``."""

    @fallible("tokens.authority_time")
    async def authority_time(self) -> datetime:
        return self._tenant.clock.now()

    @fallible("tokens.obtain")
    async def obtain(
        self, client_id: str, secret: NewSecret, api: str = GRAPH_APP_ID
    ) -> TokenFacts | None:
        return self._token(client_id, secret, api)

    @fallible("tokens.read_as")
    async def read_as(self, client_id: str, secret: NewSecret, what: str) -> ReadFacts | None:
        if what not in READS:
            return None
        token = self._token(client_id, secret, GRAPH_APP_ID)
        if token is None:
            return ReadFacts(allowed=False, signed_in=False)
        if what in self._tenant.denied_reads or not token.roles & allowing(what):
            said = self._tenant.denied_reads.get(what, "HTTP 403 Authorization_RequestDenied")
            return ReadFacts(allowed=False, roles=token.roles, said=said)
        return ReadFacts(allowed=True, roles=token.roles, said="HTTP 200")

    @fallible("tokens.issue")
    async def issue(self, client_id: str, secret: NewSecret, api: str) -> IssuedToken | None:
        tenant = self._tenant
        if self._token(client_id, secret, api) is None:
            return None
        if api not in tenant.apis:
            raise NeedsHuman("SCOPE_UNKNOWN", f"no API {api}", "Have it added.")
        token = TokenSecret(tenant.new_value())
        tenant.tokens[token.reveal()] = client_id
        return IssuedToken(
            token=token,
            token_type="Bearer",
            expires_in=3599,
            ext_expires_in=3599,
            scope=f"{'https://graph.microsoft.com' if api == GRAPH_APP_ID else api}/.default",
        )

    def _token(self, client_id: str, secret: NewSecret, api: str) -> TokenFacts | None:
        tenant = self._tenant
        application = tenant.application_of(client_id)
        principal = tenant.principals.get(client_id)
        known = next(
            (
                s
                for s in (application.secrets if application else [])
                if s.value == secret.reveal() and s.ends > tenant.clock.now()
            ),
            None,
        )
        if principal is None or not principal.enabled or known is None:
            return None
        if not tenant.is_known(known):
            return None
        return TokenFacts(
            roles=tenant.permission_names(principal, api) - tenant.roles_unknown_to_tokens,
            app_id=client_id,
            tenant_id=tenant.identity.id,
        )
