"""Who calls the API, and what they may do."""

from enum import StrEnum

from shared.model.connection import Value


class Role(StrEnum):
    """App roles of the API's registration: values of the claim ``roles``."""

    READER = "Keyturn.Reader"
    OPERATOR = "Keyturn.Operator"
    APPROVER = "Keyturn.Approver"


INCLUDED = {
    Role.READER: frozenset({Role.READER}),
    Role.OPERATOR: frozenset({Role.OPERATOR, Role.READER}),
    # Whoever approves reads what it is about, but does not ask for it.
    Role.APPROVER: frozenset({Role.APPROVER, Role.READER}),
}
"""What each role allows."""


class Caller(Value, frozen=True):
    """A caller as the platform vouches for it; `id` is empty when nobody does."""

    name: str  # as the audit history shows it
    id: str = ""  # object id of the user or service principal
    roles: frozenset[Role] = frozenset()

    def may(self, role: Role) -> bool:
        return any(role in INCLUDED[held] for held in self.roles)


KEY_HOLDER = Caller(name="function-key", roles=frozenset({Role.OPERATOR}))
"""Anybody with a function key, where the platform does not say who calls: never an approver."""
