"""What products sign in with, and how it is written down."""

from enum import StrEnum


class Shape(StrEnum):
    """The form in which the vault holds what a product signs in with."""

    CLIENT_SECRET = "client_secret"  # noqa: S105 - the name of a form, not a password
    PEM = "pem"  # private key and certificate, as text
    PFX = "pfx"  # both as PKCS #12 without a password, in Base64

    @property
    def certificate(self) -> bool:
        return self is not Shape.CLIENT_SECRET

    @property
    def word(self) -> str:
        """For sentences."""
        return "certificate" if self.certificate else "secret"
