"""What must hold when everything has ended; each breach is a sentence."""

import json
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from tests.campaign.local_cloud.living import OVER, Asked, ended
from tests.end_to_end.local import Local, until
from tests.end_to_end.storage import messages, rows

OURS = "managed:"
"""Display names of Keyturn's secrets."""

OVERLAP = timedelta(days=8)
"""Longer than the overlap of any profile here: what waits for retirement is retired by then."""

NEXT_RUN = 3.0
"""Seconds after which the clock goes to the next run of the timers."""

FOREIGN = "campaign-foreign"
"""A secret of somebody else in the same vault."""


async def foreign(local: Local) -> dict[str, Any]:
    """Everything in tenant and vault that is not Keyturn's, to be compared."""
    tenant = await local.control("state")
    others = [app for app in tenant["applications"] if not _is_ours(app)]
    clients = {app["appId"] for app in others}
    principals = {p["id"]: p for p in tenant["servicePrincipals"] if p["appId"] in clients}
    held = {
        kind: [row for row in tenant[kind] if row[holder] in principals]
        for kind, holder in (
            ("appRoleAssignments", "principalId"),
            ("oauth2PermissionGrants", "clientId"),
            ("roleAssignments", "principalId"),
        )
    }
    vault = await local.control("state", vault=True)
    secrets = [s["versions"][-1]["updated"] for s in vault if s["name"] == FOREIGN]
    return {"applications": others, "principals": principals, "vault": secrets, **held}


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        f"{part} of others were {before[part]} and are {after[part]}"
        for part in before
        if before[part] != after[part]
    ]


async def breaches(
    local: Local, names: list[str], asked: Asked, queues: list[str]
) -> AsyncIterator[str]:
    """What is wrong as soon as nothing runs any more."""
    async for breach in _operations(local, asked):
        yield breach
    for name in names:
        async for breach in _connection(local, name):
            yield breach
    async for place, message in messages(local, queues):
        if place != "event":
            yield f"{place}: {message[:200]!r} waits for nobody"


async def breaches_after_overlap(local: Local, names: list[str]) -> AsyncIterator[str]:
    """Once every overlap is over, the served secret is the only one."""
    await local.control("clock", {"advance_seconds": OVERLAP.total_seconds()})
    for name in names:
        looked = time.monotonic()

        async def alone(name: str = name) -> bool:
            nonlocal looked
            held = [len(a["passwordCredentials"]) for a in await local.applications(name)]
            if held == [1]:
                return True
            # A sweep that found the connection busy comes back with the next run of its timer.
            if time.monotonic() - looked > NEXT_RUN and ended(await local.connection(name) or {}):
                looked = time.monotonic()
                await local.control("clock", {"advance_seconds": 300})
            return False

        try:
            await until(f"the old secrets of {name} to be retired", alone)
            await local.ended(name)
        except AssertionError as late:
            yield f"{late}; {await _held(local, name)}"
            continue
        async for breach in _connection(local, name):
            yield breach


async def _operations(local: Local, asked: Asked) -> AsyncIterator[str]:
    """Every accepted request has ended; every order has, or was refused with a record."""
    known = {str(row["RowKey"]): row for row in await rows(local, "keyturnoperations")}
    refused = {str(row["RowKey"]) for row in await rows(local, "keyturnrefusals")}
    for operation, what in asked.operations.items():
        state = _state(known.get(operation))
        if state not in OVER:
            yield f"{what} {operation} was accepted and is {state}"
    for operation, message in asked.orders.items():
        state = _state(known.get(operation))
        if state not in OVER and not any(message in row for row in refused):
            yield f"the order {message} is {state}, and there is no refusal"


def _state(row: dict[str, object] | None) -> str:
    return str(json.loads(str(row["operation"]))["state"]) if row else "unknown"


async def _connection(local: Local, name: str) -> AsyncIterator[str]:
    applications = await local.applications(name)
    if len(applications) != 1:
        yield f"{name} has {len(applications)} applications"
        return
    found = await local.connection(name) or {}
    # A jump of the clock by days finds the brokered token old until its own timer has run.
    wrong = [
        held
        for held in found["conditions"]
        if held["status"] != "True" and held["reason"] != "TOKEN_BROKER_STALE"
    ]
    if wrong:
        yield f"{name}: {json.dumps(wrong)}"
    client_id = found["application"]["client_id"]
    if client_id != applications[0]["appId"]:
        yield f"{name} is noted with another application"
    try:
        await local.token_roles(name, client_id)
    except Exception as error:  # noqa: BLE001 - whatever stands in the way of signing in
        yield f"the published secret of {name} does not sign in: {error}"
    async for breach in _secrets(local, name, found, applications[0]):
        yield breach


async def _secrets(
    local: Local, name: str, found: dict[str, Any], application: dict[str, Any]
) -> AsyncIterator[str]:
    """Each secret is served, staged, or was served and waits for its retirement."""
    served = found["credential"]["key_id"]
    published = await _in_the_vault(local, name)
    staged = (await _in_the_vault(local, f"{name}--next"))[-1:]
    held = {secret["keyId"]: secret for secret in application["passwordCredentials"]}
    if served not in held:
        yield f"{name}: the served secret is not in the directory"
    if any(key in held for key in published if key != served) and "retire" not in found["due"]:
        yield f"{name}: the retirement of earlier secrets is not due"
    for key_id, secret in held.items():
        if key_id not in {served, *published, *staged}:
            kind = "orphaned" if secret["displayName"].startswith(OURS) else "foreign"
            yield f"{name}: {kind} secret {key_id} ({secret['displayName']})"


async def _in_the_vault(local: Local, name: str) -> list[str]:
    """Key ids of a vault secret's versions that can be read, the newest last."""
    vault = await local.control("state", vault=True)
    return [
        version["tags"]["keyId"]
        for secret in vault
        if secret["name"] == name and not secret["deleted"]
        for version in secret["versions"]
        if version["enabled"] and "keyId" in (version["tags"] or {})
    ]


async def _held(local: Local, name: str) -> str:
    found, known = await local.connection(name) or {}, await local.applications(name)
    held = [(s["keyId"], s["displayName"]) for a in known for s in a["passwordCredentials"]]
    return f"held: {held}, noted: {found.get('credential')}, due: {found.get('due')}"


def _is_ours(application: dict[str, Any]) -> bool:
    return str(application.get("uniqueName") or "").startswith("keyturn-")
