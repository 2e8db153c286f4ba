"""Tells the world of secrets that should have been rotated by now, and of those that end soon.

Rotation has a timer of its own; this is another one, for when that one fails.
"""

from shared.planning.expiry import KIND, Level, Notice, notice_of, soon, warning_of
from shared.planning.lifetime import State, state
from shared.step import Work
from shared.telling import tell_once


async def watch_age(work: Work) -> str:
    """A sentence for a condition that is true all the same; empty while the end is far."""
    known, now = work.connection.credential, work.ctx.clock.now()
    if known is None:
        return ""
    notice = notice_of(work.profile, work.connection.spec)
    if not notice.external and (age := state(known, now)) in (State.OVERDUE, State.EXPIRED):
        data = {"state": age, "due": known.due, "expires": known.expires}
        await work.announce("credential.overdue", data, at=now, mark="overdue")
    level = warning_of(work.connection, now, notice)
    name = work.connection.spec.name
    await work.ctx.ledger.set_due(KIND, name, known.expires if level else None)
    if level is not None:
        await _tell(work, level, notice)
    told = soon(work.connection, now, notice)
    return f" SECRET_EXPIRES_SOON: {told}" if told else ""


async def _tell(work: Work, level: Level, notice: Notice) -> None:
    """Once for each level and version; of levels that a late verification skips, the highest."""
    known, spec = work.connection.credential, work.connection.spec
    if known is None:
        return
    now = work.ctx.clock.now()
    data = {
        "owner": spec.owner,
        "profile": spec.profile,
        "expires": known.expires,
        "state": state(known, now),
        "external": notice.external,
        "key_id": known.key_id,
        "credential": f"/api/connections/{spec.name}/credential",
    }
    marks = {"version": known.vault_version, "warning": level}
    await tell_once(work.ctx, spec.name, "credential.expiring", marks, data)
