"""How the product proves who it is."""

from datetime import timedelta
from typing import Literal

from shared.model.profile.strict import Strict


class CredentialPolicy(Strict, frozen=True):
    """Client secret, certificate, or federated credential (no secret at all).

    With `external_when` somebody else rotates: Keyturn only reports. `issuer`, `subject`,
    `name`, `description` and `audience` are those of a federated credential.
    """

    kind: Literal["client_secret", "certificate", "federated"] = "client_secret"
    display_name: str = "${connection} ${today}"
    lifetime: str = "P180D"
    renew_before: timedelta = timedelta(days=30)
    overlap: timedelta = timedelta(days=7)
    external_when: tuple[str, ...] | None = None
    issuer: str = ""
    subject: str = ""
    name: str = ""
    description: str = ""
    audience: str = "api://AzureADTokenExchange"


class TokenBroker(Strict, frozen=True):
    """For products that want an access token: it is kept fresh in the vault."""

    grant: Literal["client_credentials"]
    scope: str
    refresh_before: timedelta = timedelta(minutes=10)
