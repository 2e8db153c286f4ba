"""What goes wrong with secrets and sign-ins: how it shows, and what puts it right."""

from datetime import timedelta

import msgspec
import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Aspect, Condition, Status
from shared.planning.sign_in import GUID
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.drifts import application, secret, verify
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import held, rotate, served
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard, request


async def shown(ctx: FakeContext, aspect: Aspect) -> Condition:
    found = (await connection(ctx)).condition(aspect)
    assert found is not None
    return found


async def swept(ctx: FakeContext) -> Condition:
    """The next sweep of rotations, and what the verification says after it."""
    await sweep(ctx, "rotate")
    await drive(ctx)
    return await shown(ctx, Aspect.VERIFIED)


@pytest.mark.requirement("D-11", "D-40")
@pytest.mark.diagnosis("SECRET_ID_NOT_VALUE")
async def test_the_id_in_place_of_the_value_is_replaced_by_a_new_secret() -> None:
    ctx = await onboarded()
    wrong = await served(ctx)
    ctx.vault.versions[NAME][-1].value = wrong
    found = await verify(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "SECRET_ID_NOT_VALUE")
    assert found.remedy
    assert (await swept(ctx)).status == Status.TRUE
    assert await served(ctx) != wrong
    assert not GUID.fullmatch(ctx.vault.value(NAME) or "")


@pytest.mark.diagnosis("SECRET_ID_NOT_VALUE")
async def test_a_repeated_request_replaces_it_too() -> None:
    ctx = await onboarded()
    ctx.vault.versions[NAME][-1].value = wrong = await served(ctx)
    await verify(ctx)
    await onboard(ctx)
    await drive(ctx)
    assert (await shown(ctx, Aspect.VERIFIED)).status == Status.TRUE
    assert await served(ctx) != wrong


@pytest.mark.diagnosis("SECRET_EXPIRED")
async def test_an_expired_secret_is_told_and_renewed() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=185)
    found = await verify(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "SECRET_EXPIRED")
    assert "expired on 2026-07-04" in found.message
    assert "Last good check 2026-01-05" in found.message
    assert (await swept(ctx)).status == Status.TRUE


@pytest.mark.requirement("M-09")
@pytest.mark.diagnosis("SECRET_MISSING")
@pytest.mark.parametrize("where", ["directory", "vault", "value"])
async def test_a_secret_that_is_gone_is_told_and_made_anew(where: str) -> None:
    ctx = await onboarded()
    match where:
        case "directory":
            application(ctx).secrets.clear()
        case "vault":
            ctx.vault.versions[NAME][-1].enabled = False
        case "value":
            ctx.vault.versions[NAME][-1].value = "typed by somebody"
    found = await verify(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "SECRET_MISSING")
    assert found.remedy
    assert (await swept(ctx)).status == Status.TRUE
    assert await served(ctx) in held(ctx)


@pytest.mark.requirement("D-12", "X-10")
@pytest.mark.diagnosis("SECRET_NOT_YET_ACTIVE")
async def test_a_new_secret_is_not_published_before_it_works() -> None:
    ctx = fake_context()
    ctx.tenant.token_lag = 3
    await onboard(ctx)
    await drive(ctx, lambda sent: sent.step == "credentials" and sent.message.attempt == 3)
    waiting = await shown(ctx, Aspect.CREDENTIAL_READY)
    assert (waiting.status, waiting.reason) == (Status.UNKNOWN, "SECRET_NOT_YET_ACTIVE")
    assert NAME not in ctx.vault.versions
    await drive(ctx)
    await assert_onboarded(ctx)


async def test_the_longer_a_secret_is_unknown_the_less_often_it_is_tried() -> None:
    ctx = fake_context()
    ctx.tenant.token_lag = 20  # requests: less than two minutes, were each wait five seconds
    await onboard(ctx)
    await drive(ctx, lambda sent: sent.step == "credentials" and sent.message.attempt == 2)
    started = ctx.clock.now()
    await drive(ctx, lambda sent: sent.step == "credentials" and sent.message.attempt == 20)
    assert ctx.clock.now() - started > timedelta(minutes=4)
    await drive(ctx)
    await assert_onboarded(ctx)


