"""Whether a product may still sign in with the secret that a rotation replaced."""

from datetime import datetime

from shared.model.connection import Credential
from shared.model.profile import Profile, references

LAST = 4
"""The last fourth of the overlap is when it is time to say something."""


def stale_copy(profile: Profile, credential: Credential | None, now: datetime) -> str:
    """What to tell while nobody has said that the new secret is in use; empty before that.

    Products that read the vault by themselves need nobody to tell them.
    """
    if credential is None or not credential.previous_key_id or credential.overlap_until is None:
        return ""
    if any(out.vault_name and "secret.value" in references(out.value) for out in profile.outputs):
        return ""
    over = credential.overlap_until
    if now < over - (over - credential.published) / LAST:
        return ""
    return (
        f"Vault version {credential.vault_version} is current, and nobody has said that the "
        f"product signs in with it; the secret before it is removed on {over:%Y-%m-%d}. Enter the "
        "new one into the product, then acknowledge it (POST .../handover/acknowledgement)."
    )
