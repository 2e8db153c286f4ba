"""What Keyturn made is taken back in the safe order; the audit stays."""

import msgspec
import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.messages import StepMessage, encode
from shared.model.connection import Aspect, Connection
from shared.onboarding import Rejected
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.organisations import Organisation
from tests.in_memory.access import world as access
from tests.in_memory.chain.departures import ask, assert_gone, offboard, whats
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard, request

pytestmark = pytest.mark.requirement("X-18")

ORG: dict[str, object] = {"scope": "azure-devops", "devops_org": "contoso"}
MEMBER = {"azure_devops": True}


async def onboarded(ctx: FakeContext) -> Connection:
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)
    return await connection(ctx)


async def test_everything_that_keyturn_made_is_gone_and_the_audit_is_not() -> None:
    ctx = fake_context()
    before = await onboarded(ctx)
    assert before.given
    await offboard(ctx, NAME)
    await assert_gone(ctx, NAME)
    assert set(ctx.vault.deleted) == {NAME, f"{NAME}--next"}


async def test_rights_go_first_then_secrets_then_the_application() -> None:
    ctx = fake_context()
    await onboarded(ctx)
    start = len(ctx.tenant.faults.calls)
    await offboard(ctx, NAME)
    calls = ctx.tenant.faults.calls[start:]
    order = [
        "roles.unassign",
        "consents.revoke",
        "vault.disable",
        "vault.remove",
        "credentials.remove",
        "applications.remove",
    ]
    first = [calls.index(call) for call in order]
    assert first == sorted(first)
    assert ctx.tenant.faults.count("applications.remove") == 1


async def test_replicas_that_lag_hide_nothing_from_it() -> None:
    ctx = fake_context()
    ctx.tenant.lag = 2
    await onboard(ctx)
    await drive(ctx)
    await offboard(ctx, NAME)
    await assert_gone(ctx, NAME)


async def test_what_is_gone_already_is_no_trouble() -> None:
    ctx = fake_context()
    before = await onboarded(ctx)
    await ctx.applications.remove(before.facts.object_id)
    ctx.vault.versions.clear()
    await offboard(ctx, NAME)
    await assert_gone(ctx, NAME)


async def test_a_connection_that_never_got_an_application_is_offboarded_too() -> None:
    ctx = fake_context()
    ctx.tenant.configured_id = "another"
    await onboard(ctx)
    await drive(ctx)
    ctx.tenant.configured_id = ""
    ended = await offboard(ctx, NAME)
    assert ended.offboarding is not None and ended.offboarding.finished is not None
    assert ctx.tenant.deleted == {}


async def test_somebody_elses_secret_in_the_vault_is_left() -> None:
    ctx = fake_context()
    await onboarded(ctx)
    for version in ctx.vault.versions[f"{NAME}--next"]:
        version.tags = {"clientId": "somebody else's"}
    await offboard(ctx, NAME)
    assert list(ctx.vault.versions) == [f"{NAME}--next"]


@pytest.mark.parametrize(
    ("method", "each", "error"),
    [
        ("roles.unassign", 1, NeedsHuman("AUTOMATION_PRIVILEGE", "No.", "Grant it.")),
        ("vault.remove", 2, NeedsHuman("VAULT_REFUSED", "No.", "Allow it.")),
        ("credentials.remove", 1, NeedsHuman("AUTOMATION_NOT_OWNER", "No.", "Own it.")),
    ],
)
async def test_a_refusal_is_told_with_all_that_is_left_and_delete_goes_on(
    method: str, each: int, error: NeedsHuman
) -> None:
    ctx = fake_context()
    before = await onboarded(ctx)
    ctx.tenant.fail(method, error, times=2 * each)
    await offboard(ctx, NAME)
    stopped = await connection(ctx)
    condition = stopped.condition(Aspect.REGISTERED)
    assert condition is not None and condition.reason == "OFFBOARDING_INCOMPLETE"
    assert error.code in condition.message and error.remedy in condition.remedy
    assert stopped.offboarding is not None and stopped.offboarding.finished is None
    assert len(stopped.offboarding.left) == each + 1  # what was refused, and the application
    for left in stopped.offboarding.left:
        assert left in condition.message
    assert before.facts.object_id not in ctx.tenant.deleted
    await offboard(ctx, NAME, "leave again")
    await assert_gone(ctx, NAME)


async def test_trouble_that_passes_is_waited_for_while_the_rest_goes() -> None:
    ctx = fake_context()
    before = await onboarded(ctx)
    ctx.tenant.fail("roles.unassign", TryLater("GRAPH_UNAVAILABLE", "HTTP 503"), times=3)
    await ask(ctx, NAME)
    await drive(ctx, lambda _: ctx.tenant.principals[before.facts.client_id].grants == [])
    assert ctx.tenant.principals[before.facts.client_id].roles
    await drive(ctx)
    await assert_gone(ctx, NAME)


