"""The vault's events: a second trigger for rotation beside our own timer, and for a look at once
at a version that somebody else put in a secret's place."""

import uuid
from typing import Any

import msgspec

from shared import telemetry
from shared.context import Context
from shared.model.connection import Connection
from shared.model.credential import StoredSecret
from shared.operations import is_leaving, start
from shared.planning.lifetime import comes_too_soon, policy_of
from shared.profile import catalogue
from shared.step import entrance

EXPIRING = {"microsoft.keyvault.secretnearexpiry", "microsoft.keyvault.secretexpired"}
REPLACED = "microsoft.keyvault.secretnewversioncreated"

NAMESPACE = uuid.UUID("2f1c7f0e-7d2b-5f7a-9c55-3f1d0a9b8e61")
"""Makes operation ids from secret versions: a repeated event asks for the same rotation."""


@entrance("vault-events")
async def vault_events(body: bytes, message_id: str, ctx: Context) -> None:
    """Rotate what is about to expire; look soon at what was replaced by hand."""
    for event in _events(body):
        await _handle(event, message_id, ctx)


async def _handle(event: dict[str, Any], message_id: str, ctx: Context) -> None:
    kind = str(event.get("eventtype") or event.get("type") or "").strip().lower()
    data = _lowered(event.get("data"))
    # The vault keeps the letter case of a name's first version, and pays no heed to it.
    name = str(data.get("objectname") or "").strip().lower()
    version = str(data.get("version") or "").strip().lower()
    handled = kind in EXPIRING or kind == REPLACED
    connection = await ctx.ledger.connection(name) if handled and name else None
    if connection is None:
        telemetry.event("vault-event.ignored", message=message_id, kind=kind or "none")
        return
    current = await ctx.vault.current(name)
    if current is None or current.version != version:
        # Late or repeated: that version is not served any more, so it was rotated already.
        telemetry.event("vault-event.stale", connection=name, version=version)
    elif kind == REPLACED:
        await _look_at(ctx, name, current)
    else:
        await _rotate(ctx, connection, current)


async def _rotate(ctx: Context, connection: Connection, current: StoredSecret) -> None:
    name, now = connection.spec.name, ctx.clock.now()
    profile = catalogue().get(connection.spec.profile)
    policy = policy_of(profile, connection.spec) if profile else None
    if policy is not None and comes_too_soon(policy, connection.credential, current, now):
        telemetry.event("vault-event.early", connection=name, version=current.version)
        return
    operation = str(uuid.uuid5(NAMESPACE, f"{name}/{current.version}"))
    begun = await start(ctx, name, "rotate", operation, asked_by="key-vault", reason="near-expiry")
    if begun is None:
        await _keep(ctx, name)


async def _keep(ctx: Context, name: str) -> None:
    """Another operation is in flight, and the vault tells once: the next sweep takes it over."""
    if await is_leaving(ctx, name):
        return
    row, now = await ctx.ledger.connection(name), ctx.clock.now()
    flight = await ctx.ledger.operation(name, row.operation) if row else None
    if flight is not None and flight.kind == "rotate" and flight.state == "running":
        return  # it does what the event asks for; our timer sees to it if it fails
    due = (await ctx.ledger.due_times(name)).get("rotate")
    if due is None or due > now:
        await ctx.ledger.set_due("rotate", name, now)
    telemetry.event("vault-event.kept", connection=name)


async def _look_at(ctx: Context, name: str, current: StoredSecret) -> None:
    """A version without our tags was put there by hand: verified soon, not at its time."""
    if current.key_id or await is_leaving(ctx, name):
        return
    await ctx.ledger.set_due("verify", name, ctx.clock.now())
    telemetry.event("vault-event.replaced", connection=name, version=current.version)


def _events(body: bytes) -> list[dict[str, Any]]:
    """Event Grid sends an array or one event, in its own schema or as CloudEvents; its samples
    differ from its documentation in letter case and stray blanks."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    found = decoded if isinstance(decoded, list) else [decoded]
    return [_lowered(event) for event in found if isinstance(event, dict)]


def _lowered(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        return {}
    return {str(key).strip().lower(): item for key, item in value.items()}
