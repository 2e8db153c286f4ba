"""The parts of Graph's users, groups and role assignments that discovery reads."""

import msgspec

from shared.adapters.graph_rows import Row
from shared.model.accounts import Account, Origin

USER = "#microsoft.graph.user"
GROUP = "#microsoft.graph.group"

USER_FIELDS = ["id", "userPrincipalName", "displayName", "accountEnabled", "userType", "mail"]
"""Graph leaves out accountEnabled and userType unless they are selected (Graph: List users)."""


class UserRow(Row, frozen=True):
    id: str
    user_principal_name: str | None = None
    display_name: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None
    mail: str | None = None

    def value(self, origin: Origin, *, eligible: bool = False) -> Account:
        name = self.user_principal_name or ""
        # Users from before 2014 have no type; the mark in the name is then all there is.
        guest = "#EXT#" in name if self.user_type is None else self.user_type == "Guest"
        return Account(
            id=self.id,
            user_principal_name=name,
            display_name=self.display_name or "",
            enabled=self.account_enabled is not False,
            guest=guest,
            mail=self.mail or "",
            origins=(origin,),
            eligible=eligible,
        )


class HolderRow(UserRow, frozen=True):
    """A user, group or service principal that holds a role."""

    type: str = msgspec.field(default="", name="@odata.type")

    @property
    def whole(self) -> bool:
        """Whether Graph expanded what a user row needs; it does not promise to."""
        return self.user_principal_name is not None and self.account_enabled is not None


class HoldingRow(Row, frozen=True):
    """A role assignment, or an eligibility for one."""

    principal_id: str
    principal: HolderRow | None = None

    @property
    def holder(self) -> HolderRow:
        """Also when Graph expanded nothing: then of unknown type."""
        return self.principal or HolderRow(id=self.principal_id)


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