async def test_timers_leave_it_alone_from_the_beginning() -> None:
    ctx = fake_context()
    await onboarded(ctx)
    await ask(ctx, NAME)
    await ctx.ledger.set_due("rotate", NAME, ctx.clock.now())  # of a sweep at the same moment
    await drive(ctx)
    await assert_gone(ctx, NAME)
    for kind in ("rotate", "verify", "discover", "import", "retire", "token"):
        await ctx.ledger.set_due(kind, NAME, ctx.clock.now())
        assert await sweep(ctx, kind) == 0
    await assert_gone(ctx, NAME)


async def test_an_operation_that_slipped_in_is_put_aside() -> None:
    ctx = fake_context()
    await onboarded(ctx)
    ended = await offboard(ctx, NAME)
    begun = await ctx.ledger.operation(NAME, ended.operation)
    assert begun is not None
    parts = {"id": "late", "kind": "rotate", "state": "running", "step": "credentials"}
    await ctx.ledger.begin(msgspec.structs.replace(begun, **parts))
    message = StepMessage(kind="rotate", connection=NAME, operation="late")
    await run(STEPS["credentials"], encode(message), "m", ctx)
    after = await ctx.ledger.operation(NAME, "late")
    assert after is not None and after.state == "superseded"
    assert ctx.tenant.applications == {}


async def test_only_one_operation_at_a_time_and_repeats_join() -> None:
    ctx = fake_context()
    await onboard(ctx)
    with pytest.raises(Rejected) as busy:
        await ask(ctx, NAME)
    assert busy.value.problem.code == "OPERATION_RUNNING"
    await drive(ctx)
    first = await ask(ctx, NAME)
    assert (await ask(ctx, NAME, "again")).id == first.id
    await drive(ctx)
    with pytest.raises(Rejected) as over:
        await ask(ctx, NAME, "third")
    assert over.value.problem.code == "OFFBOARDED"


async def test_the_name_is_free_for_a_new_connection_and_the_history_goes_on() -> None:
    ctx = fake_context()
    old = await onboarded(ctx)
    await ask(ctx, NAME)
    with pytest.raises(Rejected) as early:
        await onboard(ctx)
    assert early.value.problem.code == "OFFBOARDING"
    await drive(ctx)
    rows = len(await ctx.ledger.history(NAME))
    ctx.clock.advance(days=1)
    begun = await onboarding.onboard(ctx, request(), asked_by="test")
    assert begun.fresh
    await drive(ctx)
    await assert_onboarded(ctx)
    new = await connection(ctx)
    assert new.offboarding is None and new.facts.client_id != old.facts.client_id
    history = await whats(ctx, NAME)
    assert history.count("connection.requested") == 2 and len(history) > rows
    await offboard(ctx, NAME, "leave twice")
    await assert_gone(ctx, NAME)


async def test_a_message_that_comes_again_does_not_bring_it_back() -> None:
    ctx = fake_context()
    await onboarding.onboard(ctx, request(), asked_by="queue", operation="from-queue")
    await drive(ctx)
    await offboard(ctx, NAME)
    with pytest.raises(Rejected) as refused:
        await onboarding.onboard(ctx, request(), asked_by="queue", operation="from-queue")
    assert refused.value.problem.code == "OFFBOARDED"
    await assert_gone(ctx, NAME)


async def test_memberships_and_the_products_own_names_go_too() -> None:
    ctx = fake_context()
    ctx.tenant.organisations["contoso"] = Organisation(ctx.tenant.identity.id)
    known = await access.begin(ctx, "pandium", inputs=ORG, features=MEMBER, whole=True)
    joined = (await access.found(ctx)).membership
    assert known.handed and joined is not None and joined.joined
    names = set(ctx.vault.versions)
    await ctx.ledger.record(access.NAME, ctx.clock.now(), "connection.requested", {})
    await offboard(ctx, access.NAME)
    await assert_gone(ctx, access.NAME)
    assert set(ctx.vault.deleted) == names


async def test_who_may_not_manage_the_organisation_is_told_what_is_left_there() -> None:
    ctx = fake_context()
    ctx.tenant.organisations["contoso"] = Organisation(ctx.tenant.identity.id)
    await access.begin(ctx, "pandium", inputs=ORG, features=MEMBER, whole=True)
    await ctx.ledger.record(access.NAME, ctx.clock.now(), "connection.requested", {})
    ctx.tenant.organisations["contoso"].administered = False
    await offboard(ctx, access.NAME)
    told = await access.told(ctx)
    assert told.reason == "OFFBOARDING_INCOMPLETE" and "organisation contoso" in told.message
    ctx.tenant.organisations["contoso"].administered = True
    await offboard(ctx, access.NAME, "again")
    await assert_gone(ctx, access.NAME)
