"""Permissions that the automation's own identity needs, and which of them it lacks."""

from collections.abc import Collection, Iterable

from shared.model.connection import Value


class Need(Value, frozen=True, omit_defaults=False):
    """An application permission of Microsoft Graph, and what it is needed for."""

    permission: str  # the least that does
    why: str  # "needed to ..."
    instead: tuple[str, ...] = ()  # others that do, too
    required: bool = True  # without the others something is left out, nothing fails


READ_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")
"""Hold most reads of the directory, and far more than one of them needs."""


def unmet(wanted: Iterable[Need], held: Collection[str]) -> tuple[Need, ...]:
    return tuple(need for need in wanted if not {need.permission, *need.instead} & set(held))
