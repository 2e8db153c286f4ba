"""The schema of a connector profile, and the rules by which it is read."""

from typing import Literal

import msgspec

from shared.model.profile.access import (
    AUDIENCES,
    RESOURCES,
    RETIRED,
    AzureRole,
    DirectoryRole,
    ExternalGrant,
    PermissionSet,
    Registration,
    ServicePrincipalOptions,
    Swap,
)
from shared.model.profile.credential import CredentialPolicy, TokenBroker
from shared.model.profile.discovery import (
    Delta,
    DiscoveryPolicy,
    Drift,
    ImportPolicy,
    Schedule,
    Skip,
)
from shared.model.profile.handover import Note, Output, Precondition
from shared.model.profile.request import Feature, Input
from shared.model.profile.strict import Strict
from shared.model.profile.templates import fill, holds, references

__all__ = [
    "AUDIENCES",
    "RESOURCES",
    "RETIRED",
    "AzureRole",
    "Check",
    "CredentialPolicy",
    "Delta",
    "DirectoryRole",
    "DiscoveryPolicy",
    "Drift",
    "ExternalGrant",
    "Feature",
    "ImportPolicy",
    "Input",
    "Note",
    "Output",
    "PermissionSet",
    "Precondition",
    "Profile",
    "Registration",
    "Schedule",
    "ServicePrincipalOptions",
    "Skip",
    "Swap",
    "TokenBroker",
    "fill",
    "holds",
    "references",
]

Check = Literal[
    "token",
    "list_users",
    "list_groups",
    "list_role_assignments",
    "reset_trial",
    "ropc_ready",
    "devops_membership",
]


class Profile(Strict, frozen=True, rename={"import_": "import"}):
    """One product's needs; see docs/profiles.md for the meaning of each key."""

    schema: Literal["connector-profile/v1"]
    id: str
    title: str
    sources: tuple[str, ...]
    registration: Registration
    outputs: tuple[Output, ...]
    facts: Literal["complete", "partial"] = "complete"
    features: dict[str, Feature] = msgspec.field(default_factory=dict)
    inputs: dict[str, Input] = msgspec.field(default_factory=dict)
    permissions: tuple[PermissionSet, ...] = ()
    least_privilege: tuple[Swap, ...] = ()
    directory_roles: tuple[DirectoryRole, ...] = ()
    azure_roles: tuple[AzureRole, ...] = ()
    external_grants: tuple[ExternalGrant, ...] = ()
    credential: CredentialPolicy = CredentialPolicy()
    token_broker: TokenBroker | None = None
    discovery: DiscoveryPolicy | None = None
    import_: ImportPolicy | None = None
    preconditions: tuple[Precondition, ...] = ()
    notes: tuple[Note, ...] = ()
    checks: tuple[Check, ...] = ("token",)
    drift: Drift = Drift()
