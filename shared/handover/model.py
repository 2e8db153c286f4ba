"""What a hand-over sheet consists of."""

from datetime import datetime
from typing import Any

from shared.model.connection import Value


class VaultReference(Value, frozen=True, omit_defaults=False):
    """Where a value is in the vault, in place of a secret one."""

    vault: str  # URL of that version
    name: str
    version: str
    key_id: str  # of the directory's credential; empty for what is none
    hint: str = ""  # the first characters of a client secret, as the portal shows them
    expires: datetime | None = None
    form: str = ""  # how a certificate is written down with its private key
    thumbprint: str = ""  # of a certificate


class Line(Value, frozen=True):
    """One field of the product: a value, where to fetch it, or a fragment of a file."""

    name: str
    label: str
    value: str | None = None
    secret: VaultReference | None = None  # the value itself is nowhere else
    stored: VaultReference | None = None  # the value is in the vault, too
    env: str = ""  # environment variable that the product reads
    file: str = ""  # name of the product's file that `merge` belongs into
    merge: dict[str, Any] | None = None
    replaces: str = ""  # the guide's step that this line makes needless


class Remark(Value, frozen=True):
    """A sentence that the person needs to know."""

    about: str
    replaces: str = ""


class StepForPerson(Value, frozen=True):
    """Something that Keyturn may not do itself."""

    what: str
    code: str = ""


class OpenPrecondition(Value, frozen=True):
    """What must hold outside, and nobody has said so yet."""

    id: str
    kind: str
    about: str


class SwapLine(Value, frozen=True, omit_defaults=False):
    """A narrower permission than the vendor's: offered, or taken by the request."""

    instead_of: str
    use: str
    taken: bool
    reason: str


class TakingOver(Value, frozen=True, omit_defaults=False):
    """How to say that the product uses the published secret, and how long the one before works."""

    url: str  # to POST to
    version: str  # that the word is about
    by: str  # who has said so; empty while nobody has
    former_until: datetime | None  # None where no former secret is left


class Sheet(Value, frozen=True, omit_defaults=False):
    """Everything to enter, in the order of the product's form, and what else there is to do."""

    connection: str
    profile: str
    title: str
    lines: tuple[Line, ...]
    steps: tuple[StepForPerson, ...] = ()
    preconditions: tuple[OpenPrecondition, ...] = ()
    notes: tuple[Remark, ...] = ()
    swaps: tuple[SwapLine, ...] = ()
    taking_over: TakingOver | None = None  # None while no secret is published
    facts: str = "complete"  # "partial": the vendor's guide leaves gaps
