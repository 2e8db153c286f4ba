"""Facts of the tenant that features of a profile default to."""

from shared import telemetry
from shared.errors import NeedsHuman
from shared.planning.features import HYBRID, asks_for
from shared.step import Work


async def compute_features(work: Work) -> None:
    """Look up whether the tenant is hybrid, for profiles that ask for it.

    A refusal leaves it unknown: nothing that is granted depends on it.
    """
    if not asks_for(work.profile, HYBRID):
        return
    try:
        hybrid = await work.ctx.directory.hybrid()
    except NeedsHuman as refused:
        telemetry.event("feature.unknown", feature=HYBRID, why=refused.message)
        return
    if hybrid != work.connection.hybrid:
        await work.ctx.ledger.amend(work.connection.spec.name, hybrid=hybrid)
