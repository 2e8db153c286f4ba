"""What the catalogue shows of a profile."""

from typing import Any

from shared.model.connection import Value
from shared.planning.risk import Tier


class FeatureView(Value, frozen=True, omit_defaults=False):
    """A feature; `auto` defaults are found out in the tenant, and off until then."""

    name: str
    default: bool | str
    about: str


class PermissionView(Value, frozen=True, omit_defaults=False):
    name: str
    resource: str
    kind: str
    risk: Tier  # the way to Global Administrator
    approval: bool  # whether it is held until an approver has approved it
    when: tuple[str, ...]
    advisory: bool
    chosen_by: str = ""  # the input that a request chooses it by
    swap: str = ""  # the narrower permission that a request may accept instead


class RoleView(Value, frozen=True, omit_defaults=False):
    name: str
    privileged: bool  # as Microsoft marks it
    risk: Tier
    approval: bool
    when: tuple[str, ...]
    escalates_to: tuple[str, ...]
    escalation_risk: dict[str, Tier]


class AzureRoleView(Value, frozen=True, omit_defaults=False):
    """A role in Azure, which a person assigns."""

    name: str
    scope: str
    risk: Tier
    when: tuple[str, ...]


class InputView(Value, frozen=True, omit_defaults=False):
    name: str
    type: str
    required: bool
    required_when: tuple[str, ...]
    default: Any
    values: tuple[str, ...]
    min: int | str | None
    max: int | str | None
    about: str


class ProfileLine(Value, frozen=True, omit_defaults=False):
    """A profile in the catalogue."""

    id: str
    title: str
    features: tuple[FeatureView, ...]
    permissions: tuple[PermissionView, ...]
    directory_roles: tuple[RoleView, ...]
    azure_roles: tuple[AzureRoleView, ...]


class ProfileView(ProfileLine, frozen=True, kw_only=True, omit_defaults=False):
    """Everything that a request needs to know."""

    inputs: tuple[InputView, ...]
    outputs: tuple[str, ...]  # labels of the hand-over sheet, or the names that the product reads
    sources: tuple[str, ...]


class ProfileList(Value, frozen=True, omit_defaults=False):
    profiles: tuple[ProfileLine, ...]
