"""What a person, or the product itself, takes over."""

from typing import Any, Literal

import msgspec

from shared.model.profile.strict import Strict


class Output(Strict, frozen=True):
    """A field of the product, or with `file` and `merge` a fragment of its configuration file.

    A secret one is never shown: the sheet refers to the vault. `vault_name` is where the product
    reads the value in the vault by itself; `env` is the environment variable it reads.
    """

    name: str
    label: str = ""
    value: str = ""
    secret: bool = False
    vault_name: str = ""
    env: str = ""
    optional: bool = False
    file: str = ""
    merge: dict[str, Any] = msgspec.field(default_factory=dict)
    when: tuple[str, ...] = ()
    replaces: str = ""  # the guide's step that this line makes needless


class Note(Strict, frozen=True):
    """A sentence of the hand-over sheet."""

    about: str
    when: tuple[str, ...] = ()
    replaces: str = ""


class Precondition(Strict, frozen=True):
    """What must hold outside: a person acknowledges it, or Graph is asked and it is reported."""

    id: str
    kind: Literal["manual", "graph_warn"]
    about: str
    when: tuple[str, ...] = ()
