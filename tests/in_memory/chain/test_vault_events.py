"""The vault's events: a second trigger for a rotation, which comes late, twice, or out of order."""

import json
from datetime import timedelta
from typing import Any

import pytest

from functions import declare_steps
from functions.sweeps import BUSY, sweep
from shared import burial, onboarding
from shared.errors import TryLater
from shared.model.connection import Aspect, Status
from shared.operations import start
from shared.runtime import run
from shared.step import STEPS
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.in_memory.chain.test_recovery import LEDGER_DOWN, onboarded
from tests.in_memory.chain.test_secrets import held, rotate, served
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard

pytestmark = pytest.mark.requirement("X-12")

NEAR = "Microsoft.KeyVault.SecretNearExpiry"
EXPIRED = "Microsoft.KeyVault.SecretExpired"
NEW_VERSION = "Microsoft.KeyVault.SecretNewVersionCreated"
TOPIC = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"


def grid(data: dict[str, Any], kind: str = NEAR) -> bytes:
    """Event Grid's own schema."""
    event = {"id": "e-1", "topic": TOPIC, "subject": NAME, "eventType": kind, "data": data}
    stamps = {"eventTime": "2026-06-04T09:00:00Z", "dataVersion": "1", "metadataVersion": "1"}
    return json.dumps([event | stamps]).encode()


def cloud(data: dict[str, Any], kind: str = NEAR) -> bytes:
    event = {"id": "e-1", "source": TOPIC, "subject": NAME, "type": kind, "data": data}
    return json.dumps(event | {"time": "2026-06-04T09:00:00Z", "specversion": "1.0"}).encode()


def odd(data: dict[str, Any], kind: str = NEAR) -> bytes:
    """As the documentation's sample writes it, and a name whose first version was typed."""
    strange = {"ObjectName ": data["ObjectName"].upper(), "VERSION": data["Version"].upper()}
    return grid(strange | {"NBF": "1", "EXP": "2"}, kind.upper())


async def told(ctx: FakeContext, name: str = NAME) -> dict[str, Any]:
    current = await ctx.vault.current(name)
    assert current is not None
    return {"ObjectType": "Secret", "ObjectName": name, "Version": current.version}


async def deliver(ctx: FakeContext, body: bytes) -> None:
    declare_steps()
    await run(STEPS["vault-events"], body, "e-1", ctx)


async def aged(days: int = 151) -> FakeContext:
    """An onboarded connection, 29 days before its secret ends."""
    ctx = await onboarded()
    ctx.clock.advance(days=days)
    return ctx


@pytest.mark.parametrize("schema", [grid, cloud, odd])
@pytest.mark.parametrize("kind", [NEAR, EXPIRED])
async def test_each_schema_starts_one_rotation_however_often_it_comes(
    schema: Any, kind: str
) -> None:
    ctx = await aged()
    before, body = await served(ctx), schema(await told(ctx), kind)
    for _ in range(3):
        await deliver(ctx, body)
    await drive(ctx)
    assert await served(ctx) != before
    assert len(held(ctx)) == 2
    for _ in range(2):  # late: its version is not the current one any more
        await deliver(ctx, body)
    await drive(ctx)
    assert len(held(ctx)) == 2
    runs = [o for o in await ctx.ledger.operations(NAME) if o.kind == "rotate"]
    assert [(o.asked_by, o.reason, o.state) for o in runs] == [
        ("key-vault", "near-expiry", "succeeded")
    ]


async def test_an_event_by_itself_rotates_a_secret_that_is_not_due_yet() -> None:
    """The vault's word counts, where it is not said of every secret as soon as it is made."""
    ctx = await aged(days=1)
    await deliver(ctx, grid(await told(ctx)))
    await drive(ctx)
    assert len(held(ctx)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"Version": "0" * 32},
        {"ObjectName": f"{NAME}--next"},
        {"ObjectName": "nobody"},
        {"ObjectName": ""},
        {"ObjectName": None},
    ],
)
async def test_other_versions_and_names_are_ignored(change: dict[str, Any]) -> None:
    ctx = await aged()
    await deliver(ctx, grid(await told(ctx) | change))
    assert ctx.outbox.queued == []


@pytest.mark.parametrize("kind", ["Microsoft.KeyVault.CertificateNearExpiry", "", NEW_VERSION])
async def test_other_kinds_rotate_nothing(kind: str) -> None:
    ctx = await aged()
    await deliver(ctx, grid(await told(ctx), kind))
    assert ctx.outbox.queued == []


@pytest.mark.parametrize("first", ["timer", "event"])
async def test_both_triggers_at_once_make_one_rotation(first: str) -> None:
    ctx = await aged()
    body = grid(await told(ctx))
    for trigger in (first, "event" if first == "timer" else "timer"):
        await (sweep(ctx, "rotate") if trigger == "timer" else deliver(ctx, body))
    await drive(ctx)
    for _ in range(5):
        ctx.clock.advance(hours=2)
        await sweep(ctx, "rotate")
        await drive(ctx)
    assert len(held(ctx)) == 2
    assert ctx.tenant.faults.count("credentials.add") == 2


