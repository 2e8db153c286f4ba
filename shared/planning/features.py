"""Which features a connection has: those asked for, and facts of the tenant for the rest."""

from shared.model.connection import Connection
from shared.model.profile import Profile

HYBRID = "hybrid"
ADMIN_TARGETS = "admin_targets"


def features_of(profile: Profile, connection: Connection) -> dict[str, bool]:
    """Every feature of the profile; one that the request forces is what the request says.

    What is given to the product is planned with the requested ones alone: a fact that changes
    must not give it a higher role (`plan_access`).
    """
    advice = connection.advice
    facts = {
        HYBRID: bool(connection.hybrid),
        ADMIN_TARGETS: advice is not None and advice.admin_targets,
    }
    computed = {
        name: facts.get(name, False)
        for name, feature in profile.features.items()
        if feature.default == "auto"
    }
    return computed | connection.spec.features


def asks_for(profile: Profile, name: str) -> bool:
    """Whether the profile wants a fact of this name computed."""
    feature = profile.features.get(name)
    return feature is not None and feature.default == "auto"
