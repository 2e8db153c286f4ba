"""The course of one seed: acts and timers, the storm's end, and quiet until all must be well."""

import asyncio

from shared.model.connection import Status
from tests.campaign.acts import DISABLE, Act, emergency, leak, perform
from tests.campaign.final import FINAL, breaches
from tests.campaign.timers import DAY, Timers
from tests.campaign.world import World

QUIET = 14 * DAY
"""Seconds after the last fault, in which everything must come to its end."""


async def run(world: World) -> None:
    """From the first day until everything must be well; stops early after many breaches."""
    world.chaos.active = not (world.calm or world.gentle)
    timers = Timers(world.ctx, world.ledger, world.fleet, world.chaos, world.bug)
    going_on = [timers.run(), _days(world), *(_act(world, act) for act in world.acts)]
    background = [world.loop.create_task(each) for each in going_on]
    end = world.loop.create_task(_course(world))
    background.append(end)
    over = world.loop.create_task(world.over.wait())
    await asyncio.wait([end, over], return_when=asyncio.FIRST_COMPLETED)
    if end.done():
        end.result()
        for breach in breaches(world, world.watch):
            world.breach(breach)
    for task in background:
        task.cancel()


async def _course(world: World) -> None:
    await world.sleep(world.storm)
    world.chaos.active = False
    await world.sleep(4 * DAY)
    held = {row.id for a in world.applications().values() for row in a.secrets}
    for name in {of for key, of in world.watch.leaked.items() if key in held}:
        await emergency(world, name)  # where the first one stopped, as its remedy says
    for name in world.names:
        await _on_duty(world, name)
    await world.sleep(5 * DAY)  # all timers have fired since the last thing done by hand
    for name in world.names:
        await _on_duty(world, name)
    await world.sleep(QUIET - 9 * DAY)
    await _settled(world)


async def _settled(world: World) -> None:
    """What began just now has two hours to end."""
    for _ in range(24):
        if all(operation.state in FINAL for operation in world.operations()):
            return
        await world.sleep(300)


async def _act(world: World, act: Act) -> None:
    await world.sleep(act.at)
    if not world.calm and not world.planned and world.chaos.allows(act.event):
        world.chaos.happened(f"by hand: {act.what}")
        await perform(world, act)
    elif world.planned or (world.calm and act.what == "onboarding"):
        await perform(world, act)


async def _days(world: World) -> None:
    while True:
        await world.sleep(DAY)
        world.watch.daily()
        for name in world.names:
            chance = world.chaos.chance("duty", name, int(world.loop.time() / DAY))
            if chance.random() < 0.1:
                await _on_duty(world, name)


async def _on_duty(world: World, name: str) -> None:
    """A person who follows the remedies: what stopped is asked for again."""
    known = world.connection(name)
    if known is None or (known.offboarding and known.offboarding.finished):
        return
    principal = world.principal(name)
    if known.offboarding is not None:
        await world.offboard(name)
    elif principal is not None and not principal.enabled and world.watch.is_stopped(name):
        await leak(world, name, (DISABLE,))  # where the first one stopped
    elif any(condition.status == Status.FALSE for condition in known.conditions):
        await world.onboard(name)
