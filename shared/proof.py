"""Signing in with a connection's secret, as the product does, and reading what it may read."""

import asyncio

from shared.errors import TryLater
from shared.granting import read_grants
from shared.model.credential import NewSecret
from shared.model.directory import GRAPH_APP_ID
from shared.planning.access import plan_access
from shared.planning.consent import lacking as ungranted
from shared.planning.sign_in import (
    NOT_YET_ACTIVE,
    Read,
    Tried,
    denied,
    expected_roles,
    lacking,
    reads,
)
from shared.step import Work
from shared.wanted import wanted

SUCCESSES = 5  # consecutive tokens that prove a secret


async def prove(work: Work, secret: NewSecret) -> None:
    """Several tokens in a row for each API, each over a fresh connection, with the right roles.

    Raises `TryLater` for whatever may pass: nodes that do not know the secret yet, tokens from
    before the consent, reads that are refused. What somebody has revoked is no fault of the
    secret: a rotation goes on without it, and the verification reports it.
    """
    access = plan_access(work.profile, work.connection.spec)
    permissions = [(p.resource, p.name) for p in access.permissions if p.kind == "application"]
    expected = expected_roles(work.profile, work.connection.spec, permissions)
    revoked: frozenset[str] | None = None
    for _ in range(SUCCESSES):
        for tried in await sign_in(work, secret, expected):
            if revoked is None and tried.token is not None and lacking(tried):
                revoked = await _revoked(work)
            _require(work, tried, revoked or frozenset())
    for read in () if revoked else await read_with(work, secret, expected):
        if not read.facts.signed_in:
            raise _not_yet(work)
        if not read.facts.allowed:
            raise work.wait("EMPTY_403", denied(read).message, seconds=10)
    await work.record("secret.verified", key_id=secret.key_id, tokens=SUCCESSES, apis=[*expected])


async def _revoked(work: Work) -> frozenset[str]:
    """What the directory does not grant; the first secret waits for all of it."""
    if work.connection.credential is None:
        return frozenset()
    wants, (granted, delegated) = await wanted(work), await read_grants(work)
    absent = ungranted(wants.permissions, wants.resources, granted, delegated)
    return frozenset(permission.name for permission in absent)


def _require(work: Work, tried: Tried, revoked: frozenset[str]) -> None:
    if tried.token is None:
        raise _not_yet(work)
    # More than that is for the verification to report: an outage would not make it less.
    if missing := [name for name in lacking(tried) if name not in revoked]:
        raise work.wait(
            "TOKEN_OLDER_THAN_CONSENT", f"A token lacks {', '.join(missing)}.", seconds=10
        )


def _not_yet(work: Work) -> TryLater:
    return work.wait(NOT_YET_ACTIVE, "The new secret is not active yet.", seconds=5, minutes=10)


async def sign_in(
    work: Work, secret: NewSecret, expected: dict[str, frozenset[str]]
) -> tuple[Tried, ...]:
    """One token for each API."""
    client_id, tokens = work.connection.facts.client_id, work.ctx.tokens
    found = await asyncio.gather(*(tokens.obtain(client_id, secret, api) for api in expected))
    return tuple(
        Tried(api=api, expected=expected[api], token=token)
        for api, token in zip(expected, found, strict=True)
    )


async def read_with(
    work: Work, secret: NewSecret, expected: dict[str, frozenset[str]]
) -> tuple[Read, ...]:
    """One harmless read for each permission on Graph, and for each check of the profile."""
    client_id, tokens = work.connection.facts.client_id, work.ctx.tokens
    names = reads(work.profile.checks, expected.get(GRAPH_APP_ID, frozenset()))
    found = await asyncio.gather(*(tokens.read_as(client_id, secret, name) for name in names))
    return tuple(
        Read(what=name, facts=facts)
        for name, facts in zip(names, found, strict=True)
        if facts is not None
    )
