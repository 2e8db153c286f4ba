"""Client secrets: what the directory holds, what the vault serves, the one type with a value."""

from datetime import datetime
from typing import Any

from shared.model.connection import Value


class NewSecret:
    """A secret with its value, on its way from the directory to the vault.

    The only type that carries a value. It cannot be printed, logged, pickled or encoded:
    whoever needs the value calls `reveal`, and only the adapters of directory, vault and
    token endpoint do.
    """

    __slots__ = ("__value", "ends", "hint", "key_id")

    def __init__(self, *, key_id: str, ends: datetime, hint: str, value: str) -> None:
        self.key_id = key_id
        self.ends = ends
        self.hint = hint
        self.__value = value

    def reveal(self) -> str:
        return self.__value

    def __repr__(self) -> str:
        return f"NewSecret(key_id={self.key_id!r}, value=***)"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("a secret is never serialised")


class HeldSecret(Value, frozen=True):
    """A client secret as the directory lists it: everything but its value."""

    key_id: str
    name: str
    starts: datetime
    ends: datetime
    hint: str = ""


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
