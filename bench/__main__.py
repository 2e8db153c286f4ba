"""``python -m bench [part ...]``: measures, prints a table, writes ``build/bench.json``."""

import argparse
import asyncio
import json
import os
import platform
import shutil
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench import broker, discovery, imports, ledger, local_cloud, package, rotation
from bench.figures import Figure, notes, table
from bench.scale import runs

FOLDER = Path("build/bench")
REPORT = Path("build/bench.json")
PARTS: dict[str, Callable[[], Awaitable[list[Figure]]]] = {
    "imports": imports.measure,
    # Whole: the interpreters that it starts have folders of their own.
    "package": lambda: package.measure((FOLDER / "package").resolve()),
    "cloud": lambda: local_cloud.measure(FOLDER),
    "broker": broker.measure,
    "ledger": lambda: ledger.measure(FOLDER / "ledger"),
    "rotation": lambda: rotation.measure(FOLDER / "rotation"),
    "discovery": lambda: discovery.measure(FOLDER / "discovery"),
    "scale": lambda: runs.measure(FOLDER / "scale", SIZES, ONLY),
}
SIZES: list[int] = []
ONLY: list[str] = []


def main() -> int:
    """Answer 0 unless something failed to run: a missed goal is a finding, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    known = ", ".join(PARTS)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"{known}; all unless given")
    parser.add_argument(
        "--users", type=int, action="append", help="size of a tenant of the part scale; repeatable"
    )
    parser.add_argument(
        "--only",
        action="append",
        help="of the part scale: floor, keeper, reader, runs, models, backstage, cartography, "
        "changes, throttle, group or robustness; repeatable",
    )
    options = parser.parse_args()
    SIZES[:], ONLY[:] = options.users or (), options.only or ()
    asked = options.parts or list(PARTS)
    if unknown := sorted(set(asked) - PARTS.keys()):
        parser.error(f"no part {unknown[0]}; known: {known}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended, too
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    began = time.perf_counter()
    figures: list[Figure] = []
    failed = False
    for part in asked:
        try:
            figures += asyncio.run(_run(PARTS[part]))
        except Exception as error:  # noqa: BLE001 - the other parts can still be measured
            failed = True
            print(f"{part} failed: {error!r}", file=sys.stderr)  # noqa: T201 - the command's answer
    print(table(figures))  # noqa: T201 - the command's answer
    print(notes(figures))  # noqa: T201 - the command's answer
    report = {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load": list(os.getloadavg()),
        "seconds": round(time.perf_counter() - began, 1),
        "figures": [figure.document() for figure in figures],
    }
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    print(f"{REPORT} written after {report['seconds']} s")  # noqa: T201 - the command's answer
    return 1 if failed else 0


async def _run(part: Callable[[], Awaitable[list[Figure]]]) -> list[Figure]:
    return await part()


if __name__ == "__main__":
    sys.exit(main())
