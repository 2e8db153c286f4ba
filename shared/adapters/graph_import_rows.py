"""The parts of Graph's entities that imports read beside users and groups."""

from typing import Any

import msgspec

from shared.adapters.graph_rows import Row
from shared.model.imports import AccessPolicy


class RegistrationRow(Row, frozen=True):
    """Of userRegistrationDetails; its id is the user's."""

    id: str
    is_mfa_registered: bool = False


class FoundPage(Row, frozen=True):
    """What getByIds answers."""

    value: list["FoundRow"]


class FoundRow(Row, frozen=True):
    id: str


class CountedPage(Row, frozen=True):
    """A page of which only the size of the whole list matters."""

    count: int = msgspec.field(name="@odata.count")


class ApplicationsRow(Row, frozen=True):
    include_applications: tuple[str, ...] = ()
    exclude_applications: tuple[str, ...] = ()


class UsersRow(Row, frozen=True):
    include_users: tuple[str, ...] = ()
    exclude_users: tuple[str, ...] = ()
    include_groups: tuple[str, ...] = ()
    include_roles: tuple[str, ...] = ()


class ConditionsRow(Row, frozen=True):
    applications: ApplicationsRow | None = None
    users: UsersRow | None = None
    client_app_types: tuple[str, ...] = ()


class PolicyRow(Row, frozen=True):
    """Of conditionalAccessPolicy."""

    id: str
    state: str
    display_name: str | None = None
    conditions: ConditionsRow | None = None
    grant_controls: dict[str, Any] | None = None

    def value(self) -> AccessPolicy:
        conditions = self.conditions or ConditionsRow()
        applications = conditions.applications or ApplicationsRow()
        users = conditions.users or UsersRow()
        return AccessPolicy(
            id=self.id,
            name=self.display_name or self.id,
            state=self.state,
            controls=self.grant_controls is not None,
            client_types=conditions.client_app_types,
            applications=frozenset(applications.include_applications),
            excluded_applications=frozenset(applications.exclude_applications),
            users=frozenset(users.include_users),
            excluded_users=frozenset(users.exclude_users),
            groups=frozenset(users.include_groups),
            roles=frozenset(users.include_roles),
        )
