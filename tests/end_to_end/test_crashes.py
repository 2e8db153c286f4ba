"""The functions host is killed in the middle of the chain; nothing is doubled or lost."""

import functools

import pytest

from tests.end_to_end.local import FOUR, Local, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def registered(local: Local, name: str) -> bool:
    """The tenant has the application; whether the ledger knows is a matter of luck."""
    return bool(await local.applications(name))


async def credential_made(local: Local, name: str) -> bool:
    """The tenant has a secret whose value only the dying process and perhaps the vault know."""
    return any(app["passwordCredentials"] for app in await local.applications(name))


async def published(local: Local, name: str) -> bool:
    secrets = await local.control("state", vault=True)
    return name in str(secrets)


@pytest.mark.requirement("X-06")
async def test_killed_in_the_middle_and_restarted(local: Local) -> None:
    """Three connections, each caught at another point; all of them are awaited at the end."""
    names = []
    for sign in (registered, credential_made, published):
        name = f"dvls-{sign.__name__.replace('_', '-')}"
        names.append(name)
        await local.onboard(name)
        await until(f"{sign.__name__} of {name}", functools.partial(sign, local, name))
        local.cloud.children["host"].kill()
        await local.cloud.children["host"].gone()
        await local.cloud.restart("host")
        local.rebase()
    for name in names:
        found = await local.assert_onboarded(name)
        assert await local.token_roles(name, found["application"]["client_id"]) == FOUR
