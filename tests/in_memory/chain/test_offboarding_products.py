"""Every product of the catalogue can be offboarded, however it signs in."""

import pytest

from shared.profile import catalogue
from tests.fakes import fake_context
from tests.fakes.organisations import Organisation
from tests.in_memory.access import world
from tests.in_memory.chain.departures import assert_gone, offboard, whats

pytestmark = pytest.mark.requirement("X-18")


@pytest.mark.parametrize("profile", sorted(catalogue()))
async def test_nothing_is_left_of_any_product(profile: str) -> None:
    ctx = fake_context()
    ctx.tenant.own_roles |= {"DelegatedPermissionGrant.ReadWrite.All"}
    ctx.tenant.organisations["contoso"] = Organisation(ctx.tenant.identity.id)
    begun = await world.begin(ctx, profile, whole=True)
    assert begun.facts.object_id in {app.id for app in ctx.tenant.applications.values()}
    await ctx.ledger.record(world.NAME, ctx.clock.now(), "connection.requested", {})
    await offboard(ctx, world.NAME)
    await assert_gone(ctx, world.NAME)


async def test_a_federated_credential_goes_before_its_application() -> None:
    ctx = fake_context()
    await world.begin(ctx, "teleport-entra", whole=True)
    assert world.application(ctx).federated
    await offboard(ctx, world.NAME)
    told = await whats(ctx, world.NAME)
    assert told.index("federation.removed") < told.index("application.deleted")
