"""The parts of Graph's users, groups and role assignments that discovery reads."""

from datetime import datetime

import msgspec

from shared.adapters.graph_rows import Row
from shared.model.accounts import EVERYWHERE, Origin
from shared.model.listed import UserRow
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
