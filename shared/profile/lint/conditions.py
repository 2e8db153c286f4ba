"""Features, and the conditions that name them."""

from collections.abc import Iterator, Sequence
from typing import Any

from shared.model.profile import Profile
from shared.profile.lint.finding import Finding, error, warning
from shared.profile.lint.names import nearest

COMPUTED = ("admin_targets", "hybrid")
"""Features that may be `auto`: facts that are found out in the tenant."""


def check_conditions(profile: Profile) -> Iterator[Finding]:
    used = set()
    for path, when in conditions(profile):
        for name in when:
            feature = name.removeprefix("!")
            used.add(feature)
            if feature not in profile.features:
                meant = nearest(feature, profile.features)
                yield error("FEATURE_UNKNOWN", path, f"no feature {feature}", meant)
            elif f"!{name}" in when:
                yield error("WHEN_IMPOSSIBLE", path, f"{name} and !{name} never hold together")
    if any(entry.escalate_to for entry in profile.directory_roles):
        used.add("admin_targets")
    for name, declared in profile.features.items():
        path = f"features.{name}"
        if name not in used:
            yield warning("FEATURE_UNUSED", path, "nothing depends on this feature")
        if declared.default == "auto" and name not in COMPUTED:
            message = f"auto is for facts of the tenant: {', '.join(COMPUTED)}"
            yield error("FEATURE_UNKNOWN", f"{path}.default", message, nearest(name, COMPUTED))


def conditions(profile: Profile) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Path and features of every condition of a profile."""
    lists: dict[str, Sequence[Any]] = {
        "permissions": profile.permissions,
        "least_privilege": profile.least_privilege,
        "directory_roles": profile.directory_roles,
        "azure_roles": profile.azure_roles,
        "external_grants": profile.external_grants,
        "outputs": profile.outputs,
        "preconditions": profile.preconditions,
        "notes": profile.notes,
    }
    for key, entries in lists.items():
        for place, entry in enumerate(entries):
            yield f"{key}[{place}].when", entry.when
    for name, declared in profile.inputs.items():
        yield f"inputs.{name}.required_when", declared.required_when
    yield "credential.external_when", profile.credential.external_when or ()


def exclude(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two conditions can never hold together."""
    return any(f"!{name}" in other for name in one) or any(f"!{name}" in one for name in other)
