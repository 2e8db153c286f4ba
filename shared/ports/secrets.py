"""What products sign in with, and where it is kept."""

from datetime import datetime
from typing import Protocol

from shared.model.credential import (
    FederatedTrust,
    HeldSecret,
    IssuedToken,
    Masked,
    NewSecret,
    ReadFacts,
    SecretRules,
    StoredSecret,
    TokenFacts,
)
from shared.model.directory import (
    GRAPH_APP_ID,
)
from shared.model.privilege import ResetAnswer, ResetTarget
from shared.model.shape import Shape


class Credentials(Protocol):
    """Client secrets and certificates of applications."""

    async def held(self, object_id: str) -> list[HeldSecret] | None:
        """All of both kinds; None while the application is not visible."""

    async def add(
        self,
        object_id: str,
        name: str,
        ends: datetime,
        *,
        shape: Shape = Shape.CLIENT_SECRET,
        subject: str = "",
    ) -> NewSecret:
        """Add one, sending the request exactly once; *subject* is whom a certificate names.

        Raises `TryLater` with code ``ANSWER_LOST`` when it may have been made all the same, and
        `NeedsHuman` FOREIGN_CERTIFICATE_GONE when others' certificates vanished meanwhile.
        """

    async def remove(self, object_id: str, key_id: str) -> None:
        """Remove by id, whichever kind it is; one that is gone already is success."""

    async def gone(self, object_id: str, key_id: str) -> bool:
        """Whether several reads in a row no longer list it."""

    async def rules(self, shape: Shape = Shape.CLIENT_SECRET) -> SecretRules:
        """What the tenant's policy allows of secrets, or of certificates."""

    async def longest_lifetime(self, shape: Shape = Shape.CLIENT_SECRET) -> float | None:
        """Days that the tenant's policy allows one to live; None without such a policy."""


class Federation(Protocol):
    """Federated identity credentials of applications."""

    async def trusted(self, object_id: str) -> list[FederatedTrust]: ...
    async def add(self, object_id: str, wanted: FederatedTrust) -> None:
        """Add it; one of that name that is there already is success."""

    async def correct(self, object_id: str, trust_id: str, wanted: FederatedTrust) -> None:
        """Replace everything but its name, which never changes."""

    async def remove(self, object_id: str, trust_id: str) -> None:
        """Remove it; one that is gone already is success."""


class Tokens(Protocol):
    """The token endpoint, seen as the product sees it."""

    async def authority_time(self) -> datetime:
        """What time it is for the authority that dates tokens."""

    async def obtain(
        self, client_id: str, secret: NewSecret, api: str = GRAPH_APP_ID
    ) -> TokenFacts | None:
        """One token for an API (its application id) over a fresh connection.

        None while the secret is not known everywhere.
        """

    async def read_as(self, client_id: str, secret: NewSecret, what: str) -> ReadFacts | None:
        """One harmless read that a permission allows, or that a profile's check names.

        None when there is none for it.
        """

    async def issue(self, client_id: str, secret: NewSecret, api: str) -> IssuedToken | None:
        """A token for *api*, an application id; None while the secret is not known everywhere.

        Raises `NeedsHuman` SCOPE_UNKNOWN when the tenant has no such API.
        """


class ResetTrial(Protocol):
    """Resets one password as the product would, to learn whether it can."""

    async def target(self, account: str) -> ResetTarget | None:
        """The account of exactly this id or user principal name."""

    async def reset(self, client_id: str, secret: NewSecret, user_id: str) -> ResetAnswer | None:
        """Set a password that nobody learns; None while the secret is not known everywhere."""


class Vault(Protocol):
    async def current(self, name: str) -> StoredSecret | None:
        """The current version of *name*; None when there is none or it is disabled."""

    async def reveal(self, stored: StoredSecret) -> NewSecret | None:
        """That version with its value."""

    async def put(self, name: str, secret: NewSecret, tags: dict[str, str]) -> StoredSecret:
        """Make a new current version that expires with the secret, and read it back."""

    async def keep(
        self, name: str, value: Masked, tags: dict[str, str], expires: datetime | None
    ) -> StoredSecret:
        """The same for what a product reads by a name of its own; None: it does not expire."""

    async def retag(self, stored: StoredSecret, tags: dict[str, str]) -> None:
        """Replace the tags of a version."""

    async def disable(self, stored: StoredSecret) -> None: ...
    async def all_versions(self, name: str) -> list[StoredSecret]:
        """Every version, disabled ones too, the newest last; none when there is no such secret."""

    async def remove(self, name: str) -> None:
        """Delete it with all versions; the vault keeps it for its retention, it is never purged.

        One that is gone already is success.
        """

    def reference(self, name: str, version: str) -> str:
        """URL by which people and products refer to that version."""
