"""Keeps an access token fresh in the vault, for products that want one instead of a secret."""

from datetime import timedelta

from shared.brokering import entries_of
from shared.errors import NeedsHuman, StepError, TryLater
from shared.mirror import look_up, note, put
from shared.model.connection import Aspect, BrokeredToken, Status
from shared.model.credential import IssuedToken, Masked
from shared.model.profile import TokenBroker, fill
from shared.planning.broker import RETRY, api_of, noted, refresh_at
from shared.planning.sign_in import NOT_YET_ACTIVE
from shared.planning.templates import input_values
from shared.step import Done, Work, step

OWN = ("TOKEN_BROKER_STALE", "SCOPE_UNKNOWN", "INPUT_INVALID", "VAULT_NAME_INVALID")
"""Reasons of the condition that this step gives, and that a fresh token takes away."""

KEPT = timedelta(days=1)
"""For so long a finished refresh is kept in the ledger: its message may come again."""


@step(Aspect.CREDENTIAL_READY)
async def broker(work: Work) -> Done | None:
    """Put a fresh access token in the vault, for products that sign in with one."""
    policy = work.profile.token_broker
    if policy is None:
        return None
    name = work.connection.spec.name
    await _forget_old(work)
    try:
        token = await _refresh(work, policy)
    except StepError as problem:
        await work.ctx.ledger.set_due("token", name, work.ctx.clock.now() + RETRY)
        if isinstance(problem, TryLater) and not _outlasted(work):
            raise
        raise _stale(problem) from problem
    await work.ctx.ledger.set_due("token", name, refresh_at(token, policy.refresh_before))
    return _done(work, token)


async def _refresh(work: Work, policy: TokenBroker) -> BrokeredToken:
    """All values are of one token; the old ones stay until there is a new one."""
    api = api_of(fill(policy.scope, input_values(work.connection.spec)))
    ctx, name = work.ctx, work.connection.spec.name
    served = await ctx.vault.current(name)
    secret = await ctx.vault.reveal(served) if served else None
    if secret is None:
        raise work.wait("SECRET_MISSING", "The vault serves no secret.", seconds=10, minutes=5)
    issued = await ctx.tokens.issue(work.connection.facts.client_id, secret, api)
    if issued is None:
        raise work.wait(NOT_YET_ACTIVE, "The secret is not active everywhere.", seconds=10)
    token = noted(issued, ctx.clock.now())
    await _write(work, issued, token)
    if work.connection.brokered is None:
        # Only the first: the audit history is kept for ever, and a token lives an hour.
        await work.record("token.brokered", scope=token.scope, token=token.token)
    await ctx.ledger.amend(name, brokered=token)
    return token


async def _write(work: Work, issued: IssuedToken, token: BrokeredToken) -> None:
    """The token before its dates: read in between, they promise too little, never too much."""
    entries = await entries_of(work, token)
    await look_up(work, entries)
    versions = {}
    for entry in sorted(entries, key=lambda entry: not entry.secret):
        value = issued.token if entry.secret else Masked(entry.value)
        expires = token.expires if entry.secret else None
        made = await put(work, entry, value, expires, token=token.token)
        versions[entry.name] = made.version
    await note(work, versions)


def _outlasted(work: Work) -> bool:
    """Whether waiting has come to what the product notices: its token has expired."""
    token = work.connection.brokered
    return token is not None and token.expires <= work.ctx.clock.now()


def _stale(problem: StepError) -> NeedsHuman:
    if isinstance(problem, NeedsHuman) and problem.code.startswith(OWN):
        return problem
    remedy = problem.remedy if isinstance(problem, NeedsHuman) else "Look at the cause given."
    return NeedsHuman(
        "TOKEN_BROKER_STALE",
        f"No fresh access token could be put in the vault: {problem.message} ({problem.code})",
        f"{remedy} The vault keeps the last values; a timer tries again.",
    )


def _done(work: Work, token: BrokeredToken) -> Done | None:
    """The condition is the secret's; only what this step made of it does it take back."""
    known = work.connection.condition(Aspect.CREDENTIAL_READY)
    if known is None or known.status == Status.UNKNOWN or known.reason.startswith(OWN):
        return Done("READY", f"The secret works; a token for {token.scope} is kept fresh.")
    return None


async def _forget_old(work: Work) -> None:
    """A refresh an hour would fill the ledger with operations that nobody asks about."""
    ledger, now = work.ctx.ledger, work.ctx.clock.now()
    for operation in await ledger.operations(work.connection.spec.name):
        over = operation.kind == "token" and operation.state != "running"
        if over and operation.id != work.message.operation and operation.changed < now - KEPT:
            await ledger.forget(operation)
