"""The parts of Graph's users, groups and role assignments that discovery reads."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from shared.adapters.graph_rows import Row
from shared.model.accounts import EVERYWHERE, Account, Origin
from shared.planning.reasons import Holding

MODEL = "#microsoft.graph."
USER = "#microsoft.graph.user"
GROUP = "#microsoft.graph.group"

USER_FIELDS = [
    "id",
    "userPrincipalName",
    "displayName",
    "accountEnabled",
    "userType",
    "mail",
    "onPremisesSyncEnabled",
]
"""Graph leaves out accountEnabled, userType and onPremisesSyncEnabled unless they are selected.

Source: Graph v1.0 "List users".
"""

NOTHING: dict[str, Any] = {}
"""Attributes of whoever has none; shared, as rows are never changed."""


class UserRow(Row, frozen=True, gc=False):
    """Not for the garbage collector: a row holds nothing that could hold it."""

    id: str
    user_principal_name: str | None = None
    display_name: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    mail: str | None = None
    on_premises_sync_enabled: bool | None = None

    def value(self, origins: tuple[Origin, ...], *, eligible: bool = False) -> Account:
        return accounts((self,), origins, eligible=eligible)[0]


def accounts(
    rows: Iterable[UserRow],
    origins: tuple[Origin, ...],
    chosen: Callable[[Any], dict[str, Any]] | None = None,
    *,
    eligible: bool = False,
) -> list[Account]:
    """Accounts of *rows*; *chosen* makes their attributes.

    One expression without calls: of a large tenant's scan it is where the time goes.
    """
    return [
        Account(
            id=row.id,
            user_principal_name=row.user_principal_name or "",
            display_name=row.display_name or "",
            enabled=row.account_enabled is not False,
            # Users from before 2014 have no type; the mark in the name is then all there is.
            guest=row.user_type == "Guest"
            or (row.user_type is None and "#EXT#" in (row.user_principal_name or "")),
            mail=row.mail or "",
            origins=origins,
            eligible=eligible,
            attributes=chosen(row) if chosen else NOTHING,
            synced=row.on_premises_sync_enabled is True,
        )
        for row in rows
    ]


class HolderRow(UserRow, frozen=True, gc=False):
    """A user, group or service principal that is in a group or holds a role."""

    type: str = msgspec.field(default="", name="@odata.type")

    @property
    def whole(self) -> bool:
        """Whether Graph expanded what a user row needs; it does not promise to."""
        return self.user_principal_name is not None and self.account_enabled is not None


class HoldingRow(Row, frozen=True, gc=False):
    """A role assignment, or an eligibility for one; only the latter has dates."""

    principal_id: str
    role_definition_id: str
    directory_scope_id: str | None = None
    principal: HolderRow | None = None
    start_date_time: datetime | None = None
    end_date_time: datetime | None = None

    @property
    def holder(self) -> HolderRow:
        """Also when Graph expanded nothing: then of unknown type."""
        return self.principal or HolderRow(id=self.principal_id)

    def value(self, *, eligible: bool) -> Holding:
        return Holding(
            principal=self.principal_id,
            role=self.role_definition_id,
            scope=self.directory_scope_id or EVERYWHERE,
            eligible=eligible,
            since=self.start_date_time,
            until=self.end_date_time,
        )


class RoleIdRow(Row, frozen=True):
    role_definition_id: str


class RoleRow(Row, frozen=True):
    """A role definition; built-in ones have the template's id."""

    id: str
    display_name: str | None = None
    template_id: str | None = None

    def origin(self) -> Origin:
        return Origin(kind="role", id=self.id, name=self.display_name or self.id)


class GroupRow(Row, frozen=True):
    id: str
    display_name: str | None = None

    def origin(self) -> Origin:
        return Origin(kind="group", id=self.id, name=self.display_name or self.id)
