"""The next thing to do to have the secret after the published one ready before it is needed.

It is staged in the vault and proven; a rotation publishes it and makes its successor.
"""

from datetime import datetime

from shared.planning.credential_parts import Add, Discard, Facts, Keep, Verify, Wait
from shared.planning.credentials import SETTLE, is_full, kept
from shared.planning.lifetime import Policy, kept_until

Step = Add | Discard | Verify | Wait | Keep


def plan_next(policy: Policy, facts: Facts, *, name: str, operation: str, now: datetime) -> Step:
    """Decide the next action once the served secret is good; `Keep` says why nothing is done."""
    held = facts.held or ()
    staged, served = kept(policy, facts), facts.served
    known = {staged.key_id if staged else "", served.key_id if served else ""}
    lost = [secret for secret in held if secret.name == name and secret.key_id not in known]
    if lost:
        return Discard(lost[0].key_id)
    again = Add(name=name, ends=now + policy.lifetime, why="prestage")
    if staged is None:
        return _room(facts, again, now)
    found = next((secret for secret in held if secret.key_id == staged.key_id), None)
    if staged.refused:
        if found is not None:
            return Discard(staged.key_id, why="abandoned")
        return Keep("abandoned") if staged.operation == operation else _room(facts, again, now)
    if found is None:
        if now < staged.created + SETTLE:
            return Wait(
                code="SECRET_NOT_LISTED", message="The staged next secret is not listed yet."
            )
        return _room(facts, again, now)
    if now >= kept_until(policy, found.starts, found.ends):
        return Discard(staged.key_id, why="expired")
    if staged.shape is not policy.shape:
        return Discard(staged.key_id, why="kind-changed")
    return Keep("staged") if staged.verified else Verify()


def _room(facts: Facts, wanted: Add, now: datetime) -> Step:
    """While the overlap lasts, the replaced, the served and the next one are the most."""
    if is_full(facts, now):
        return Keep("full")
    return wanted
