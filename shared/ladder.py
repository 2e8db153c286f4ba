"""The rungs of one client secret: reads what decides on the next one, and climbs it."""

import asyncio
from datetime import timedelta

from shared.errors import NeedsHuman, StepError
from shared.issuance import add, discard
from shared.leftovers import leftovers, note_strays
from shared.model.connection import Aspect, Status
from shared.model.credential import StoredSecret
from shared.model.profile import fill
from shared.planning.credential_parts import (
    Abandon,
    Action,
    Add,
    Ask,
    Discard,
    Facts,
    Publish,
    Verify,
    Wait,
)
from shared.planning.credentials import HEALED_BY_ROTATION, credential_name, staging_name
from shared.planning.templates import input_values
from shared.proof import prove
from shared.publication import publish, value_of
from shared.step import Work

LONGEST_TAG = 256
"""Characters of a tag's value. Source: Key Vault, "Secret tags"."""

AGAIN = timedelta(days=1)
"""When a rotation that was given up is tried again."""


def name_of(work: Work) -> str:
    """The same in every delivery of one operation: an orphan is recognised by it."""
    spec = work.connection.spec
    values = input_values(spec) | {"connection": spec.name, "today": ""}
    credential = work.profile.credential
    tail = fill(credential.display_name, values).strip()
    return credential_name(spec.profile, work.message.operation, tail, credential.shape)


async def gather(work: Work, *, verified: bool) -> Facts:
    """All of it is reading."""
    name, vault = work.connection.spec.name, work.ctx.vault
    held, served, staged = await asyncio.gather(
        work.ctx.credentials.held(work.connection.facts.object_id),
        vault.current(name),
        vault.current(staging_name(name)),
    )
    left = await leftovers(work, held or (), served.key_id if served else "")
    strays = await note_strays(work, held, (served, staged), left)
    noted = work.connection.credential
    return Facts(
        held=None if held is None else tuple(held),
        served=served,
        staged=staged,
        verified=verified,
        leftovers=left,
        strays=strays,
        noted=noted.key_id if noted else "",
        noted_previous=noted.previous_key_id if noted else "",
        refused=_is_refused(work, served),
    )


async def carry_out(work: Work, facts: Facts, action: Action) -> bool:
    """One action; whether it has proven the staged secret. Raises for waits and for people."""
    match action:
        case Add() as wanted:
            await add(work, wanted)
        case Discard() as lost:
            await discard(work, lost)
        case Verify():
            return await try_out(work, facts)
        case Publish(previous_key_id=previous):
            await publish(work, facts, previous)
        case Abandon() as failed:
            raise await abandon(work, facts, failed)
        case Wait(code=code, message=message, limit=limit):
            raise work.wait(code, message, seconds=5, minutes=limit / timedelta(minutes=1))
        case Ask(code=code, message=message, remedy=remedy):
            raise work.doubt(NeedsHuman(code, message, remedy))
    return False


async def try_out(work: Work, facts: Facts) -> bool:
    """Prove the staged secret; one that never works is marked, for the planner to deal with."""
    staged = facts.staged
    try:
        await prove(work, await value_of(work, staged))
    except StepError as error:
        problem = work.final(_passing(work, facts, error))
        if problem is None or staged is None:
            raise
        await _refuse(work, staged, problem)
        return False
    return True


def _passing(work: Work, facts: Facts, error: StepError) -> StepError:
    """A service principal that was just enabled is still disabled for some nodes."""
    if error.code == "SP_DISABLED" and facts.sign_in and work.options:
        return work.wait(error.code, error.message, seconds=10, minutes=10)
    return error


async def _refuse(work: Work, staged: StoredSecret, problem: NeedsHuman) -> None:
    """In the vault, where a crash cannot lose it; what was wrong goes into the history."""
    marks = {"refused": problem.code, "why": problem.message[:LONGEST_TAG]}
    await work.record(
        "secret.abandoned", key_id=staged.key_id, why=problem.code, message=problem.message
    )
    await work.ctx.vault.retag(staged, staged.tags | marks)


async def abandon(work: Work, facts: Facts, failed: Abandon) -> NeedsHuman:
    """Remove the new secret, and say so; the published one stays as it is.

    The staged version keeps its mark: after a crash the same is done, and said, again.
    """
    if facts.lists(failed.key_id):
        await discard(work, Discard(failed.key_id, why="abandoned"))
    known, now = work.connection.credential, work.ctx.clock.now()
    stays = "; nothing was published"
    if known is not None:
        until = f"{known.expires:%Y-%m-%d}"
        stays = f"; {known.shape.word} {known.hint}... stays published and expires {until}"
        # Often enough before the end, and seldom enough not to be noise.
        again = max(min(AGAIN, (known.expires - now) / 4), timedelta(hours=1))
        for kind in {"rotate", work.message.kind} & {"rotate", "prestage"}:
            await work.ctx.ledger.set_due(kind, work.connection.spec.name, now + again)
    said = facts.staged.tags.get("why", "") if facts.staged else ""
    word = work.profile.credential.shape.word
    return NeedsHuman(
        failed.code,
        f"The new {word} could not be verified and was removed again{stays}. {said}".strip(),
        "Look at the cause given; when it is gone, send the same request again. A rotation that is "
        "due is tried again by itself.",
    )


def _is_refused(work: Work, served: StoredSecret | None) -> bool:
    """Whether a verification has found since its publication that it is good for nothing."""
    found = work.connection.condition(Aspect.VERIFIED)
    return (
        found is not None
        and served is not None
        and found.status == Status.FALSE
        and found.reason in HEALED_BY_ROTATION
        and found.since >= served.created
    )
