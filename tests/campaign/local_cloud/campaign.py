"""One campaign: a local cloud of its own, kills, quiet, and the checks."""

import asyncio
import logging
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from emulators.stack import Cloud, Options
from functions import declare_steps
from shared.step import STEPS
from tests.campaign.local_cloud import checks
from tests.campaign.local_cloud.killing import Killer
from tests.campaign.local_cloud.living import Asked, Caller, Living
from tests.campaign.local_cloud.plan import Plan, plan
from tests.campaign.local_cloud.quiet import everything_ends
from tests.end_to_end.local import Local

log = logging.getLogger(__name__)

USERS = 60


@dataclass
class Report:
    """What a campaign did, and what was wrong afterwards."""

    plan: Plan
    deaths: Counter[str] = field(default_factory=Counter)
    asked: Asked = field(default_factory=Asked)
    repeated: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)  # that escaped from functions
    breaches: list[str] = field(default_factory=list)

    def told(self) -> str:
        counts = ", ".join(f"{victim} {n}" for victim, n in sorted(self.deaths.items()))
        answers = ", ".join(f"{what} x{n}" for what, n in sorted(self.asked.answers.items()))
        lines = [
            f"seed {self.plan.seed}: SIGKILLs: {counts}",
            f"  asked: {answers}",
            f"  accepted: {len(self.asked.operations)} operations, {len(self.asked.orders)} orders",
            f"  repeated by people afterwards: {dict(self.repeated) or 'nothing'}",
            f"  errors out of functions: {dict(self.errors) or 'none'}",
            *(f"  BREACH: {breach}" for breach in self.breaches),
        ]
        return "\n".join(lines)


async def run(seed: int, seconds: float, folder: Path) -> Report:
    """Kill until each life has acted for so many seconds; wait for all to end, and check it."""
    declare_steps()
    options = Options(folder=folder, users=USERS, durable=True, durable_storage=True)
    async with Cloud(options) as cloud, Local(cloud) as local:
        domain = (await local.control("state"))["domain"]
        report = Report(plan(seed, domain))
        await _leave_something_foreign(local)
        before = await checks.foreign(local)
        caller = Caller(local)
        report.asked = caller.asked
        livings = [Living(local, caller, life) for life in report.plan.lives]
        killer = Killer(cloud, local, report.plan)
        async with asyncio.TaskGroup() as tasks:
            killing = tasks.create_task(killer.run())
            async with asyncio.TaskGroup() as lives:
                for living in livings:
                    lives.create_task(living.run(seconds))
            killer.stop()
            await killing
        report.deaths = killer.deaths
        log.info("the last kill is over: %s", dict(report.deaths))
        report.repeated = await everything_ends(local, livings)
        log.info("everything has ended")
        names = [living.life.name for living in livings]
        queues = list(STEPS)
        report.breaches += [b async for b in checks.breaches(local, names, caller.asked, queues)]
        report.breaches += [b async for b in checks.breaches_after_overlap(local, names)]
        report.breaches += checks.differences(before, await checks.foreign(local))
    report.errors = escaped(folder / "host.log")
    return report


def escaped(log: Path) -> Counter[str]:
    """Errors that a function did not turn into an outcome, by what the last line says."""
    found: Counter[str] = Counter()
    pieces = re.split(r"^\d\d:\d\d:\d\d\.\d+ ", log.read_text(), flags=re.MULTILINE)
    for piece in pieces:
        if piece.startswith("ERROR") and "Traceback" in piece:
            last = [line for line in piece.splitlines() if re.match(r"^[\w.]+(:|$)", line)]
            found[last[-1][:120] if last else piece[:120]] += 1
    return found


async def _leave_something_foreign(local: Local) -> None:
    from azure.identity.aio import ClientSecretCredential
    from azure.keyvault.secrets.aio import SecretClient

    state = local.state
    async with (
        ClientSecretCredential(
            state["tenant_id"], state["client_id"], state["client_secret"], **local.authority()
        ) as admin,
        SecretClient(
            state["vault"],
            admin,
            verify_challenge_resource=False,
            connection_verify=state["ca_file"],
        ) as vault,
    ):
        await vault.set_secret(checks.FOREIGN, "of another product")
