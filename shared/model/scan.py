"""How far a run of discovery is: what of it survives a crash, and what waits for a person."""

from datetime import datetime
from typing import Literal

import msgspec

from shared.model.connection import Value

Removals = Literal["apply", "hold"]
"""What becomes of rows that a run no longer found: they go, or a person is asked first."""


class SourceProgress(Value, frozen=True):
    """One source of a run: a kind of entities, a group, a role, the memberships of all groups."""

    key: str  # Reading.key, or "group/<id>", "role/<id>"
    kind: str  # these three as in `accounts.Source`
    id: str
    name: str
    state: str = "waiting"  # waiting | reading | complete | failed
    full: bool = True  # False: only what is new since the cookie that it went on from
    link: str = ""  # page to go on from
    pages: int = 0
    rows: int = 0
    restarts: int = 0
    cookie: str = ""  # delta link to keep when the run is published
    why: str = ""  # it is read in full
    reason: str = ""  # CODE: message, of a failed one
    missing: str = ""  # permission or licence that it lacks
    skipped: dict[str, int] = msgspec.field(default_factory=dict)  # reason: rows left out

    @property
    def voucher(self) -> str:
        return voucher(self.key)


class Progress(Value, frozen=True):
    """A run that is going on; stored with what it has staged so far."""

    operation: str
    connection: str
    started: datetime
    sources: tuple[SourceProgress, ...]
    requests: int = 0
    throttled: int = 0  # requests that Graph refused for a while
    units: int = 0  # resource units that its requests cost
    shown: bool = False  # what it found is published already, and a report is still read


class Losses(Value, frozen=True, omit_defaults=False):
    """What publishing a run would take away: rows that no source vouches for any more."""

    accounts: int = 0
    entities: dict[str, int] = msgspec.field(default_factory=dict)  # kind: how many
    links: int = 0  # besides those that go with an object at either end
    sources: dict[str, int] = msgspec.field(default_factory=dict)
    """Voucher: rows that it vouched for and does not name any more."""
    before: dict[str, int] = msgspec.field(default_factory=dict)
    """Of chosen sources among these: rows that it vouched for before."""

    @property
    def rows(self) -> int:
        """Each as often as sources named it: one that loses a reason to be there counts too."""
        return sum(self.sources.values())


APPROVE, DROP = "approve", "drop"
"""What a person may decide: the held rows go, or stay until a run decides anew."""


class Held(Value, frozen=True, omit_defaults=False):
    """Removals that wait for a person's word; their rows stay in the snapshot meanwhile."""

    operation: str  # the last one that held any
    since: datetime  # when the first of them was held
    losses: Losses


CHOSEN = "/"
"""In the voucher of a group, a role or a user who was chosen: there may be many of these."""


def family(voucher: str) -> str:
    """What stands for any number of chosen sources of one kind; another voucher for itself."""
    kind, chosen, _ = voucher.partition(CHOSEN)
    return f"{kind}{chosen}"


def voucher(source_key: str) -> str:
    """What of a source's key says who vouches for a row; it outlives another selection."""
    return source_key.partition("?")[0]
