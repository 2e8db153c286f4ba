"""What an application is registered as, and what it is allowed."""

from typing import Literal

from shared.model.directory import GRAPH_APP_ID, Kind
from shared.model.profile.strict import Strict

RESOURCES = {
    "microsoft-graph": GRAPH_APP_ID,
    "microsoft-teams": GRAPH_APP_ID,  # the guides name the services, Graph is their API
    "microsoft-365": GRAPH_APP_ID,
    "azure-devops": "499b84ac-1321-427f-aa17-267ca6975798",
    "azure-resource-manager": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    "azure-storage": "e406a681-f3d4-42a8-90b6-c2b029497af1",
    "azure-sql": "022907d3-0f1b-48f7-badc-1ba6abab6d66",
    "business-central": "996def3d-b36c-4153-8607-a6fd3c01b89f",
    "azure-key-vault": "cfa8b339-82a2-471a-a3c9-0fc0be7a4093",
    "exchange-online": "00000002-0000-0ff1-ce00-000000000000",
    "sharepoint-online": "00000003-0000-0ff1-ce00-000000000000",
    "o365-management": "c5393580-f805-4401-95e8-94b7a6ef2fc2",
}
"""Aliases of the APIs that a profile may name: their application ids, the same in every tenant."""

RETIRED = "00000002-0000-0000-c000-000000000000"
"""Azure AD Graph, which Microsoft has retired: no profile may ask for it."""

Audience = Literal["single_tenant", "multi_tenant", "multi_tenant_and_personal"]

AUDIENCES: dict[Audience, str] = {
    "single_tenant": "AzureADMyOrg",
    "multi_tenant": "AzureADMultipleOrgs",
    "multi_tenant_and_personal": "AzureADandPersonalMicrosoftAccount",
}


class ServicePrincipalOptions(Strict, frozen=True):
    """`visible` false hides it from users (tag HideApp)."""

    assignment_required: bool = False
    visible: bool = True


class Registration(Strict, frozen=True):
    """The application. A non-empty `existing` is the client id of one to adopt.

    `platform` only chooses which list the redirect URIs go to; entries that come out empty are
    dropped. Without `remove_default_permissions` the portal's User.Read is tolerated.
    """

    display_name: str
    existing: str = ""
    audience: Audience = "single_tenant"
    platform: Literal["none", "web", "public_native", "spa"] = "none"
    redirect_uris: tuple[str, ...] = ()
    public_client_flows: bool = False
    remove_default_permissions: bool = True
    owners: tuple[str, ...] = ()
    sp: ServicePrincipalOptions = ServicePrincipalOptions()


class PermissionSet(Strict, frozen=True):
    """Permissions of one API; either `names`, or `names_from` a list input with fixed values."""

    kind: Kind
    names: tuple[str, ...] = ()
    names_from: str = ""
    resource: str = "microsoft-graph"  # an alias, or a template that gives one
    when: tuple[str, ...] = ()
    advisory: bool = False


class Swap(Strict, frozen=True):
    """A narrower permission: offered, and used only when a request accepts it."""

    instead_of: str
    use: str
    reason: str
    kind: Kind = Kind.APPLICATION
    when: tuple[str, ...] = ()


class DirectoryRole(Strict, frozen=True):
    """A role in Entra ID; the first of `escalate_to` that suffices may be proposed instead."""

    role: str
    when: tuple[str, ...] = ()
    escalate_to: tuple[str, ...] = ()


class AzureRole(Strict, frozen=True):
    """A role in Azure at a scope; ``tenant_root_group`` is the whole tenant's."""

    role: str
    scope: str
    when: tuple[str, ...] = ()


class ExternalGrant(Strict, frozen=True):
    """Membership outside Entra ID: the service principal as a user of an organisation."""

    type: Literal["azure_devops_user"]
    org: str
    object_id: str
    license: str
    projects: str
    when: tuple[str, ...] = ()
