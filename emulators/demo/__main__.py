"""Runs the demo; exit code 0 when everything is as it must be."""

import asyncio
import json
import logging
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from emulators.demo.board import board, conditions, ended, waits_for_approval
from emulators.demo.client import Client, Failed, control
from emulators.demo.drift import Drift
from emulators.demo.products import REPAIRED, Product, products, variant
from emulators.demo.proof import judge, summary
from emulators.demo.rotation import Rotation
from emulators.demo.sheets import results, show
from emulators.stack import Cloud, Options

FOLDER = Path("build/demo")
LIMIT = 240.0  # seconds until all onboardings must have ended
ROTATED = "dvls-prod"
CHANGED_BY_HAND = ("pmp", "pam360")  # with the drift policies repair and report
KILLED_WITH = "pam360"
"""Once this one is registered, the functions are killed: its chain must go on all the same."""


async def onboard_all(
    console: Console, cloud: Cloud, client: Client, wanted: tuple[Product, ...]
) -> None:
    """Ask for everything at once, approve what waits for it, and watch until all has ended."""
    for product in wanted:
        await client.onboard(product)
    began, approved, killed = time.monotonic(), set[str](), False
    with Live(console=console, refresh_per_second=8) as live:
        while time.monotonic() - began < LIMIT:
            known = {product.name: await client.connection(product.name) for product in wanted}
            live.update(board(known, time.monotonic() - began))
            for product in wanted:
                if waits_for_approval(known[product.name]) and product.name not in approved:
                    live.console.print(f"{product.name}: approved, {product.approval}")
                    await client.approve(product)
                    approved.add(product.name)
            if not killed and "Registered" in conditions(known[KILLED_WITH]):
                live.console.print("SIGKILL of the functions in the middle of it, and a restart")
                await _kill(cloud)
                killed = True
            if all(
                ended(connection) and not waits_for_approval(connection)
                for connection in known.values()
            ):
                break
            await asyncio.sleep(0.1)  # pacing of the display, the wait has its own limit
        else:
            raise Failed(f"not all ended within {LIMIT:.0f} s: {json.dumps(known)}")
    console.print()  # a live view leaves the cursor at the end of its last line


async def _kill(cloud: Cloud) -> None:
    cloud.children["host"].kill()
    await cloud.children["host"].gone()
    await cloud.restart("host")


async def demo(console: Console) -> int:
    began = time.monotonic()
    options = Options(folder=FOLDER / "cloud", app=variant(FOLDER / "app"))
    async with Cloud(options) as cloud, Client(cloud) as client:
        console.print(f"local cloud up in {time.monotonic() - began:.1f} s")
        wanted = products(await _domain(cloud), "contoso")
        console.rule("five products: four by HTTP, one by queue; two wait for an approval")
        await onboard_all(console, cloud, client, wanted)
        found = {product.name: await summary(cloud.state(), client, product) for product in wanted}
        wrong = [line for product in wanted for line in judge(product, found[product.name])]
        if not wrong:
            wrong = await months_go_by(console, cloud, client, wanted)
        # Held against Microsoft's schema by `.ci/run`.
        traffic = await control(cloud.state(), "traffic", lambda answer: answer.text)
        (FOLDER / "traffic.jsonl").write_text(traffic)
    for product in wanted:
        show(console, product, found[product.name])
    results(console, found)
    _report(found, wrong)
    for line in wrong:
        console.print(f"[red]{line}[/]")
    console.print(f"{FOLDER / 'report.json'} written after {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


async def months_go_by(
    console: Console, cloud: Cloud, client: Client, wanted: tuple[Product, ...]
) -> list[str]:
    """A rotation by its timer, changes by hand, the end of the overlap, an emergency."""
    by_name = {product.name: product for product in wanted}
    rotation = Rotation(console, cloud, client, by_name[ROTATED])
    drifts = [
        Drift(console, cloud, client, by_name[name], repairs=by_name[name].profile == REPAIRED)
        for name in CHANGED_BY_HAND
    ]
    console.rule("months later: a secret is due, and nobody does anything")
    await rotation.happens()
    console.rule("behind Keyturn's back, grants are changed by hand")
    for drift in drifts:
        await drift.happens()
    console.rule("a week later: the overlap is over, and the daily verification has been")
    await rotation.ends()
    for drift in drifts:
        await drift.is_found()
    console.rule("a secret leaks")
    await rotation.emergency()
    return [*rotation.wrong, *(line for drift in drifts for line in drift.wrong)]


async def _domain(cloud: Cloud) -> str:
    """The emulated tenant's own: the import checks that it is verified."""
    tenant = await control(cloud.state(), "state", lambda answer: answer.json())
    domain: str = tenant["domain"]
    return domain


def _report(found: dict[str, dict[str, Any]], wrong: list[str]) -> None:
    report = {**found["dvls-prod"], "products": found, "problems": wrong}
    (FOLDER / "report.json").write_text(json.dumps(report, indent=2) + "\n")


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    logging.getLogger("azure").setLevel(logging.CRITICAL)  # that sign-ins are refused is shown
    return asyncio.run(demo(Console(width=120)))


if __name__ == "__main__":
    sys.exit(main())
