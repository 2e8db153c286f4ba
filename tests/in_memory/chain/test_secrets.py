"""No secret of ours is forgotten, and none that somebody may use is taken away too soon."""

from datetime import timedelta

import pytest

from functions import declare_steps
from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Aspect, Status
from shared.model.directory import GRAPH_APP_ID
from shared.operations import TIMER, start
from shared.planning.credentials import PREFIX
from shared.planning.lifetime import due_at, policy_of
from shared.profile import catalogue
from shared.requests import Acknowledgement
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.tenant import GrantRow, SecretRow
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard, statuses


def held(ctx: FakeContext) -> list[str]:
    (application,) = ctx.tenant.applications.values()
    return [secret.id for secret in application.secrets]


async def rotate(ctx: FakeContext, operation: str) -> None:
    await onboarding.run(ctx, NAME, "rotate", operation, asked_by="test")
    await drive(ctx)


async def served(ctx: FakeContext) -> str:
    current = await ctx.vault.current(NAME)
    assert current is not None
    return current.key_id


async def retire(ctx: FakeContext, days: int) -> None:
    for _ in range(days):
        ctx.clock.advance(days=1)
        await sweep(ctx, "retire")
        await drive(ctx)


@pytest.mark.requirement("X-10")
async def test_a_second_rotation_within_the_overlap_forgets_no_secret() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    await rotate(ctx, "rotate-1")
    ctx.clock.advance(days=1)
    await rotate(ctx, "rotate-2")
    assert len(held(ctx)) == 3  # consumers may use each of them
    await retire(ctx, 9)
    assert held(ctx) == [await served(ctx)]


@pytest.mark.requirement("X-14")
async def test_secrets_that_live_shorter_than_the_overlap_do_not_pile_up() -> None:
    ctx = fake_context()
    inputs = {
        "provider_name": "DVLS PAM",
        "config_name": "nightly",
        "search_mode": "roles",
        "secret_lifetime": "P1D",
    }
    await onboard(ctx, inputs=inputs)
    await drive(ctx)
    for _ in range(60):
        ctx.clock.advance(hours=4)
        for kind in ("rotate", "retire"):
            await sweep(ctx, kind)
            await drive(ctx)
        assert len(held(ctx)) <= 3
    assert await served(ctx) in held(ctx)


async def test_attempts_that_failed_leave_no_secret_for_good() -> None:
    ctx = fake_context()
    refused = NeedsHuman("TOKEN_REFUSED", "AADSTS53003", "look it up")
    ctx.tenant.fail("tokens.obtain", refused, times=4)
    for _ in range(5):
        await onboard(ctx)
        await drive(ctx)
        ctx.clock.advance(hours=2)
    await retire(ctx, 9)
    await assert_onboarded(ctx)


@pytest.mark.requirement("X-10", "X-13")
async def test_a_foreign_secret_and_one_of_another_ledger_are_left_alone() -> None:
    ctx = await onboarded()
    (application,) = ctx.tenant.applications.values()
    now = ctx.clock.now()
    others = [
        SecretRow(
            name=name, value="x", starts=now - timedelta(days=9), ends=now + timedelta(days=99)
        )
        for name in ("by hand", f"{PREFIX}devolutions-server/0123456789abcdef of a test system")
    ]
    application.secrets[:0] = others
    await rotate(ctx, "rotate-1")
    await retire(ctx, 9)
    assert held(ctx) == [*(other.id for other in others), await served(ctx)]


@pytest.mark.requirement("N-08")
async def test_a_published_secret_that_the_vault_lost_is_retired_after_its_overlap() -> None:
    ctx = await onboarded()
    lost = await served(ctx)
    ctx.vault.versions.clear()
    ctx.clock.advance(hours=2)
    await rotate(ctx, "rotate-1")
    assert lost in held(ctx)  # a person may have entered it into the product
    await retire(ctx, 9)
    assert held(ctx) == [await served(ctx)]


async def test_an_operation_that_finds_all_done_still_notes_dates() -> None:
    ctx = fake_context()
    ctx.tenant.fail(
        "ledger.amend(credential)", NeedsHuman("AUTOMATION_PRIVILEGE", "403", "grant it")
    )
    await onboard(ctx)
    await drive(ctx)
    assert (await statuses(ctx))["CredentialReady"] == Status.FALSE
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)
    assert "rotate" in await ctx.ledger.due_times(NAME)


async def test_an_extra_permission_does_not_stop_the_rotation() -> None:
    ctx = await onboarded()
    (principal,) = ctx.tenant.principals.values()
    graph = ctx.tenant.resources[GRAPH_APP_ID]
    there = {grant.permission_id for grant in principal.grants}
    extra = next(
        p for p in graph.permissions if p.key.kind == "application" and p.key.id not in there
    )
    principal.grants.append(GrantRow(resource_id=graph.principal_id, permission_id=extra.key.id))
    before = await served(ctx)
    await rotate(ctx, "rotate-1")
    assert await served(ctx) != before
    verified = (await connection(ctx)).condition(Aspect.VERIFIED)
    assert verified is not None and verified.reason == "EXTRA_PERMISSION"


