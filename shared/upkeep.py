"""What a look at the secrets makes due: the removal of orphans, a next secret that is missing,
and the next rotation where the present one came before its time.

Timers do that work; they are only told of it here.
"""

from shared.planning.credential_parts import Facts
from shared.planning.credentials import kept, next_secret
from shared.planning.lifetime import Policy
from shared.planning.retirement import orphans
from shared.step import Work


async def look_after(work: Work, policy: Policy, facts: Facts) -> None:
    """Have orphans removed, and the next secret made, by the next sweeps."""
    name, now, served = work.connection.spec.name, work.ctx.clock.now(), facts.served
    known = work.connection.credential
    if served is None or facts.held is None or policy.external:
        return
    following = kept(policy, facts)
    left = facts.leftovers - {following.key_id if following else ""}
    if orphans(facts.held or (), left, served.key_id, now):
        await work.ctx.ledger.set_due("retire", name, now)
    if work.message.kind == "rotate" and known and known.due > now and facts.lists(served.key_id):
        # What made it due has been healed; it would come again every hour until then.
        await work.ctx.ledger.set_due("rotate", name, known.due)
    wanting = policy.prestage and next_secret(policy, facts, now) is None
    if wanting and "prestage" not in await work.ctx.ledger.due_times(name):
        await work.ctx.ledger.set_due("prestage", name, now)
