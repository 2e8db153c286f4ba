"""``python -m tests.campaign``: run seeds, or replay one."""

import argparse
import sys
from collections.abc import Collection

from tests.campaign.chaos import Point
from tests.campaign.runner import Total, campaign, survey
from tests.campaign.shrink import shrink
from tests.campaign.simulation import Outcome, simulate
from tests.campaign.world import Options

BREACHED = 2
"""Exit code when something that must hold did not: an error of the campaign itself has another."""

TOLD_EVERY = 500
"""Runs between two lines of progress: a soak takes an hour and is not silent until its end."""

SHOWN = 3
"""Failed seeds that are shrunk and shown."""


def main() -> int:
    given = _arguments()
    if given.only is not None or given.replay is not None:
        return replay(given.replay or given.first, given.only)
    points = {} if given.bare else survey(given.jobs)
    total = campaign(
        range(given.first, given.first + given.seeds),
        jobs=given.jobs,
        points=points,
        stop_at=given.stop_at,
        tell=progress,
    )
    show(total, points)
    for failed in total.failed[:SHOWN]:
        print(f"\nseed {failed.seed}:")
        for breach in failed.breaches:
            print(f"  {breach}")
        if given.bare:
            continue
        events = shrink(failed, Options())
        print(f"  shortest replay, {len(events)} events:")
        print(f"  python -m tests.campaign --replay {failed.seed} --only '{'|'.join(events)}'")
    missed = total.never_hit(points) if given.every_point else []
    return BREACHED if total.failed or missed else 0


def progress(total: Total, last: Outcome) -> None:
    """Tell a breach at once, and how far the campaign has come."""
    if last.breaches:
        print(f"seed {last.seed}: {last.breaches[0]}", file=sys.stderr, flush=True)
    if total.seeds % TOLD_EVERY == 0:
        done = f"{total.seeds} runs, {total.seconds:.0f} s, {len(total.failed)} with a breach"
        print(done, file=sys.stderr, flush=True)


def show(total: Total, points: Collection[Point]) -> None:
    """What was done, and how often."""
    print(
        f"{total.seeds} seeds, {total.connections} connections, "
        f"{total.days / 365.25:.0f} connection years, {total.rotations} rotations, "
        f"{total.deaths} processes killed, {total.seconds:.0f} s, "
        f"{len(total.failed)} seeds with a breach"
    )
    if total.failed:
        print(f"failed: {', '.join(str(failed.seed) for failed in total.failed)}")
    print("\ninjected:")
    for what, count in sorted(total.counts.faults.items()):
        print(f"{count:9}  {what}")
    missed = total.never_hit(points)
    hits = [total.counts.kills[point] for point in points]
    print(f"\ncrash points: {len(points)}, hit {sum(hits)} times, never {len(missed)}")
    for point in missed[:40]:
        print(f"  never: {' '.join(point)}")


def replay(seed: int, only: str | None) -> int:
    """Run one seed, all of it or only these events."""
    outcome = simulate(seed, Options(only=only.split("|") if only is not None else None))
    print(f"seed {seed}: {outcome.days:.0f} days, {len(outcome.struck)} events")
    for event in outcome.struck if only else outcome.struck[-50:]:
        print(f"  {event}")
    for breach in outcome.breaches:
        print(f"BREACH {breach}")
    return BREACHED if outcome.breaches else 0


def _arguments() -> argparse.Namespace:
    made = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    made.add_argument("--seeds", type=int, default=300, help="how many")
    made.add_argument("--first", type=int, default=0, help="the first of them")
    made.add_argument("--jobs", type=int, default=0, help="processes; 0 for one per processor")
    made.add_argument("--stop-at", type=int, default=0, help="failed seeds that are enough")
    made.add_argument("--every-point", action="store_true", help="fail if a crash point is not hit")
    made.add_argument("--bare", action="store_true", help="no aimed crashes, no shrinking")
    made.add_argument("--replay", type=int, default=None, help="run only this seed")
    made.add_argument("--only", default=None, help="events that may happen, separated by |")
    return made.parse_args()


if __name__ == "__main__":
    sys.exit(main())
