"""Client secrets and tokens over one `FakeTenant`."""

from datetime import datetime, timedelta

from shared.errors import NeedsHuman
from shared.model.credential import HeldSecret, NewSecret, TokenFacts
from tests.fakes.faults import fallible
from tests.fakes.part import Part, written
from tests.fakes.tenant import SecretRow

READABLE = {
    "User.Read.All": {"User.Read.All", "User.ReadWrite.All", "Directory.Read.All"},
    "Group.Read.All": {"Group.Read.All", "Directory.Read.All"},
    "RoleManagement.Read.Directory": {
        "RoleManagement.Read.Directory",
        "RoleManagement.ReadWrite.Directory",
        "Directory.Read.All",
    },
    "RoleManagement.ReadWrite.Directory": {"RoleManagement.ReadWrite.Directory"},
}
"""Permissions that have a harmless read, and which granted ones allow it."""


class FakeCredentials(Part):
    """Implements ``ports.Credentials``."""

    @fallible("credentials.held")
    async def held(self, object_id: str) -> list[HeldSecret] | None:
        row = self._tenant.application(object_id)
        if row is None or not row.seen():
            return None
        return [
            HeldSecret(key_id=s.id, name=s.name, starts=s.starts, ends=s.ends, hint=s.hint)
            for s in row.secrets
            if s.seen()
        ]

    @fallible("credentials.add")
    async def add(self, object_id: str, name: str, ends: datetime) -> NewSecret:
        tenant, now = self._tenant, self._tenant.clock.now()
        row = written(tenant.application(object_id), object_id)
        days = tenant.longest_lifetime
        if days is not None and ends - now > timedelta(days=days):
            raise NeedsHuman(
                "SECRET_LIFETIME_OVER_POLICY", f"at most {days} days", "Ask for a shorter one."
            )
        made = SecretRow(
            name=name,
            value=tenant.new_value(),
            starts=now,
            ends=ends,
            hidden=tenant.lag,
            unknown=tenant.token_lag,
        )
        row.secrets.append(made)
        return NewSecret(key_id=made.id, ends=ends, hint=made.hint, value=made.value)

    @fallible("credentials.remove")
    async def remove(self, object_id: str, key_id: str) -> None:
        row = written(self._tenant.application(object_id), object_id)
        row.secrets[:] = [s for s in row.secrets if s.id != key_id]

    @fallible("credentials.longest_lifetime")
    async def longest_lifetime(self) -> float | None:
        return self._tenant.longest_lifetime


class FakeTokens(Part):
    """Implements ``ports.Tokens``."""

    @fallible("tokens.obtain")
    async def obtain(self, client_id: str, secret: NewSecret) -> TokenFacts | None:
        return self._token(client_id, secret)

    @fallible("tokens.read_as")
    async def read_as(self, client_id: str, secret: NewSecret, permission: str) -> bool | None:
        if permission not in READABLE:
            return None
        token = self._token(client_id, secret)
        return token is not None and bool(token.roles & READABLE[permission])

    def _token(self, client_id: str, secret: NewSecret) -> TokenFacts | None:
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
        if known.unknown:
            known.unknown -= 1
            return None
        return TokenFacts(
            roles=tenant.permission_names(principal),
            app_id=client_id,
            tenant_id=tenant.identity.id,
        )
