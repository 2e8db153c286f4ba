"""What accounts hold that decides who may reset their passwords."""

from shared.model.connection import Value

ROLE = "role"
"""A built-in directory role."""

CUSTOM = "custom role"

GROUP = "role-assignable group"
"""Member or owner of one, also of one that has no role."""

RESTRICTED = "role in a restricted unit"
"""A role scoped to a restricted management administrative unit, whichever role it is."""


class Held(Value, frozen=True):
    """One thing that an account holds; eligible counts as held."""

    kind: str  # one of the above
    name: str  # of the role or group
    via: str = ""  # "eligible", "owner", or the group through which a role is held

    def __str__(self) -> str:
        plain = self.name if self.kind == ROLE else f"{self.kind} {self.name}"
        return f"{plain} ({self.via})" if self.via else plain


class Privileges(Value, frozen=True):
    """Everybody in the tenant who holds something; who is not named holds nothing."""

    held: dict[str, tuple[Held, ...]]  # by user id
    unknown: tuple[str, ...] = ()  # what could not be read, and why


class ResetTarget(Value, frozen=True):
    """The one account that the trial reset may touch."""

    id: str
    user_principal_name: str
    synchronised: bool  # its password is the local directory's
    federated: bool  # its domain signs in elsewhere
    guest: bool


class ResetAnswer(Value, frozen=True):
    """What became of a trial reset."""

    done: bool  # else it was refused with 403
    token_roles: frozenset[str]  # application permissions in the product's token
