"""Whether a product may still sign in with the secret that a rotation replaced."""

from datetime import datetime

from shared.model.connection import Connection
from shared.model.profile import Profile, references
from shared.planning.overlap import overlap_of, word_of

ACKNOWLEDGED = "ACKNOWLEDGED"
"""Reason of a condition that is somebody's word."""

LAST = 75
"""Per cent of the overlap after which it is time to say something."""


def reads_vault(profile: Profile) -> bool:
    """Whether the product reads the secret by itself: it needs nobody to tell it."""
    return any(
        output.vault_name and "secret.value" in references(output.value)
        for output in profile.outputs
    )


def waits_for_word(profile: Profile, connection: Connection) -> bool:
    """Whether a secret was replaced, and somebody has yet to say that the new one is in use."""
    overlap = overlap_of(connection)
    return overlap is not None and overlap.word is None and not reads_vault(profile)


def in_use(connection: Connection) -> str:
    """What somebody has said of the published secret; empty while nobody has."""
    word, overlap = word_of(connection), overlap_of(connection)
    if word is None:
        return ""
    text = f"{word.by} says that version {word.version} of the secret is in use."
    return (
        text
        if overlap is None
        else f"{text} The one before it is removed after {_at(overlap.ends)}."
    )


def stale_copy(profile: Profile, connection: Connection, now: datetime) -> str:
    """What to tell while nobody has said that the new secret is in use; empty before that."""
    credential, overlap = connection.credential, overlap_of(connection)
    if credential is None or not credential.previous_key_id or overlap is None:
        return ""
    if not waits_for_word(profile, connection) or now < overlap.after(LAST):
        return ""
    return (
        f"Vault version {credential.vault_version} is current, and nobody has said that the "
        f"product signs in with it; the secret before it is removed on {overlap.ends:%Y-%m-%d}. "
        "Enter the new one into the product, then acknowledge it (POST "
        ".../handover/acknowledgement)."
    )


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