@pytest.mark.parametrize(
    "row",
    ["application", "principal", "grant", "role", "secret"],
)
async def test_a_replica_that_lags_is_no_finding(row: str) -> None:
    ctx = await onboarded()
    (application,) = ctx.tenant.applications.values()
    (principal,) = ctx.tenant.principals.values()
    match row:
        case "application":
            application.hidden = 1
        case "principal":
            principal.hidden = 1
        case "grant":
            principal.grants[0].hidden = 1
        case "role":
            principal.roles[0].hidden = 1
        case "secret":
            application.secrets[0].unknown = 1
    ctx.clock.advance(hours=3)
    await onboarding.run(ctx, NAME, "verify", "verify-1", asked_by="test")
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_an_application_that_one_replica_does_not_show_is_not_gone() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=130)
    (application,) = ctx.tenant.applications.values()
    application.hidden = 1
    await rotate(ctx, "rotate-1")
    assert (await statuses(ctx))["CredentialReady"] == Status.TRUE


async def test_an_acknowledgement_stays_until_another_secret_is_published() -> None:
    ctx = await onboarded()
    taken = await onboarding.acknowledge(
        ctx, NAME, Acknowledgement(), by="ana", asked_by="ana@contoso.com"
    )
    await onboarding.run(ctx, NAME, "verify", "verify-1", asked_by="test")
    await drive(ctx)
    assert (await connection(ctx)).condition(Aspect.HANDED_OVER) == taken
    await rotate(ctx, "rotate-1")
    now = (await connection(ctx)).condition(Aspect.HANDED_OVER)
    assert now is not None and now.reason == "PUBLISHED"


@pytest.mark.requirement("D-03")
async def test_somebody_elses_application_of_our_name_is_not_touched() -> None:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx, lambda sent: ctx.tenant.faults.count("applications.ensure") == 1)
    (row,) = ctx.tenant.applications.values()
    foreign = fake_context()
    foreign.tenant.applications[row.wanted.unique_name] = row
    row.wanted = type(row.wanted)(
        **{f: getattr(row.wanted, f) for f in row.wanted.__struct_fields__} | {"tags": ()}
    )
    await onboard(foreign)
    await drive(foreign)
    assert (await connection(foreign)).conditions[0].reason == "APP_NAME_CLASH"
    assert not foreign.tenant.faults.count("applications.ensure")


async def test_a_lost_answer_at_the_limit_is_told_as_such() -> None:
    ctx = fake_context()
    ctx.tenant.fail("credentials.add", TryLater("ANSWER_LOST", "HTTP 503"), times=10_000)
    await onboard(ctx)
    await drive(ctx)
    ready = (await connection(ctx)).condition(Aspect.CREDENTIAL_READY)
    assert ready is not None and ready.reason == "ANSWER_LOST"


async def test_a_sweep_that_comes_too_late_makes_no_second_secret() -> None:
    """Its operation finds that the one before it has done what was due."""
    ctx = await onboarded()
    first = await served(ctx)
    operation = await start(ctx, NAME, "rotate", "late", asked_by=TIMER, reason="due")
    assert operation is not None
    await drive(ctx)
    assert await served(ctx) == first
    assert (await statuses(ctx))[Aspect.CREDENTIAL_READY] == Status.TRUE


async def test_a_rotation_that_came_before_its_time_comes_again_at_it() -> None:
    """What made it due was healed meanwhile; it must not be asked for every hour until then."""
    ctx = await onboarded()
    before = (await connection(ctx)).credential
    assert before is not None
    ctx.clock.advance(days=1)
    await ctx.ledger.set_due("rotate", NAME, ctx.clock.now())
    assert await sweep(ctx, "rotate") == 1
    await drive(ctx)
    assert (await ctx.ledger.due_times(NAME))["rotate"] == before.due
    assert (await connection(ctx)).credential == before


async def test_a_rotation_is_due_by_the_life_of_the_secret_and_not_by_its_publication() -> None:
    """Half a day may lie between them; who asks for something meanwhile must see the same."""
    ctx = fake_context()
    declare_steps()
    await onboard(ctx)
    await drive(ctx, lambda sent: sent.step == "credentials" and bool(held(ctx)))
    ctx.clock.advance(days=0.5)
    await drive(ctx)
    await assert_onboarded(ctx)
    known = await connection(ctx)
    assert known.credential is not None
    (application,) = ctx.tenant.applications.values()
    (row,) = application.secrets
    policy = policy_of(catalogue()[known.spec.profile], known.spec)
    assert known.credential.due == due_at(policy, row.starts, row.ends)
