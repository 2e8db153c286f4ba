"""Messages between steps, and the events that the outside world may subscribe to."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.errors import Doubt, NeedsHuman, TryLater
from shared.model.connection import KINDS, Value

VERSION = "keyturn/v1"

BUSY = "BUSY"
"""Another step has the connection's turn, or its last write is too recent: no condition."""

RESUME = "resume"
"""Due kind of operations in flight."""

LONGEST = timedelta(hours=3)
"""That a step may wait in all, however its reasons take turns."""

CHAIN: dict[str, tuple[str, ...]] = {
    "onboard": (
        "registration",
        "consent",
        "roles",
        "credentials",
        "verification",
        "broker",
        "discovery",
        "report",
    ),
    "rotate": ("credentials", "verification", "broker", "report"),
    "emergency": ("credentials", "retirement", "verification", "broker", "report"),
    "verify": ("verification", "report"),
    "discover": ("discovery", "report"),
    "import": ("imports",),
    "token": ("broker",),
    "retire": ("retirement",),
    "prestage": ("credentials",),
    "offboard": ("offboarding",),
}
"""The steps of each kind of operation, in order."""


STEPS = frozenset(step for chain in CHAIN.values() for step in chain)
"""Of all chains. Their queues have their names, and give one message of a connection at a time."""


class StepMessage(Value, frozen=True, omit_defaults=False, rename="camel"):
    """Asks a step to work on a connection; the queue says which step.

    It carries names, never facts that may have changed and never a secret value: a step
    reads what it needs. Fields are only ever added, with defaults. No name may equal one
    of the trigger metadata (`MessageId`, `DeliveryCount`, ...), which a JSON body overlays.
    """

    kind: str  # kind of operation
    connection: str
    operation: str
    attempt: int = 1
    waiting_since: datetime | None = None  # first attempt of the present step
    waiting_for: str = ""  # the reason of the last attempt, other than being busy
    reason_since: datetime | None = None  # first attempt that had this reason
    doubt: str = ""  # what the last look found wrong; an attempt that could not look keeps it
    doubt_since: datetime | None = None
    api_version: str = VERSION


def first_step(kind: str) -> str:
    return CHAIN[kind][0]


def step_after(kind: str, step: str) -> str | None:
    """The next step of this kind of operation; None after the last."""
    steps = CHAIN[kind]
    place = steps.index(step) + 1
    return steps[place] if place < len(steps) else None


def postponed(message: StepMessage, reason: TryLater, now: datetime) -> StepMessage:
    """The message of the next attempt; time waited counts anew when the reason changes.

    Attempts are counted for ever: a queue drops what looks like a message that it had before.
    """
    if reason.moved:
        return StepMessage(
            kind=message.kind,
            connection=message.connection,
            operation=message.operation,
            attempt=message.attempt + 1,
        )
    again = msgspec.structs.replace(
        message, attempt=message.attempt + 1, waiting_since=message.waiting_since or now
    )
    if isinstance(reason, Doubt) and reason.code != message.doubt:
        again = msgspec.structs.replace(again, doubt=reason.code, doubt_since=now)
    if reason.code in (BUSY, message.waiting_for):
        return again
    return msgspec.structs.replace(again, waiting_for=reason.code, reason_since=now)


def doubted(message: StepMessage, code: str, now: datetime) -> timedelta:
    """How long every look has found the same; attempts in between that failed to look count."""
    if message.doubt != code or message.doubt_since is None:
        return timedelta(0)
    return now - message.doubt_since


def waited(message: StepMessage, code: str, now: datetime) -> timedelta:
    """How long this reason has lasted."""
    if message.waiting_for != code or message.reason_since is None:
        return timedelta(0)
    return now - message.reason_since


def exhausted(message: StepMessage, reason: TryLater, now: datetime) -> bool:
    """Whether a step has waited long enough."""
    if reason.moved:
        return False
    in_all = now - (message.waiting_since or now)
    return waited(message, reason.code, now) > reason.limit or in_all > LONGEST


def given_up(message: StepMessage, reason: TryLater, now: datetime) -> NeedsHuman:
    """What a person is told of a wait that has come to its end."""
    minutes = round((now - (message.waiting_since or now)).total_seconds() / 60)
    return NeedsHuman(
        reason.code,
        f"{reason.message} (gave up after {minutes} minutes)",
        "Look at the cause given; when it is gone, send the same request again to go on.",
    )


def decode(body: bytes) -> StepMessage:
    """Read a step's message; raises `msgspec.DecodeError` when it is not one of ours."""
    try:
        message = msgspec.json.decode(body, type=StepMessage)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError("not UTF-8") from error
    except RecursionError as error:
        raise msgspec.DecodeError("nested too deeply") from error
    if message.api_version != VERSION or message.kind not in KINDS:
        raise msgspec.ValidationError(
            f"not a {VERSION} step message: apiVersion {message.api_version!r}, "
            f"kind {message.kind!r}"
        )
    return message


def encode(message: StepMessage) -> bytes:
    return msgspec.json.encode(message)


class Event(Value, frozen=True, omit_defaults=False):
    """A CloudEvents 1.0 event; `subject` is the connection."""

    id: str
    type: str  # keyturn.<noun>.<verb-ed>
    source: str
    subject: str
    time: datetime
    data: dict[str, Any]
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


def announcement(
    what: str, *, id_: str, connection: str, at: datetime, data: dict[str, Any]
) -> Event:
    """Keyturn's event *what* (``noun.verb-ed``) about a connection; the id tells repeats."""
    return Event(
        id=id_, type=f"keyturn.{what}", source="/keyturn", subject=connection, time=at, data=data
    )


def trouble(problem: NeedsHuman) -> dict[str, str]:
    """What an event or a condition tells people of a problem."""
    return {"reason": problem.code, "message": problem.message, "remedy": problem.remedy}
