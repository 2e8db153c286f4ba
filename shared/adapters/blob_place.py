"""Where the tables of a new snapshot go, and what was staged for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.adapters.tables import Codec
from shared.adapters.tables_ranges import Rows
from shared.adapters.tables_read import Tables
from shared.adapters.tables_spill import Spill
from shared.adapters.tables_write import TableWriter, new_table
from shared.model.listed import Counts
from shared.planning.snapshots import Table

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

TARGETS = "targets"
"""Part that has the links by target: only keys."""


@dataclass(frozen=True)
class Place:
    """Where the tables of a new snapshot go; *dry* writes none and counts only."""

    container: "ContainerClient"
    tables: Tables
    connection: str
    operation: str
    dry: bool = False

    def writer(self, what: str) -> TableWriter:
        name = new_table(f"{self.connection}/tables/{self.operation}-", what)
        return TableWriter(self.container, name, Codec())

    def spill(self) -> Spill:
        return Spill(self.container, self.tables, f"{self.connection}/stage/{self.operation}/")


@dataclass(frozen=True)
class Runs:
    """Tables of listed users, and of what others say of them who vouch for nobody."""

    tables: tuple[Table, ...]
    by: str  # who listed them
    counts: Counts
    whole: bool  # no tombstones are among them

    @property
    def table(self) -> Table | None:
        """All of it, as it is."""
        return self.tables[0] if self.whole and len(self.tables) == 1 else None


@dataclass(frozen=True)
class Plain:
    """A table of entities or links that is what a snapshot without any before it would have."""

    table: Table
    kinds: Mapping[str, int]  # of entities: how many there are of each


@dataclass(frozen=True)
class Said:
    """What was staged of a part."""

    rows: Sequence[Rows] = ()
    count: int = 0
    vouches: Mapping[str, bool] = field(default_factory=dict)  # family: it vouches for rows
    listed: Runs | None = None  # the same, when all of it is of users that were listed
    plain: Plain | None = None  # the same, when all of it is one table
