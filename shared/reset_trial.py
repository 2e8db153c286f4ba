"""The check `reset_trial`: can the product really reset a password?"""

from shared.errors import NeedsHuman
from shared.model.credential import NewSecret
from shared.planning.access import reset_roles
from shared.planning.reset import impossible, refused
from shared.planning.sign_in import NOT_YET_ACTIVE
from shared.step import Work

CHECK = "reset_trial"
INPUT = "test_account"


async def reset_trial(work: Work, secret: NewSecret) -> NeedsHuman | None:
    """Reset the password of the input `test_account`, and of no other; what is wrong if it fails.

    Without that input, and for features that reset no passwords, nothing is tried. Raises
    `TryLater` when a service is not ready.
    """
    spec = work.connection.spec
    account = str(spec.inputs.get(INPUT) or "").strip()
    if CHECK not in work.profile.checks or not account or not reset_roles(work.profile, spec)[0]:
        return None
    target = await work.ctx.reset_trial.target(account)
    if target is None:
        return NeedsHuman(
            f"USER_NOT_FOUND:{account}",
            f"There is no account {account} for the trial reset.",
            "Give the id or the user principal name of an account that exists.",
        )
    problem = impossible(target)
    if problem is not None:
        return problem
    facts = work.connection.facts
    answer = await work.ctx.reset_trial.reset(facts.client_id, secret, target.id)
    if answer is None:
        raise work.wait(NOT_YET_ACTIVE, "The secret is not active yet.", seconds=5)
    if answer.done:
        await work.record("password.trial_reset", account=target.user_principal_name)
        return None
    held = (await work.ctx.privileges.privileges()).held.get(target.id, ())
    return refused(answer, target, held, await _roles(work))


async def _roles(work: Work) -> list[str]:
    """Names of the directory roles that the product holds for the whole directory."""
    names = await work.ctx.roles.names()
    assigned = await work.ctx.roles.assigned(work.connection.facts.principal_id)
    return [names.get(a.role_id, a.role_id) for a in assigned if a.everywhere]
