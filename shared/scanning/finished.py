"""What a run hands to the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.errors import NeedsHuman
from shared.model.accounts import Source, Summary
from shared.planning import discovery_guard as guard
from shared.planning.changes import Patch


@dataclass(frozen=True)
class Finished:
    """A run's summary, what it changes of the snapshot before, and where the next one goes on."""

    summary: Summary
    patch: Patch
    cookies: Mapping[str, str]


def none_failed_alone(read: Sequence[Source], what: str) -> None:
    """Raise `NeedsHuman` when nothing at all could be read."""
    failed = [source for source in read if source.status == "failed"]
    if failed and len(failed) == len(read) and not any(map(guard.is_doubt, failed)):
        raise NeedsHuman(
            "DISCOVERY_FAILED",
            f"None of the {len(failed)} {what} could be read; the first one, "
            f"{failed[0].name}: {failed[0].reason}",
            "Remove the cause that is given, then send the same request again.",
        )
