"""What a run of discovery stages, in memory."""

from dataclasses import dataclass, field
from typing import Any

from shared.errors import TryLater
from shared.model.accounts import Account
from shared.model.entities import USER, Findings
from shared.model.scan import Progress, voucher
from shared.planning.merging import again
from tests.fakes.faults import Faults, fallible

SECTIONS = ("accounts", "entities", "links")

Said = dict[str, dict[str, Any]]
"""By key and voucher: a row, or one of the two marks of a row that is gone."""

GONE, FOR_GOOD = None, False


def nothing() -> dict[str, Said]:
    return {name: {} for name in SECTIONS}


@dataclass
class Staged:
    """What a run has staged until its last checkpoint."""

    progress: Progress | None = None
    rows: dict[str, Said] = field(default_factory=nothing)
    unread: frozenset[tuple[str, str]] = frozenset()  # voucher, object whose links it did not read
    checkpoints: int = 0


class FakeStaging:
    """Implements ``ports.Staging``."""

    def __init__(self, faults: Faults, kept: Staged) -> None:
        self.faults = faults
        self._kept, self._number = kept, kept.checkpoints
        self._unread = kept.unread
        self._rows = {
            section: {key: dict(said) for key, said in rows.items()}
            for section, rows in kept.rows.items()
        }
        self.progress = kept.progress

    @fallible("account_store.stage")
    async def stage(self, source_key: str, found: Findings) -> None:
        by = voucher(source_key)
        for id_ in found.gone:
            for section in ("accounts",) if by == USER else ("accounts", "entities"):
                mark = FOR_GOOD if id_ in found.for_good else GONE
                self._rows[section].setdefault(id_, {})[by] = mark
        for row in found.rows:
            section = "accounts" if isinstance(row, Account) else "entities"
            said = self._rows[section].setdefault(row.id, {})
            said[by] = again(said[by], row) if said.get(by) else row
        for link in found.unlinked:
            self._rows["links"].setdefault(link.id, {})[by] = GONE
        for link in found.links:
            self._rows["links"].setdefault(link.id, {})[by] = link
        self._unread |= {(by, item.id) for item in found.unread}

    @fallible("account_store.restart")
    async def restart(self, source_key: str) -> None:
        for rows in self._rows.values():
            for said in rows.values():
                said.pop(voucher(source_key), None)
        self._unread = frozenset(item for item in self._unread if item[0] != voucher(source_key))

    @fallible("account_store.checkpoint")
    async def checkpoint(self, progress: Progress) -> None:
        if self._kept.checkpoints != self._number:
            raise TryLater("SNAPSHOT_CONFLICT", "Another attempt at this run went on meanwhile.")
        self._kept.progress = self.progress = progress
        self._kept.rows = {
            section: {key: dict(said) for key, said in rows.items()}
            for section, rows in self._rows.items()
        }
        self._kept.unread = self._unread
        self._kept.checkpoints = self._number = self._number + 1
