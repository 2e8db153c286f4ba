"""Groups in parts, and pages out of order: what clients of delta queries have to be ready for."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from emulators.graph.state import Tenant

PART = 1000
"""Links of one object that a page shows at most; the object comes again with the others."""
STRANGER = "0dddddd0-0000-4000-8000-00000000dead"
"""Somebody who is told to be gone and was never there."""


class Part(NamedTuple):
    """An object with some of its members: those from *start* on."""

    id: str
    start: int


def in_parts(tenant: Tenant, kind: str, size: int) -> list[str | Part]:
    """All objects of a kind; the further parts of large ones come behind everything else."""
    found: list[str | Part] = []
    rest: list[str | Part] = []
    for entity in tenant.tables[kind].values():
        count = 0 if entity.members is None else len(entity.members)
        found.append(Part(entity.id, 0) if count > size else entity.id)
        rest += [Part(entity.id, start) for start in range(size, count, size)]
    return found + rest


def out_of_order(items: Sequence[Any], at: int, size: int, *, first_round: bool) -> list[Any]:
    """A page backwards, with some of the page before, one thing twice, and removals in between."""
    page = list(items[at : at + size])
    shown: list[Any] = [*page[:1], *page[::-1], *items[max(0, at - 3) : at]]
    if first_round and page and isinstance(page[0], str):
        shown = [gone(page[0]), *shown]  # removed and made again within the round
    return [gone(STRANGER), *shown]


def gone(identity: str) -> dict[str, Any]:
    return {"id": identity, "removed": "changed"}
