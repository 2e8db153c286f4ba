"""azure-servicebus, asynchronous: every scenario at once against one server in this process."""

import asyncio
import importlib

import pytest
from azure.servicebus.aio import ServiceBusClient

from emulators.servicebus.server import serving
from tests.emulators.servicebus.client import FAST, SCENARIOS
from tests.emulators.servicebus.entities import config_text

for _part in ("delivery", "states", "entities"):
    importlib.import_module(f"tests.emulators.servicebus.scenarios_{_part}")


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest) -> dict[str, BaseException | None]:
    """What became of the selected scenarios."""
    chosen = {
        item.callspec.params["name"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.module.__name__ == __name__
    }
    return asyncio.run(_run_all(sorted(chosen)))


async def _run_all(names: list[str]) -> dict[str, BaseException | None]:
    async with serving(config_text()) as server:
        client = ServiceBusClient.from_connection_string(server.connection_string, **FAST)
        async with client:
            ended = await asyncio.gather(
                *(asyncio.wait_for(SCENARIOS[name](client), 60) for name in names),
                return_exceptions=True,
            )
    return dict(zip(names, ended, strict=True))


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_scenario(name: str, outcomes: dict[str, BaseException | None]) -> None:
    error = outcomes[name]
    if error is not None:
        raise error