@pytest.mark.requirement("D-10", "N-06")
@pytest.mark.diagnosis("SECRET_LIFETIME_OVER_POLICY")
async def test_the_tenants_longest_lifetime_is_used_and_told() -> None:
    ctx = fake_context()
    ctx.tenant.longest_lifetime = 90.0
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)
    ready = await shown(ctx, Aspect.CREDENTIAL_READY)
    assert "SECRET_LIFETIME_OVER_POLICY: 180 days were asked for" in ready.message
    assert "at most 90" in ready.message


@pytest.mark.diagnosis("SECRET_TYPE_BLOCKED")
async def test_a_tenant_that_blocks_secrets_stops_the_chain_with_a_remedy() -> None:
    ctx = fake_context()
    blocked = NeedsHuman("SECRET_TYPE_BLOCKED", "HTTP 400", "use a certificate")
    ctx.tenant.fail("credentials.add", blocked, times=10)
    await onboard(ctx)
    await drive(ctx)
    ready = await shown(ctx, Aspect.CREDENTIAL_READY)
    assert (ready.status, ready.reason) == (Status.FALSE, "SECRET_TYPE_BLOCKED")
    assert ready.remedy == "use a certificate"
    assert ctx.tenant.issued == []


@pytest.mark.requirement("N-07", "X-06", "X-11")
@pytest.mark.diagnosis("SECRET_ORPHANED")
async def test_a_value_that_cannot_be_stored_is_removed_and_made_again() -> None:
    ctx = fake_context()
    down = TryLater("VAULT_UNAVAILABLE", "HTTP 503")
    ctx.tenant.fail("vault.put", down, times=2)
    await onboard(ctx)
    await drive(ctx, lambda _sent: ctx.tenant.faults.count("credentials.remove") == 1)
    orphan = await shown(ctx, Aspect.CREDENTIAL_READY)
    assert (orphan.status, orphan.reason) == (Status.UNKNOWN, "SECRET_ORPHANED")
    assert "could not be stored; it was removed" in orphan.message
    assert held(ctx) == []
    await drive(ctx)
    await assert_onboarded(ctx)


@pytest.mark.requirement("X-11")
async def test_the_old_secret_stays_when_the_new_one_cannot_be_stored() -> None:
    ctx = await onboarded()
    before = await served(ctx)
    ctx.clock.advance(days=1)
    ctx.tenant.fail("vault.put", TryLater("VAULT_UNAVAILABLE", "HTTP 503"), times=10_000)
    await rotate(ctx, "rotate-1")
    ready = await shown(ctx, Aspect.CREDENTIAL_READY)
    assert (ready.status, ready.reason) == (Status.FALSE, "SECRET_ORPHANED")
    assert held(ctx) == [before]
    assert await served(ctx) == before


@pytest.mark.requirement("D-12")
@pytest.mark.diagnosis("TOKEN_OLDER_THAN_CONSENT")
async def test_a_token_without_what_was_granted() -> None:
    ctx = await onboarded()
    ctx.tenant.roles_unknown_to_tokens = frozenset({"User.Read.All"})
    found = await verify(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "TOKEN_OLDER_THAN_CONSENT")
    assert "User.Read.All" in found.message
    assert "restart the product" in found.remedy
    ctx.tenant.roles_unknown_to_tokens = frozenset()
    assert (await verify(ctx)).status == Status.TRUE


@pytest.mark.diagnosis("EMPTY_403")
@pytest.mark.parametrize("check", ["list_users", "list_groups", "list_role_assignments"])
async def test_a_refusal_says_what_the_token_holds_and_what_the_call_needs(check: str) -> None:
    ctx = await onboarded()
    ctx.tenant.denied_reads[check] = "HTTP 403"
    found = await verify(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "EMPTY_403")
    assert "The token holds Group.Read.All, RoleManagement.ReadWrite.Directory" in found.message
    assert "the call needs one of Directory.Read.All" in found.message


@pytest.mark.diagnosis("SECRET_STALE_COPY")
async def test_a_new_secret_that_nobody_took_over_is_told_before_the_old_one_goes() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=1)
    await rotate(ctx, "rotate-1")
    await verify(ctx)
    assert (await shown(ctx, Aspect.HANDED_OVER)).reason == "PUBLISHED"
    ctx.clock.advance(days=2)
    await verify(ctx)
    told = await shown(ctx, Aspect.HANDED_OVER)
    assert told.reason == "SECRET_STALE_COPY"
    version = (await ctx.vault.current(NAME)).version  # type: ignore[union-attr] # it is served
    assert version in told.message
    assert "acknowledge" in told.message


