"""How the product proves who it is."""

from datetime import timedelta
from typing import Literal

from shared.model.profile.strict import Strict
from shared.model.shape import Shape


class CredentialPolicy(Strict, frozen=True):
    """Client secret, certificate, or federated credential (no secret at all).

    A certificate's key pair is made by Keyturn and kept in the vault as `format` says. With
    `external_when` somebody else rotates: Keyturn only reports. `issuer`, `subject`, `name`,
    `description` and `audience` are those of a federated credential. With `prestage`
    the next one is always there, staged and proven: a rotation publishes it at once.
    """

    kind: Literal["client_secret", "certificate", "federated"] = "client_secret"
    format: Literal["pem", "pfx"] = "pem"
    display_name: str = "${connection} ${today}"
    lifetime: str = "P180D"
    renew_before: timedelta = timedelta(days=30)
    overlap: timedelta = timedelta(days=7)
    warn_before: tuple[timedelta, ...] = (
        timedelta(days=30),
        timedelta(days=14),
        timedelta(days=3),
    )
    prestage: bool = False
    external_when: tuple[str, ...] | None = None
    issuer: str = ""
    subject: str = ""
    name: str = ""
    description: str = ""
    audience: str = "api://AzureADTokenExchange"

    @property
    def shape(self) -> Shape:
        """How the vault holds what the product signs in with; of no meaning where `kept` is no."""
        return Shape(self.format) if self.kind == "certificate" else Shape.CLIENT_SECRET

    @property
    def kept(self) -> bool:
        """Whether Keyturn makes, keeps and rotates something that the product signs in with."""
        return self.kind != "federated"


class TokenBroker(Strict, frozen=True):
    """For products that want an access token: it is kept fresh in the vault."""

    grant: Literal["client_credentials"]
    scope: str
    refresh_before: timedelta = timedelta(minutes=10)
