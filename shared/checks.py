"""Checks of a profile that are more than a token and a read of Graph."""

from shared.brokering import broker_trouble
from shared.errors import NeedsHuman
from shared.membership import membership
from shared.model.credential import NewSecret
from shared.planning.import_people import blocked_by, mfa_blocked, policies_that_hit
from shared.reset_trial import reset_trial
from shared.step import Work

LOGIN = "login"
"""The feature by which people sign in to the product with their Entra ID passwords."""


async def check(work: Work, secret: NewSecret | None) -> str:
    """Run those that the profile names; answers warnings, which stop nothing.

    Raises `NeedsHuman` when one shows that the product cannot do its work.
    """
    checks, warnings = work.profile.checks, ""
    if "ropc_ready" in checks and _logs_in(work):
        warnings = await _password_sign_in(work)
    outside = await membership(work) if "devops_membership" in checks else None
    if problem := outside or await broker_trouble(work):
        raise work.doubt(problem)
    if "reset_trial" in checks and secret is not None:
        problem = await reset_trial(work, secret)
        if problem is not None:
            raise work.doubt(problem)
    return warnings


def _logs_in(work: Work) -> bool:
    """Whether people are to sign in to the product so, or have been switched to it."""
    switch = work.connection.login
    return bool(work.connection.spec.features.get(LOGIN)) or bool(switch and switch.enabled)


async def _password_sign_in(work: Work) -> str:
    """Who or what would stop it. The public client flag and the redirects are no matter of
    opinion: they are compared with the registration."""
    reader, name = work.ctx.directory_reader, work.connection.spec.name
    store, _ = await work.ctx.import_store.load(name)
    found = []
    try:
        registered = await reader.mfa_registered()
        policies = await reader.policies()
    except NeedsHuman as refused:
        return f" Whether people can sign in with passwords is not known: {refused.message}"
    users = store.present()
    if blocked := sorted(u.user_principal_name for u in users if u.id in registered):
        found.append(mfa_blocked(blocked))
    if hit := policies_that_hit(policies, work.connection.facts.client_id, store):
        found.append(blocked_by(hit))
    return "".join(f" {told.code}: {told.message} {told.next_step}" for told in found)
