"""What becomes of the rows of a snapshot in memory, by the same rules as in Blob storage."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.model.accounts import Summary
from shared.model.entities import USER, Change
from shared.model.scan import Held, Losses, Removals
from shared.planning.counting import Count
from shared.planning.merging import Coverage, Losing, Settled, joined, settle
from shared.planning.snapshots import Published
from tests.fakes.snapshot_staging import FOR_GOOD, SECTIONS, Said, Staged, nothing


@dataclass
class Snapshots:
    """What one connection has: the rows of the latest snapshot, and the changes of each."""

    head: Published | None = None
    rows: dict[str, Said] = field(default_factory=nothing)
    parked: dict[str, dict[str, frozenset[str]]] = field(
        default_factory=lambda: {name: {} for name in SECTIONS}
    )
    held: Held | None = None
    unread: frozenset[str] = frozenset()
    changes: dict[int, list[Change]] = field(default_factory=dict)


Found = dict[str, dict[str, Settled[Any]]]
"""What becomes of each key, by section."""


def settled(known: Snapshots, staged: Staged, removals: Removals) -> Found:
    assert staged.progress is not None
    gaps: dict[str, frozenset[str]] = {}
    for by, object_ in staged.unread:
        gaps[object_] = gaps.get(object_, frozenset()) | {by}
    coverage = Coverage.of(staged.progress, gaps)
    found: Found = {}
    for name in SECTIONS:
        rows, fresh = known.rows[name], staged.rows[name]
        found[name] = {
            key: settle(
                rows.get(key, {}),
                {by: row or None for by, row in fresh.get(key, {}).items()},
                coverage.at(key.split("/")[1]) if name == "links" else coverage,
                removals=removals,
                held=known.parked[name].get(key, ()),
            )
            for key in sorted(rows.keys() | fresh.keys())
        }
    return found


def park(known: Snapshots, summary: Summary, found: Found) -> None:
    """Keep what is held for a person's word; what is held already keeps its time."""
    known.parked = {
        name: {key: now.held for key, now in found[name].items() if now.held} for name in SECTIONS
    }
    earlier = known.held
    known.held = None
    if any(known.parked.values()):
        known.held = Held(
            operation=summary.operation,
            since=earlier.since if earlier else summary.finished or summary.started,
            losses=waiting(known),
        )


def told_gone(staged: Staged, unread: frozenset[str]) -> set[tuple[str, str]]:
    """Sections and ids of what a source tells that it is no more."""
    return {
        (name, id_)
        for name in ("accounts", "entities")
        for id_, said in staged.rows[name].items()
        for by, row in said.items()
        if not row and by not in unread and (name == "entities" or by == USER)
    }


def drop_dangling(
    known: Snapshots, found: Found, gone: Collection[tuple[str, str]] = frozenset()
) -> None:
    """A link goes with the object at either end, also one that was read in the same run.

    Objects in *gone* may have come and gone since the snapshot before.
    """
    parted = {
        key
        for name in ("accounts", "entities")
        for key, now in found[name].items()
        if ((now.lost and joined(known.rows[name][key])) or (name, key) in gone)
        and not joined(now.after)
    }
    for key in found["links"].keys() | known.rows["links"].keys():
        before = known.rows["links"].get(key, {})
        now = found["links"].get(key) or Settled(after=before, lost=frozenset(), held=frozenset())
        link = next(iter({**before, **now.after}.values()), None)
        if now.after and link is not None and not parted.isdisjoint((link.source, link.target)):
            found["links"][key] = Settled(
                after={}, lost=frozenset(before) | now.lost, held=frozenset()
            )


def compared(
    known: Snapshots, found: Found, unread: frozenset[str], staged: Mapping[str, Said]
) -> tuple[Count, list[Change]]:
    """Make *found* the rows, and answer what that changes."""
    count, changes = Count(known.head.summary if known.head else None), list[Change]()
    for name in SECTIONS:
        for key, now in sorted(found[name].items()):
            said = known.rows[name].get(key)
            made = count.differ(joined(said or {}, known.unread), joined(now.after, unread))
            changes += [made] if made else []
            if name == "accounts" and made and made.command == "delete":
                count.for_good += FOR_GOOD in staged[name].get(key, {}).values()
            known.rows[name].pop(key, None)
            if now.after:
                known.rows[name][key] = now.after
    return count, changes


def losses(known: Snapshots, found: Found) -> Losses:
    """Of a run whose removals are applied."""
    lose = Losing()
    lose.known(f"{id_}\t{by}" for id_, said in known.rows["accounts"].items() for by in said)
    for name in SECTIONS:
        for key, now in found[name].items():
            lose.lost(joined(known.rows[name].get(key, {})), joined(now.after), now.lost)
    return lose.losses()


def waiting(known: Snapshots) -> Losses:
    """Of what is parked."""
    lose = Losing()
    for name in SECTIONS:
        for key, vouchers in known.parked[name].items():
            said = known.rows[name][key]
            lose.lost(joined(said), joined(without(said, vouchers).after), vouchers)
    return lose.losses()


def without(said: dict[str, Any], vouchers: frozenset[str]) -> Settled[Any]:
    after = {by: row for by, row in said.items() if by not in vouchers}
    return Settled(after=after, lost=frozenset(said) - frozenset(after), held=frozenset())
