"""What a trial reset of one password says about permissions and roles."""

from collections.abc import Sequence

from shared.errors import NeedsHuman
from shared.model.privilege import Held, ResetAnswer, ResetTarget
from shared.planning.advice import RESETTERS, U, able

PERMISSION = "User-PasswordProfile.ReadWrite.All"
PERMISSIONS = frozenset({PERMISSION, "User.ReadWrite.All", "Directory.ReadWrite.All"})
"""Each of them lets an application send a password profile (Graph: Update user)."""


def impossible(target: ResetTarget) -> NeedsHuman | None:
    """RESET_NOT_POSSIBLE for an account whose password is not this tenant's to set."""
    account = target.user_principal_name
    where = (
        "the local directory that it is synchronised from"
        if target.synchronised
        else "the identity provider that its domain is federated with"
        if target.federated
        else "the guest's own organisation"
        if target.guest
        else ""
    )
    if not where:
        return None
    return NeedsHuman(
        "RESET_NOT_POSSIBLE",
        f"The password of {account} is mastered elsewhere, in {where}; no reset was tried.",
        "Name a cloud-only account as test_account, reset this one at its source, or turn on "
        "password writeback.",
    )


def refused(
    answer: ResetAnswer, target: ResetTarget, held: Sequence[Held], roles: Sequence[str]
) -> NeedsHuman | None:
    """Why it was refused, from what the target holds and the product's directory *roles*."""
    if answer.done:
        return None
    account = target.user_principal_name
    if not answer.token_roles & PERMISSIONS:
        has = ", ".join(sorted(answer.token_roles)) or "no permission"
        return NeedsHuman(
            "CONSENT_MISSING",
            f"Resetting {account} was refused: the token holds {has}; the call needs {PERMISSION}.",
            f"Have {PERMISSION} granted to the application, or leave test_account out.",
        )
    own = [role for role in roles if role in RESETTERS]
    if not own:
        return NeedsHuman(
            "ROLE_MISSING",
            "The app may write profiles but has no role that resets passwords.",
            "Send the onboarding request again: it assigns the profile's role. A new role takes "
            "some minutes to reach tokens.",
        )
    return _too_low(account, held, own)


def _too_low(account: str, held: Sequence[Held], own: Sequence[str]) -> NeedsHuman:
    able_ones, role = able(held), " and ".join(own)
    if able_ones.isdisjoint(own):
        things = ", ".join(map(str, held))
        least = next(name for name in RESETTERS if name in able_ones)
        return NeedsHuman(
            "ROLE_TOO_LOW",
            f"{role} cannot reset {account} because it holds {things}; {least} can.",
            "Have the escalation approved (feature admin_targets), or name another test_account.",
        )
    return NeedsHuman(
        "ROLE_TOO_LOW",
        f"{role} was refused for {account}, although Microsoft's matrix allows it. Microsoft's "
        f"text for updates by an application names {U}.",
        f"Wait some minutes if the role is new; if it stays, have {U} assigned instead.",
    )
