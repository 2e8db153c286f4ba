"""Making client secrets and certificates, so that none is lost and none is left behind."""

from datetime import datetime, timedelta
from functools import partial

from shared.errors import NeedsHuman, StepError, TryLater
from shared.model.credential import NewSecret
from shared.operations import EMERGENCY
from shared.planning.credential_parts import Add, Discard
from shared.planning.credentials import staging_name
from shared.planning.sign_in import NOT_YET_ACTIVE
from shared.step import Work

ACTIVATION = 60  # seconds that a new secret is left alone before it is tried, at pace 1
MARGIN = timedelta(minutes=5)  # kept from the policy's longest lifetime, for clocks that differ


async def add(work: Work, wanted: Add) -> None:
    """Make the secret and put it where a crash cannot lose it; nothing comes in between."""
    work.turn.before_write()
    await work.record("secret.intended", name=wanted.name, why=wanted.why)
    try:
        secret = await _create(work, wanted.name, wanted.ends)
    finally:
        work.turn.after_write()
    try:
        name = staging_name(work.connection.spec.name)
        made = await work.ctx.vault.put(name, secret, await tags(work))
    except StepError as error:
        if await _take_back(work, secret):
            raise _orphaned(secret, error) from error
        raise
    except Exception:
        await _take_back(work, secret)
        raise
    ends = secret.ends.isoformat()
    await work.record("secret.added", key_id=secret.key_id, why=wanted.why, ends=ends)
    await work.record("secret.staged", key_id=secret.key_id, version=made.version)
    if ACTIVATION * work.ctx.pace > 0 and work.message.kind != EMERGENCY:
        raise work.wait(
            NOT_YET_ACTIVE,
            "The new secret is stored; giving it time to become known everywhere.",
            seconds=ACTIVATION,
        )


async def _create(work: Work, name: str, ends: datetime) -> NewSecret:
    """Add it; a tenant policy that allows less time is read and obeyed, once."""
    object_id, shape = work.connection.facts.object_id, work.profile.credential.shape
    make = partial(
        work.ctx.credentials.add, object_id, name, shape=shape, subject=work.connection.spec.name
    )
    try:
        return await make(ends)
    except NeedsHuman as refusal:
        if refusal.code != "SECRET_LIFETIME_OVER_POLICY":
            raise
        allowed = await work.ctx.credentials.longest_lifetime(shape)
        if allowed is None:
            raise
        shorter = work.ctx.clock.now() + timedelta(days=allowed) - MARGIN
        await work.record("secret.shortened", allowed_days=allowed)
        return await make(shorter)


async def _take_back(work: Work, secret: NewSecret) -> bool:
    """The vault failed: remove the new secret, unless the vault has it and only its answer
    was lost. When the vault cannot be asked either, the planner finds the orphan later.

    Answers whether it was removed.
    """
    staged = await work.ctx.vault.current(staging_name(work.connection.spec.name))
    if staged is not None and staged.key_id == secret.key_id:
        return False
    await work.ctx.credentials.remove(work.connection.facts.object_id, secret.key_id)
    await work.record(
        "secret.removed", key_id=secret.key_id, why="not-stored", code="SECRET_ORPHANED"
    )
    if staged is not None:
        # Deleted by somebody, and brought back by our attempt: nobody holds that secret any more.
        await work.ctx.vault.disable(staged)
    return True


def _orphaned(secret: NewSecret, error: StepError) -> StepError:
    """The same outcome, told as what it means for the secret."""
    why = (
        f"Secret {secret.key_id} was made but its value could not be stored; it was removed. "
        f"{error.code}: {error.message}"
    )
    if isinstance(error, TryLater):
        return TryLater("SECRET_ORPHANED", why, after=error.after, limit=error.limit)
    remedy = error.remedy if isinstance(error, NeedsHuman) else "Look at the vault."
    return NeedsHuman("SECRET_ORPHANED", why, remedy)


async def discard(work: Work, lost: Discard) -> None:
    """Remove a secret of ours that nobody can use."""
    work.turn.before_write()
    await work.ctx.credentials.remove(work.connection.facts.object_id, lost.key_id)
    work.turn.after_write()
    code = {"code": "SECRET_ORPHANED"} if lost.why == "value-lost" else {}
    await work.record("secret.removed", key_id=lost.key_id, why=lost.why, **code)


async def tags(work: Work) -> dict[str, str]:
    """Whose secret a version in the vault is."""
    return {
        "operation": work.message.operation,
        "profile": work.connection.spec.profile,
        "clientId": work.connection.facts.client_id,
        "tenantId": (await work.ctx.directory.tenant()).id,
    }
