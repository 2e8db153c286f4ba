"""The federated identity credential that a profile wants in place of a secret."""

from collections.abc import Mapping, Sequence

from shared.errors import NeedsHuman
from shared.model.connection import Value
from shared.model.credential import FederatedTrust
from shared.model.profile import Profile, fill


class Add(Value, frozen=True):
    """There is none of that name."""


class Correct(Value, frozen=True):
    """There is one that differs."""

    trust_id: str
    why: str


def wanted_trust(profile: Profile, values: Mapping[str, str]) -> FederatedTrust:
    """The profile's, with its templates filled."""
    policy = profile.credential
    return FederatedTrust(
        name=fill(policy.name, values),
        issuer=fill(policy.issuer, values),
        subject=fill(policy.subject, values),
        audiences=(fill(policy.audience, values),),
        description=fill(policy.description, values),
    )


def plan_federation(
    wanted: FederatedTrust, found: Sequence[FederatedTrust]
) -> Add | Correct | None:
    """What to do next; None when all is as wanted. The name tells which one is ours."""
    there = next((trust for trust in found if trust.name == wanted.name), None)
    if there is None:
        return Add()
    fields = ("issuer", "subject", "audiences", "description")
    differing = [field for field in fields if getattr(there, field) != getattr(wanted, field)]
    return Correct(trust_id=there.id, why=", ".join(differing)) if differing else None


def trouble(wanted: FederatedTrust, found: Sequence[FederatedTrust]) -> NeedsHuman | None:
    """What a verification says of it."""
    match plan_federation(wanted, found):
        case Add():
            what = f"The federated credential {wanted.name} is gone"
        case Correct(why=why):
            what = f"The federated credential {wanted.name} differs in {why}"
        case _:
            return None
    return NeedsHuman(
        "SECRET_MISSING",
        f"{what}: the product cannot sign in.",
        "Send the onboarding request again: it is put right.",
    )
