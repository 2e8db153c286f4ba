"""What a request may say: features and inputs."""

from typing import Any, Literal

from shared.model.profile.strict import Strict

InputType = Literal["string", "int", "enum", "list", "csv", "map", "uri", "uuid", "duration"]


class Feature(Strict, frozen=True):
    """A switch. ``auto`` is a fact of the tenant, which a request may still force."""

    default: bool | Literal["auto"]
    about: str


class Input(Strict, frozen=True):
    """A value that a request supplies.

    `csv` takes text with commas, or a list where names have commas. `values` are those allowed
    of an enum, or as elements of a list. `min` and `max` bound a string's length, an int, or a
    duration.
    """

    type: InputType
    required: bool = False
    required_when: tuple[str, ...] = ()
    default: Any = None
    values: tuple[str, ...] | None = None
    min: int | str | None = None
    max: int | str | None = None
    pattern: str | None = None
    about: str = ""
