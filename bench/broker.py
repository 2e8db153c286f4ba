"""The Service Bus emulator through Microsoft's SDK: on disk against in memory."""

from typing import Any

from bench.figures import Figure, Goal, Sample
from emulators.servicebus import bench

ROUNDS = 3
MESSAGES = 1000
GOALS = {
    "send one at a time": 0.5,
    "send batches of 100": 0.5,
    "receive and complete": 0.5,
    "receive and delete": 0.4,  # each message taken is a change on disk, and nothing else is done
}


async def measure() -> list[Figure]:
    durable, memory = [], []
    for _ in range(ROUNDS):
        durable.append(await bench.measure("normal", MESSAGES))
        memory.append(await bench.measure("memory", MESSAGES))
    return [figure(case, least, durable, memory) for case, least in GOALS.items()]


def figure(
    case: str, least: float, durable: list[dict[str, Any]], memory: list[dict[str, Any]]
) -> Figure:
    def speeds(rounds: list[dict[str, Any]]) -> tuple[float, ...]:
        return tuple(float(each[case]["per_second"]) for each in rounds)

    return Figure(
        name=f"queue: {case}",
        sample=Sample("durable", "msg/s", speeds(durable)),
        base=Sample("memory", "msg/s", speeds(memory)),
        goal=Goal(at_least=least),
    )
