"""Checks of a profile that are more than a token and a read of Graph."""

from shared.brokering import broker_trouble
from shared.errors import NeedsHuman
from shared.membership import membership
from shared.model.credential import NewSecret
from shared.planning.import_people import blocked_by, policies_that_hit
from shared.reset_trial import reset_trial
from shared.step import Work

LOGIN = "login"
"""The feature by which people sign in to the product with their Entra ID passwords."""


async def check(work: Work, secret: NewSecret | None) -> str:
    """Run those that the profile names; answers warnings, which stop nothing.

    Raises `NeedsHuman` when one shows that the product cannot do its work.
    """
    checks, warnings = work.profile.checks, ""
    if "ropc_ready" in checks and work.connection.spec.features.get(LOGIN):
        warnings = await _password_sign_in(work)
    outside = await membership(work) if "devops_membership" in checks else None
    if problem := outside or await broker_trouble(work):
        raise work.doubt(problem)
    if "reset_trial" in checks and secret is not None:
        problem = await reset_trial(work, secret)
        if problem is not None:
            raise work.doubt(problem)
    return warnings


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
    imported = {user.id for user in store.present()}
    blocked = registered & imported if imported else registered
    if blocked:
        found.append(
            f"MFA_LOGIN_BLOCKED: password sign-in cannot satisfy MFA, which {len(blocked)} users "
            "have registered; use SAML."
        )
    hit = policies_that_hit(policies, work.connection.facts.client_id, store)
    if hit:
        warned = blocked_by(hit)
        found.append(f"{warned.code}: {warned.message} {warned.next_step}")
    return "".join(f" {text}" for text in found)
