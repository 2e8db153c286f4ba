"""Keeps an access token fresh in the vault, for products that want one instead of a secret."""

from shared.model.connection import Aspect
from shared.step import Done, Work, step


@step(Aspect.CREDENTIAL_READY)
async def broker(work: Work) -> Done | None:
    """Nothing to do for products that sign in by themselves."""
    if work.profile.token_broker is None:
        return None
    raise NotImplementedError("the token broker")