async def test_an_event_during_another_operation_is_not_lost() -> None:
    ctx = await aged()
    await ctx.ledger.set_due("rotate", NAME, None)  # our own timer would not see to it
    before = await served(ctx)
    await start(ctx, NAME, "discover", "scan", asked_by="test", reason="requested")
    await deliver(ctx, grid(await told(ctx)))
    await drive(ctx)
    assert await served(ctx) == before
    assert await sweep(ctx, "rotate") == 1
    await drive(ctx)
    assert await served(ctx) != before
    ctx.clock.advance(hours=2)
    assert await sweep(ctx, "rotate") == 0


async def test_the_sweep_waits_for_the_operation_in_flight() -> None:
    ctx = await aged()
    await start(ctx, NAME, "discover", "scan", asked_by="test", reason="requested")
    await deliver(ctx, grid(await told(ctx)))
    assert await sweep(ctx, "rotate") == 0
    await drive(ctx)
    ctx.clock.advance(BUSY)
    assert await sweep(ctx, "rotate") == 1


async def test_a_connection_that_leaves_is_not_rotated() -> None:
    ctx = await aged()
    body = grid(await told(ctx))
    await onboarding.offboard(ctx, NAME, "leave", asked_by="ana", reason="replaced")
    await deliver(ctx, body)
    await drive(ctx)
    assert "rotate" not in {o.kind for o in await ctx.ledger.operations(NAME)}
    assert await ctx.ledger.due_times(NAME) == {}


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("ledger.connection", LEDGER_DOWN),
        ("ledger.begin", LEDGER_DOWN),
        ("vault.current", TryLater("VAULT_UNAVAILABLE", "HTTP 503")),
        ("outbox.send", TryLater("QUEUE_UNREACHABLE", "down")),
    ],
)
async def test_an_event_outlasts_an_outage(method: str, error: TryLater) -> None:
    """Ten deliveries fail, then those of the dead-letter queue, until the service is back."""
    ctx = await aged()
    body = grid(await told(ctx))
    ctx.tenant.fail(method, error, times=12)
    for _ in range(10):
        with pytest.raises(TryLater):
            await deliver(ctx, body)
    failed = 0
    for _ in range(3):
        try:
            await burial.bury(STEPS["vault-events"], body, "e-1", burial.GIVEN_UP, ctx)
        except TryLater:
            failed += 1
    assert failed == 2
    await drive(ctx)
    assert len(held(ctx)) == 2
    assert ctx.outbox.refused == []


@pytest.mark.parametrize("lifetime", ["P7D", "P30D", "P40D"])
async def test_a_secret_of_a_short_life_is_not_rotated_without_end(lifetime: str) -> None:
    """Its near-expiry event comes long before it is due, at worst with its publication."""
    ctx = fake_context()
    inputs = {
        "provider_name": "DVLS PAM",
        "config_name": "nightly",
        "search_mode": "roles",
        "secret_lifetime": lifetime,
    }
    await onboard(ctx, inputs=inputs)
    await drive(ctx)
    await assert_onboarded(ctx)
    known = (await connection(ctx)).credential
    assert known is not None
    ctx.clock.reach(known.expires - timedelta(days=30))
    body = grid(await told(ctx))
    for _ in range(3):
        await deliver(ctx, body)
        await drive(ctx)
    assert len(held(ctx)) == 1
    ctx.clock.reach(known.due)  # told again, late: it is right now
    await deliver(ctx, body)
    await drive(ctx)
    assert len(held(ctx)) == 2


async def test_an_end_that_somebody_moved_near_is_put_right() -> None:
    ctx = await aged(days=3)
    ctx.vault.versions[NAME][-1].expires = ctx.clock.now() + timedelta(days=20)
    await deliver(ctx, grid(await told(ctx)))
    await drive(ctx)
    (_, new) = ctx.vault.versions[NAME]
    assert new.expires is not None
    assert new.expires > ctx.clock.now() + timedelta(days=179)


async def test_a_version_that_somebody_put_there_is_looked_at_soon() -> None:
    ctx = await onboarded()
    ours = await told(ctx)
    await deliver(ctx, grid(ours, NEW_VERSION))
    assert await sweep(ctx, "verify") == 0  # our own: verified when it is time
    by_hand = ctx.vault.type_in(NAME, "typed by somebody")
    await deliver(ctx, cloud(ours | {"Version": by_hand.id}, NEW_VERSION))
    assert await sweep(ctx, "verify") == 1
    await drive(ctx)
    found = (await connection(ctx)).condition(Aspect.VERIFIED)
    assert found is not None and (found.status, found.reason) == (Status.FALSE, "SECRET_MISSING")


async def test_a_second_rotation_after_the_first_has_an_event_of_its_own() -> None:
    ctx = await aged()
    first = grid(await told(ctx))
    await deliver(ctx, first)
    await drive(ctx)
    ctx.clock.advance(days=151)
    await deliver(ctx, grid(await told(ctx)))
    await deliver(ctx, first)
    await drive(ctx)
    runs = [o for o in await ctx.ledger.operations(NAME) if o.kind == "rotate"]
    assert len(runs) == 2 and {o.state for o in runs} == {"succeeded"}
    before = await served(ctx)
    await rotate(ctx, "by-hand")
    assert await served(ctx) != before