@pytest.mark.requirement("X-14")
async def test_however_often_it_is_rotated_the_number_of_secrets_is_bounded() -> None:
    ctx = await onboarded()
    most = 0
    for number in range(8):
        ctx.clock.advance(hours=3)
        await rotate(ctx, f"rotate-{number}")
        most = max(most, len(held(ctx)))
    assert most == 3
    ready = await shown(ctx, Aspect.CREDENTIAL_READY)
    assert (ready.status, ready.reason) == (Status.FALSE, "TOO_MANY_SECRETS")
    ctx.clock.advance(days=8)
    for _ in range(3):
        await sweep(ctx, "retire")
        await drive(ctx)
        ctx.clock.advance(days=1)
    assert held(ctx) == [await served(ctx)]
    await rotate(ctx, "rotate-after")
    assert (await shown(ctx, Aspect.CREDENTIAL_READY)).status == Status.TRUE


@pytest.mark.requirement("N-08", "X-10")
async def test_a_rotation_retires_the_old_secret_by_its_id_after_the_overlap() -> None:
    ctx = await onboarded()
    first = await served(ctx)
    ctx.clock.advance(days=1)
    await rotate(ctx, "rotate-1")
    application(ctx).secrets.reverse()  # no list has an order
    second = await served(ctx)
    assert sorted(held(ctx)) == sorted([first, second])
    ctx.clock.advance(days=6)
    await sweep(ctx, "retire")
    await drive(ctx)
    assert sorted(held(ctx)) == sorted([first, second])
    ctx.clock.advance(days=2)
    await sweep(ctx, "retire")
    await drive(ctx)
    assert held(ctx) == [second]


@pytest.mark.requirement("A-06", "X-13")
@pytest.mark.diagnosis("SECRET_VALUE_UNKNOWN")
async def test_a_secret_that_was_there_is_listed_and_ours_is_added() -> None:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx, lambda sent: sent.step == "credentials")
    by_hand = secret(ctx, "by hand", age=timedelta(days=100))
    await drive(ctx)
    found = await connection(ctx)
    ready = await shown(ctx, Aspect.CREDENTIAL_READY)
    assert ready.status == Status.TRUE
    assert "SECRET_VALUE_UNKNOWN" in ready.message
    assert by_hand.id in ready.message
    (stray,) = found.strays
    assert (stray.key_id, stray.name, stray.came_with) == (by_hand.id, "by hand", True)
    assert sorted(held(ctx)) == sorted([by_hand.id, await served(ctx)])


@pytest.mark.requirement("X-12")
async def test_a_rotation_that_keeps_failing_is_told_by_the_verification() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=123)  # due after 120
    await verify(ctx)
    told = [event for event in ctx.outbox.events if event.type == "keyturn.credential.overdue"]
    assert [event.data["state"] for event in told] == ["overdue"]


async def test_no_secret_is_made_for_an_application_that_waits_for_its_consent() -> None:
    ctx = fake_context()
    bare = msgspec.structs.replace(request(), approval=None)
    await onboarding.onboard(ctx, bare, asked_by="test")
    await drive(ctx)
    assert (await shown(ctx, Aspect.CONSENTED)).reason == "APPROVAL_PENDING"
    found = await verify(ctx)
    assert found.status == Status.FALSE
    await sweep(ctx, "rotate")
    await drive(ctx)
    assert held(ctx) == []


async def test_a_revoked_permission_does_not_stop_the_rotation_of_the_secret() -> None:
    """Or one missing permission would become an outage when the secret expires."""
    ctx = await onboarded()
    old = await served(ctx)
    (principal,) = ctx.tenant.principals.values()
    principal.grants.pop()
    await rotate(ctx, "r1")
    assert await served(ctx) != old
    found = await shown(ctx, Aspect.VERIFIED)
    assert (found.status, found.reason) == (Status.FALSE, "CONSENT_DRIFT")
    ready = await shown(ctx, Aspect.CREDENTIAL_READY)
    assert (ready.status, ready.reason) == (Status.TRUE, "READY")
