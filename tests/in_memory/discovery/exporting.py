"""A connection that exports a whole tenant, with links to go on from."""

from typing import Any

from shared.model.accounts import Account, Summary
from shared.model.entities import Entity
from tests.fakes import FakeContext
from tests.fakes.entities import Directory
from tests.in_memory.discovery.killing import world
from tests.in_memory.discovery.scans import NAME, connected
from tests.in_memory.discovery.tenants import EVERYBODY


def user(number: int, **changes: Any) -> Account:
    fields: dict[str, Any] = {
        "id": f"user-{number:03}",
        "user_principal_name": f"u{number}@contoso.onmicrosoft.com",
        "display_name": f"u{number}",
        "enabled": True,
        "guest": False,
        "mail": "",
        "origins": (EVERYBODY,),
    }
    return Account(**(fields | changes))


async def exporting(users: int = 12, seconds: float = 600, **inputs: Any) -> FakeContext:
    """A tenant whose users are all in one group; a slice has so many *seconds*."""
    ctx = await connected(
        world=world(seconds),
        profile="netwrix-identity-manager",
        features={"export": True},
        search_mode=None,
        **inputs,
    )
    known = tenant(ctx)
    for number in range(users):
        known.put(user(number))
    team = known.put(Entity(kind="group", id="group-1", display_name="Team"))
    for number in range(users):
        known.link("members", team, f"user-{number:03}")
    known.put(Entity(kind="servicePrincipal", id="sp-1", display_name="App"))
    return ctx


def tenant(ctx: FakeContext) -> Directory:
    return ctx.entity_reader.directory


async def names(ctx: FakeContext) -> list[str]:
    return [row.display_name async for row in ctx.account_store.accounts(NAME)]


def status(summary: Summary) -> dict[str, tuple[str, str]]:
    return {source.name: (source.status, source.reason) for source in summary.sources}
