"""By product and case: the request, and the tenant as the vendor's guide would leave it.

Ids are those of Microsoft's own APIs and roles, which are the same in every tenant.
"""

from dataclasses import dataclass, field
from typing import Any

GRAPH = "00000003-0000-0000-c000-000000000000"
ROLE, SCOPE = "Role", "Scope"
"""Graph's words for application and delegated permissions."""

GROUP_READ = (GRAPH, ROLE, "5b567255-7703-4780-807c-7be8301ae99b")
USER_READ = (GRAPH, ROLE, "df021288-bdef-4463-88db-98f22de89214")
PASSWORD_PROFILE = (GRAPH, ROLE, "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7")
ROLES_WRITE = (GRAPH, ROLE, "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8")
ROLES_READ = (GRAPH, ROLE, "483bed4a-2ad3-4361-a73b-c83ccdbdc53c")
DIRECTORY_READ = (GRAPH, ROLE, "7ab1d382-f21e-4acd-a863-ba3e13f7da61")
DIRECTORY_WRITE = (GRAPH, ROLE, "19dbc75e-c2e2-444c-a770-ec69d8559fc7")
DIRECTORY_READ_DELEGATED = (GRAPH, SCOPE, "06da0dbc-49e2-44d2-8312-53f166ab848a")
DIRECTORY_AS_USER = (GRAPH, SCOPE, "0e263e50-5827-48a4-b97c-d940288653c7")
HELPDESK = "729827e3-9c14-49f7-bb1b-9608f156bbb8"

Permission = tuple[str, str, str]
"""API, kind and id."""


@dataclass(frozen=True)
class Expected:
    """One case of a product; `scopes` are the delegated permissions of the one grant for all.

    `secret_name` is what the guide calls the secret, where it names one.
    """

    profile: str
    inputs: dict[str, Any]
    display_name: str
    features: dict[str, bool] = field(default_factory=dict)
    accept_swaps: tuple[str, ...] = ()
    audience: str = "AzureADMyOrg"
    public_client: bool = False
    web_redirects: tuple[str, ...] = ()
    native_redirects: tuple[str, ...] = ()
    permissions: frozenset[Permission] = frozenset()
    scopes: frozenset[str] = frozenset()
    roles: tuple[str, ...] = ()
    secret_days: int = 180
    secret_name: str = ""
    labels: tuple[str, ...] = ()

    def body(self, name: str) -> dict[str, Any]:
        """The request for a connection of that name, whatever is risky about it approved."""
        return {
            "name": name,
            "profile": self.profile,
            "features": self.features,
            "inputs": self.inputs,
            "accept_swaps": list(self.accept_swaps),
            "owner": "ana@contoso.example",
            "approval": {"reason": "reviewed"},
        }

    @property
    def granted(self) -> frozenset[Permission]:
        """Application permissions, each of which is one app role assignment."""
        return frozenset(p for p in self.permissions if p[1] == ROLE)


DEVOLUTIONS = {"provider_name": "DVLS PAM", "config_name": "nightly"}
DEVOLUTIONS_LABELS = ("Name", "Tenant ID", "Client ID", "Secret key")
DIRECTORY = frozenset({DIRECTORY_READ, DIRECTORY_READ_DELEGATED, DIRECTORY_AS_USER})
DIRECTORY_SCOPES = frozenset({"Directory.Read.All", "Directory.AccessAsUser.All"})
NETWRIX = {"organization": "Contoso", "connection_id": "MicrosoftEntraIDExport"}
NETWRIX_LABELS = ("ApplicationId", "ApplicationKey", "TenantId", "Connections")

CASES = {
    "devolutions-server": Expected(
        profile="devolutions-server",
        inputs=DEVOLUTIONS,
        display_name="DVLS PAM",
        permissions=frozenset({GROUP_READ, ROLES_WRITE, USER_READ, PASSWORD_PROFILE}),
        roles=(HELPDESK,),
        labels=DEVOLUTIONS_LABELS,
    ),
    "devolutions-server, less than the vendor asks": Expected(
        profile="devolutions-server",
        inputs=DEVOLUTIONS,
        display_name="DVLS PAM",
        accept_swaps=("RoleManagement.ReadWrite.Directory",),
        permissions=frozenset({GROUP_READ, ROLES_READ, USER_READ, PASSWORD_PROFILE}),
        roles=(HELPDESK,),
        labels=DEVOLUTIONS_LABELS,
    ),
    "devolutions-server, rotation only": Expected(
        profile="devolutions-server",
        inputs={"provider_name": "DVLS PAM"},
        features={"discovery": False},
        display_name="DVLS PAM",
        roles=(HELPDESK,),
        labels=DEVOLUTIONS_LABELS,
    ),
    "pam360": Expected(
        profile="pam360",
        inputs={"domain": "contoso.onmicrosoft.com"},
        display_name="PAM360",
        public_client=True,
        permissions=DIRECTORY,
        scopes=DIRECTORY_SCOPES,
        secret_days=365,
        labels=("Tenant ID", "Client ID", "Client Secret"),
    ),
    "pam360, with its address and a stored account": Expected(
        profile="pam360",
        inputs={
            "domain": "contoso.onmicrosoft.com",
            "redirect_uri": "https://pam.contoso.example:8282/",
            "resource_name": "Entra application",
            "account_name": "pam360",
        },
        features={"stored_account": True},
        display_name="PAM360",
        public_client=True,
        native_redirects=("https://pam.contoso.example:8282/",),
        permissions=DIRECTORY,
        scopes=DIRECTORY_SCOPES,
        secret_days=365,
        labels=("Tenant ID", "Client ID", "Client Secret", "Resource Name", "Account Name"),
    ),
    "password-manager-pro": Expected(
        profile="password-manager-pro",
        inputs={"domain": "contoso.onmicrosoft.com"},
        display_name="Password Manager Pro",
        public_client=True,
        permissions=DIRECTORY,
        scopes=DIRECTORY_SCOPES,
        secret_days=365,
        labels=("Tenant ID", "CLIENT ID", "Client Secret"),
    ),
    "pandium": Expected(
        profile="pandium",
        inputs={"scope": "microsoft-graph"},
        display_name="Pandium {name}",
    ),
    "netwrix-identity-manager": Expected(
        profile="netwrix-identity-manager",
        inputs=NETWRIX,
        display_name="Identity Manager Contoso",
        permissions=frozenset({DIRECTORY_READ}),
        secret_days=365,
        secret_name="Identity Manager Contoso Secret",
        labels=NETWRIX_LABELS,
    ),
    "netwrix-identity-manager, with fulfilment": Expected(
        profile="netwrix-identity-manager",
        inputs=NETWRIX,
        features={"fulfilment": True},
        display_name="Identity Manager Contoso",
        permissions=frozenset({DIRECTORY_WRITE}),
        secret_days=365,
        labels=NETWRIX_LABELS,
    ),
    "netwrix-identity-manager, with a response URI": Expected(
        profile="netwrix-identity-manager",
        inputs={**NETWRIX, "response_uri": "https://agent.contoso.example/signin"},
        display_name="Identity Manager Contoso",
        web_redirects=("https://agent.contoso.example/signin",),
        permissions=frozenset({DIRECTORY_READ}),
        secret_days=365,
        secret_name="Identity Manager Contoso Secret",
        labels=NETWRIX_LABELS,
    ),
}
"""`{name}` in a display name stands for the connection's."""
