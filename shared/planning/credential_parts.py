"""What the planners of client secrets decide on, and what they may decide."""

from datetime import datetime, timedelta

from shared.model.connection import Stray, Value
from shared.model.credential import HeldSecret, StoredSecret


class Facts(Value, frozen=True):
    """What directory and vault show. `held` is None while the application is not visible."""

    held: tuple[HeldSecret, ...] | None
    served: StoredSecret | None
    staged: StoredSecret | None
    verified: bool = False  # this delivery has just proven the staged secret
    leftovers: frozenset[str] = frozenset()  # key ids that other operations of ours left here
    strays: tuple[Stray, ...] = ()  # secrets that are none of ours
    refused: bool = False  # a verification found that the served one cannot be used
    noted: str = ""  # key id of the secret published last, as the ledger has it
    noted_previous: str = ""  # and of the one before, until it is retired
    sign_in: bool = True  # whether the service principal is enabled; read in emergencies only

    def lists(self, key_id: str) -> bool:
        return any(secret.key_id == key_id for secret in self.held or ())


class Add(Value, frozen=True):
    name: str
    ends: datetime
    why: str


class Discard(Value, frozen=True):
    """Remove a secret that nobody can use: its value was lost, or it was never published."""

    key_id: str
    why: str = "value-lost"


class Verify(Value, frozen=True):
    """Prove the staged secret against the token endpoint."""


class Publish(Value, frozen=True):
    """Publish the staged secret."""

    previous_key_id: str


class Abandon(Value, frozen=True):
    """Remove a new secret that could not be proven, and leave the published one alone."""

    key_id: str
    code: str  # why it could not


class Keep(Value, frozen=True):
    """The served secret is good; nothing is due."""

    why: str


class Published(Value, frozen=True):
    """This operation's secret is served: note its dates, put the staging copy away."""


class Halt(Value, frozen=True):
    """Disable the service principal: nobody signs in any more, whatever secret they have."""


class Readmit(Value, frozen=True):
    """Enable the service principal again."""


class Purge(Value, frozen=True):
    """Remove a secret that others may know, before the new one is published."""

    key_id: str


class Wait(Value, frozen=True):
    code: str
    message: str
    limit: timedelta = timedelta(minutes=15)


class Ask(Value, frozen=True):
    code: str
    message: str
    remedy: str


Action = Add | Discard | Verify | Publish | Abandon | Keep | Published | Wait | Ask

UrgentAction = Action | Halt | Readmit | Purge
