"""The schema of a connector profile, and the rules by which it is read."""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal

import msgspec

from shared.model.directory import GRAPH_APP_ID, Kind

RESOURCES = {"microsoft-graph": GRAPH_APP_ID}
"""Aliases of the APIs that a profile may name."""

AUDIENCES = {
    "single_tenant": "AzureADMyOrg",
    "multi_tenant": "AzureADMultipleOrgs",
    "multi_tenant_and_personal": "AzureADandPersonalMicrosoftAccount",
}


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of a profile's parts: an unknown key is an error with its path."""


class Feature(Strict, frozen=True):
    default: bool | Literal["auto"]
    about: str


class Input(Strict, frozen=True):
    type: Literal["string", "int", "enum", "list", "csv", "map", "uri", "uuid", "duration"]
    required: bool = False
    required_when: tuple[str, ...] = ()
    default: Any = None
    values: tuple[str, ...] = ()
    min: int | str | None = None
    max: int | str | None = None
    pattern: str | None = None
    about: str = ""


class Registration(Strict, frozen=True):
    display_name: str
    audience: Literal["single_tenant", "multi_tenant", "multi_tenant_and_personal"] = (
        "single_tenant"
    )
    platform: Literal["none", "web", "public_native", "spa"] = "none"
    redirect_uris: tuple[str, ...] = ()
    public_client_flows: bool = False
    remove_default_permissions: bool = True


class PermissionSet(Strict, frozen=True):
    kind: Kind
    names: tuple[str, ...]
    resource: str = "microsoft-graph"
    when: tuple[str, ...] = ()
    advisory: bool = False


class Swap(Strict, frozen=True):
    instead_of: str
    use: str
    reason: str
    kind: Kind = Kind.APPLICATION
    when: tuple[str, ...] = ()


class DirectoryRole(Strict, frozen=True):
    role: str
    when: tuple[str, ...] = ()
    escalate_to: tuple[str, ...] = ()


class CredentialPolicy(Strict, frozen=True):
    kind: Literal["client_secret"] = "client_secret"
    display_name: str = "${connection} ${today}"
    lifetime: str = "P180D"
    renew_before: timedelta = timedelta(days=30)
    overlap: timedelta = timedelta(days=7)


class Output(Strict, frozen=True):
    name: str
    label: str
    value: str
    secret: bool = False
    optional: bool = False
    replaces: str = ""  # the guide's step that this line makes needless


class Schedule(Strict, frozen=True):
    recurrence: bool = False
    units: tuple[str, ...] = ()
    start_on_save: bool = False
    default: timedelta | None = None


class DiscoveryPolicy(Strict, frozen=True):
    modes: tuple[Literal["groups", "roles"], ...]
    schedule: Schedule = Schedule()
    result_state: Literal["review", "import", "export"] = "review"


class ImportPolicy(Strict, frozen=True):
    on_import: dict[str, Literal["optional", "required"]] = {}


class Drift(Strict, frozen=True):
    policy: Literal["report", "repair"] = "report"


class Profile(Strict, frozen=True, rename={"import_": "import"}):
    """One product's needs; see docs/profiles.md for the meaning of each key."""

    schema: Literal["connector-profile/v1"]
    id: str
    title: str
    sources: tuple[str, ...]
    registration: Registration
    outputs: tuple[Output, ...]
    features: dict[str, Feature] = {}
    inputs: dict[str, Input] = {}
    permissions: tuple[PermissionSet, ...] = ()
    least_privilege: tuple[Swap, ...] = ()
    directory_roles: tuple[DirectoryRole, ...] = ()
    credential: CredentialPolicy = CredentialPolicy()
    discovery: DiscoveryPolicy | None = None
    import_: ImportPolicy | None = None
    checks: tuple[str, ...] = ("token",)
    drift: Drift = Drift()


def holds(when: Iterable[str], features: Mapping[str, bool]) -> bool:
    """Whether all named features are on; ``!name`` means off."""
    return all(
        not features.get(name[1:], False) if name.startswith("!") else features.get(name, False)
        for name in when
    )


_REFERENCE = re.compile(r"\$\{([a-z_]+(?:\.[a-z_]+)*)\}")


def fill(template: str, values: Mapping[str, str]) -> str:
    """Replace every ``${root.member}``; raises KeyError naming a reference that has no value."""
    return _REFERENCE.sub(lambda match: values[match.group(1)], template)


def references(template: str) -> tuple[str, ...]:
    return tuple(_REFERENCE.findall(template))
