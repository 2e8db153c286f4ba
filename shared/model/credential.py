"""What products sign in with: what the directory holds, what the vault serves, the one type with a
value."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from shared.model.connection import Value
from shared.model.shape import Shape


class SecretRules(Value, frozen=True):
    """What the tenant's app management policy says of client secrets, or certificates, on
    applications."""

    allowed: bool = True
    longest: float | None = None  # days; None without a limit


class Masked:
    """A value that cannot be printed, logged, pickled or encoded.

    Whoever needs it calls `reveal`, and only the adapters of directory, vault and token
    endpoint do.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        return self.__value

    def same(self, other: "Masked") -> bool:
        """Whether both carry the same value, without showing it."""
        return self.__value == other.reveal()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(value=***)"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a secret is never serialised")


class NewSecret(Masked):
    """A client secret, or a certificate with its private key, on its way to the vault.

    `hint` is its beginning as the portal shows it: of a secret's value, of a certificate's
    `thumbprint` (SHA-1, hexadecimal).
    """

    __slots__ = ("ends", "hint", "key_id", "shape", "thumbprint")

    def __init__(
        self,
        *,
        key_id: str,
        ends: datetime,
        hint: str,
        value: str,
        shape: Shape = Shape.CLIENT_SECRET,
        thumbprint: str = "",
    ) -> None:
        super().__init__(value)
        self.key_id = key_id
        self.ends = ends
        self.hint = hint
        self.shape = shape
        self.thumbprint = thumbprint

    def __repr__(self) -> str:
        return f"NewSecret(key_id={self.key_id!r}, value=***)"


class TokenSecret(Masked):
    """An access token, on its way from the token endpoint to the vault."""

    __slots__ = ()

    @property
    def digest(self) -> str:
        """Names the token without telling anything of it."""
        return hashlib.sha256(self.reveal().encode()).hexdigest()[:32]


class HeldSecret(Value, frozen=True):
    """A client secret or certificate as the directory lists it: everything but its value."""

    key_id: str
    name: str
    starts: datetime
    ends: datetime
    hint: str = ""
    certificate: bool = False


class StoredSecret(Value, frozen=True):
    """The current version of a secret in the vault: tags and dates, not the value."""

    name: str
    version: str
    key_id: str  # of the directory's credential that it belongs to
    operation: str
    created: datetime
    expires: datetime | None
    enabled: bool
    hint: str = ""
    previous_key_id: str = ""
    verified: bool = False  # staging only: proven against the token endpoint
    shape: Shape = Shape.CLIENT_SECRET
    thumbprint: str = ""  # of a certificate
    tags: dict[str, str] = msgspec.field(default_factory=dict)

    @property
    def refused(self) -> str:
        """Staging only: the code of why it could not be proven, to the end of all waiting."""
        return self.tags.get("refused", "")


class TokenFacts(Value, frozen=True):
    """What a token obtained with a secret says; it carries the roles of one API only."""

    roles: frozenset[str]
    app_id: str
    tenant_id: str


class ReadFacts(Value, frozen=True):
    """One read made with a token of the connection's own."""

    allowed: bool
    roles: frozenset[str] = frozenset()  # that the token held
    said: str = ""  # Graph's status, code and message, which may be empty
    signed_in: bool = True  # otherwise there was no token to read with


class IssuedToken(Value, frozen=True):
    """An access token as the token endpoint answered it."""

    token: TokenSecret
    token_type: str
    expires_in: int  # seconds from when it was issued
    ext_expires_in: int  # the same while the token endpoint is unwell
    scope: str  # as it was asked for


class FederatedTrust(Value, frozen=True):
    """A federated identity credential: whose tokens the application accepts as its own.

    It takes the place of a secret. `id` is empty until the directory has it.
    """

    name: str
    issuer: str
    subject: str
    audiences: tuple[str, ...]
    description: str = ""
    id: str = ""
