"""Products and permissions of these tests, and what their conditions say."""

from shared.model.connection import Aspect, Condition, Status
from tests.fakes import FakeContext
from tests.in_memory.access.world import told

NETWRIX = "netwrix-identity-manager"
PMP = "password-manager-pro"
M365 = "manageengine-m365"
DVLS = "devolutions-server"
READ = "7ab1d382-f21e-4acd-a863-ba3e13f7da61"
WRITE = "19dbc75e-c2e2-444c-a770-ec69d8559fc7"
GRANT = "POST /servicePrincipals/{id}/appRoleAssignedTo"
UPSERT = "PATCH /applications(uniqueName='keyturn-conn')"


async def consented(ctx: FakeContext) -> None:
    condition = await told(ctx, Aspect.CONSENTED)
    assert condition.status == Status.TRUE, condition


async def stopped(ctx: FakeContext, aspect: Aspect, code: str) -> Condition:
    condition = await told(ctx, aspect)
    assert (condition.status, condition.reason) == (Status.FALSE, code), condition
    assert condition.remedy
    return condition
