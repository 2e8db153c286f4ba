"""The vault's near-expiry events: a second trigger for rotation beside our own timer."""

import uuid
from typing import Any

import msgspec

from shared import telemetry
from shared.context import Context
from shared.operations import start
from shared.step import entrance

HANDLED = {"microsoft.keyvault.secretnearexpiry", "microsoft.keyvault.secretexpired"}

NAMESPACE = uuid.UUID("2f1c7f0e-7d2b-5f7a-9c55-3f1d0a9b8e61")
"""Makes operation ids from secret versions: a repeated event asks for the same rotation."""


@entrance("vault-events")
async def vault_events(body: bytes, message_id: str, ctx: Context) -> None:
    """Rotate a connection whose published secret is about to expire."""
    for event in _events(body):
        await _handle(event, message_id, ctx)


async def _handle(event: dict[str, Any], message_id: str, ctx: Context) -> None:
    kind = str(event.get("eventtype") or event.get("type") or "").lower()
    data = _lowered(event.get("data"))
    name, version = str(data.get("objectname") or ""), str(data.get("version") or "")
    connection = await ctx.ledger.connection(name) if kind in HANDLED and name else None
    if connection is None:
        telemetry.event("vault-event.ignored", message=message_id, kind=kind or "none")
        return
    current = await ctx.vault.current(name)
    if current is None or current.version != version:
        # Late or repeated: that version is not served any more, so it was rotated already.
        telemetry.event("vault-event.stale", connection=name, version=version)
        return
    operation = str(uuid.uuid5(NAMESPACE, f"{name}/{version}"))
    await start(ctx, name, "rotate", operation, asked_by="key-vault", reason="near-expiry")


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
