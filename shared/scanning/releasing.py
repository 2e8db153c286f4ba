"""Acts on a person's word about removals that a scan held."""

from shared.model.scan import APPROVE
from shared.step import Done, Work


def is_asked(work: Work) -> bool:
    """Whether this operation is a decision and no scan."""
    return work.message.kind == "discover" and bool(work.options)


async def released(work: Work) -> Done:
    """Safe to repeat: what was decided once is held no more."""
    choice, operation = work.options
    name, by = work.connection.spec.name, work.operation.asked_by
    store = work.ctx.account_store
    held = await store.held(name)
    if held is not None and held.operation == operation:
        await store.release(name, approve=choice == APPROVE, now=work.now)
        lost = held.losses.accounts
        what = "removals.approved" if choice == APPROVE else "removals.dropped"
        await work.record(what, discovery=operation, accounts=lost, by=by)
    outcome = (
        "is gone from the list of accounts"
        if choice == APPROVE
        else "stays in the list of accounts until a scan decides anew"
    )
    return Done("DISCOVERED", f"What a scan did not find any more {outcome}, as {by} decided.")
