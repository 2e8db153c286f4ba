"""Carries out the kills of a plan, by process id, and starts what was killed again."""

import asyncio
from collections import Counter

from emulators.stack import Cloud
from tests.campaign.local_cloud.plan import Kill, Plan
from tests.end_to_end.local import Local

SWEEP = 31 * 60
"""Seconds after which an operation that has lost its message is sent again."""

LEASE = 21
"""Seconds after which the turns that a dead host has taken are free; nobody waits for that here."""


class Killer:
    """Kills until it is told to stop; then everything is up."""

    def __init__(self, cloud: Cloud, local: Local, plan: Plan) -> None:
        self._cloud, self._local, self._plan = cloud, local, plan
        self._over = asyncio.Event()
        self.deaths: Counter[str] = Counter()

    async def run(self) -> None:
        """Every process lives and dies by itself, so that several may be down at once."""
        async with asyncio.TaskGroup() as tasks:
            for victim, kills in self._plan.kills.items():
                tasks.create_task(self._haunt(victim, kills))
            tasks.create_task(self._jump())

    def stop(self) -> None:
        self._over.set()

    async def _haunt(self, victim: str, kills: tuple[Kill, ...]) -> None:
        for kill in kills:
            if await self._past(kill.after):
                return
            await self._kill(victim)
            self.deaths[victim] += 1
            await self._past(kill.down)
            await self._start(victim)

    async def _jump(self) -> None:
        for pause in self._plan.jumps:
            if await self._past(pause):
                return
            await self._local.control("clock", {"advance_seconds": SWEEP})

    async def _past(self, seconds: float) -> bool:
        """Let time pass; True as soon as the campaign is over."""
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _kill(self, victim: str) -> None:
        if victim == "azurite":
            await self._cloud.storage.kill()
            return
        self._cloud.children[victim].kill()
        await self._cloud.children[victim].gone()

    async def _start(self, victim: str) -> None:
        if victim == "azurite":
            await self._cloud.storage.start()
            return
        await self._cloud.restart(victim)
        if victim == "host":
            self._local.rebase()  # it has other keys
            await self._local.control("clock", {"advance_seconds": LEASE})
