"""What a connection is to do by itself from now on: imports, and the product's sign-in.

Apart from the other values of imports, because a connection holds these.
"""

from datetime import datetime

import msgspec

Option = str | bool | int


class ImportRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to import, as the product's import dialog asks it; a schedule keeps one as it was.

    `users` and `groups` are names, `group_ids` ticked groups, `account_ids` discovered accounts.
    """

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    account_ids: tuple[str, ...] = ()
    everyone: bool = False
    roles: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # user principal name: the product's role, of newly imported users
    options: dict[str, Option] = msgspec.field(
        default_factory=dict
    )  # of the product's import command
    every: str | None = None  # ISO 8601, then it becomes a schedule; empty: once; None: not said

    def names_anybody(self) -> bool:
        named = self.users or self.groups or self.group_ids or self.account_ids
        return bool(named) or self.everyone


class ImportSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """The synchronisation of a connection; when it is due next is in the due index."""

    every: str
    request: ImportRequest
    made: datetime
    by: str = ""
    operation: str = ""  # the import that it comes from
    enabled: bool = True


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """Whether people sign in to the product with the tenant's passwords, since somebody said so."""

    enabled: bool
    at: datetime
    by: str
