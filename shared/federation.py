"""Products that sign in with tokens of their own issuer: a trust on the application, no secret."""

from shared.model.credential import FederatedTrust
from shared.planning.federation import Add, Correct, plan_federation, wanted_trust
from shared.planning.templates import template_values
from shared.step import Done, Work


async def federate(work: Work) -> Done:
    """Have the federated credential as the profile wants it; safe to repeat."""
    object_id, federation = work.connection.facts.object_id, work.ctx.federation
    trust = await trust_of(work)
    action = plan_federation(trust, await federation.trusted(object_id))
    if action is None:
        return Done(
            "FEDERATED",
            f"{trust.name} trusts {trust.issuer} as {trust.subject}; there is no secret. It is "
            "not tried out: only the product can get a token with it.",
        )
    work.turn.before_write()
    try:
        match action:
            case Add():
                await federation.add(object_id, trust)
                await work.record("federation.added", name=trust.name, issuer=trust.issuer)
            case Correct(trust_id=trust_id, why=why):
                await federation.correct(object_id, trust_id, trust)
                await work.record("federation.corrected", name=trust.name, why=why)
    finally:
        work.turn.after_write()
    # Once more: what is listed must be what was written.
    raise work.wait(
        "FEDERATION_REPLICATION", f"{trust.name} was written and is not yet listed.", seconds=5
    )


async def trust_of(work: Work) -> FederatedTrust:
    """What the profile wants on this connection's application."""
    tenant = await work.ctx.directory.tenant()
    spec, facts = work.connection.spec, work.connection.facts
    absent = {f"inputs.{name}": "" for name in work.profile.inputs}
    values = absent | template_values(spec, tenant, facts, today=work.now.date().isoformat())
    return wanted_trust(work.profile, values)
