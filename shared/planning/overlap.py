"""The time in which a replaced secret still works: how long, and when people hear of it.

What a person says of it is kept apart from the credential's dates, so that neither a rotation nor
the word undoes the other; here both are put together.
"""

from datetime import datetime

import msgspec

from shared.model.connection import Connection, Credential, Takeover, Value
from shared.model.credential import StoredSecret
from shared.planning.credentials import SETTLE

REMINDERS = (50, 80)
"""Per cent of the overlap after which people are reminded, unless they have acknowledged."""


class Overlap(Value, frozen=True):
    """From when to when the secret before the published one works beside it."""

    begins: datetime
    ends: datetime
    word: Takeover | None = None  # that the product uses the published one
    earlier: datetime | None = None  # end for what was replaced before the previous one

    def after(self, percent: int) -> datetime:
        return self.begins + (self.ends - self.begins) * percent / 100

    def used(self, now: datetime) -> float:
        """Share of it that is over, from 0 to 1."""
        if self.ends <= self.begins:
            return 1.0
        return min(max((now - self.begins) / (self.ends - self.begins), 0.0), 1.0)


def word_of(connection: Connection) -> Takeover | None:
    """The word that the product uses the published secret; none for an earlier version."""
    word, credential = connection.takeover, connection.credential
    if word is None or credential is None or word.version != credential.vault_version:
        return None
    return word


def present(connection: Connection) -> Credential | None:
    """The published credential, its overlap as short as an acknowledgement has made it.

    The new secret is left to settle in any case: what is so young may not be known everywhere.
    """
    credential, word = connection.credential, word_of(connection)
    if credential is None or word is None or credential.overlap_until is None:
        return credential
    early = max(word.at, credential.published + SETTLE)
    return msgspec.structs.replace(
        credential,
        overlap_until=min(credential.overlap_until, early),
        earlier_until=min(credential.earlier_until or early, early),
    )


def earlier_until(connection: Connection, served: StoredSecret) -> datetime | None:
    """When the overlap of what the previous secret had replaced is over, once *served* is noted.

    A rotation within an overlap leaves that one as it was: where secrets are short-lived, each
    rotation would otherwise keep all before it. None where the ledger does not know.
    """
    known = present(connection)
    if known is None:
        return None
    if known.key_id == served.key_id:
        return known.earlier_until
    return known.overlap_until if known.key_id == served.previous_key_id else None


def overlap_of(connection: Connection) -> Overlap | None:
    """None where no secret is left that the published one has replaced."""
    credential = present(connection)
    if credential is None or credential.overlap_until is None:
        return None
    return Overlap(
        begins=credential.published,
        ends=credential.overlap_until,
        word=word_of(connection),
        earlier=credential.earlier_until,
    )


def reminder_due(overlap: Overlap, now: datetime) -> int | None:
    """The reminder that it is time for, in per cent; the later one when a sweep was late."""
    if overlap.word is not None or not overlap.begins < now < overlap.ends:
        return None
    return max((p for p in REMINDERS if now >= overlap.after(p)), default=None)


def next_look(overlap: Overlap, now: datetime) -> datetime | None:
    """When there is something to do: the next reminder, or the end; None once it is over."""
    times = [overlap.ends, *([overlap.earlier] if overlap.earlier else [])]
    if overlap.word is None:
        times += [overlap.after(percent) for percent in REMINDERS]
    return min((time for time in times if time > now), default=None)
