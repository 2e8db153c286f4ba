"""``python -m tests.campaign.local_cloud --seed N --minutes M``: kill processes for M minutes."""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from pathlib import Path

from tests.campaign.local_cloud.campaign import run
from tests.campaign.local_cloud.plan import plan


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.campaign.local_cloud")
    parser.add_argument("--seed", type=int, action="append", help="may be repeated; default: 1")
    parser.add_argument("--minutes", type=float, default=2.0, help="for each seed")
    parser.add_argument("--keep", type=Path, help="folder for logs and stores")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for noisy in ("azure", "httpx"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    wrong = 0
    for seed in given.seed or [1]:
        _say(f"seed {seed}, the plan of kills and of what is asked:")
        _say(plan(seed, "contoso.example").told())
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="keyturn-campaign-") as folder:
            where = given.keep / str(seed) if given.keep else Path(folder)
            report = asyncio.run(run(seed, given.minutes * 60, where))
        _say(report.told())
        _say(f"  took {time.monotonic() - began:.0f} s")
        wrong += len(report.breaches)
    return 1 if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
