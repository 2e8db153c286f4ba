"""What a profile with its features asks for: permissions and roles."""

from collections.abc import Iterable, Mapping, Sequence

from shared.errors import NeedsHuman
from shared.model.connection import RoleAdvice, Spec, Value
from shared.model.directory import Kind, Permission, Resource
from shared.model.profile import RESOURCES, Profile, holds
from shared.planning.advice import ANYBODY

ADMIN_TARGETS = "admin_targets"
"""The feature that asks for the role that accounts of administrators need."""


class WantedPermission(Value, frozen=True):
    """A permission by name, before the tenant has been asked for its id."""

    resource: str  # application id
    kind: Kind
    name: str


class Access(Value, frozen=True):
    """Everything that a connection is to be given."""

    permissions: tuple[WantedPermission, ...]
    roles: tuple[str, ...]
    swapped: tuple[str, ...] = ()


def plan_access(profile: Profile, spec: Spec, advice: RoleAdvice | None = None) -> Access:
    """The union of all entries whose conditions hold, with the accepted swaps applied.

    With the feature admin_targets, *advice* chooses among the roles that a profile escalates to.
    """
    swaps = {
        (swap.kind, swap.instead_of): swap.use
        for swap in profile.least_privilege
        if swap.instead_of in spec.accept_swaps and holds(swap.when, spec.features)
    }
    found: dict[WantedPermission, None] = {}
    for entry in profile.permissions:
        if entry.advisory or not holds(entry.when, spec.features):
            continue
        for name in entry.names:
            used = swaps.get((entry.kind, name), name)
            found[WantedPermission(RESOURCES[entry.resource], entry.kind, used)] = None
    return Access(
        permissions=tuple(found),
        roles=tuple(
            dict.fromkeys(
                _role(entry, spec.features, advice) for entry in _roles(profile, spec.features)
            )
        ),
        swapped=tuple(sorted(name for _, name in swaps)),
    )


def _roles(profile: Profile, features: Mapping[str, bool]) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (entry.role, entry.escalate_to)
        for entry in profile.directory_roles
        if holds(entry.when, features)
    ]


def _role(
    entry: tuple[str, tuple[str, ...]], features: Mapping[str, bool], advice: RoleAdvice | None
) -> str:
    """The vendor's role, or with admins among the targets the first escalation that covers them.

    Where none covers them the vendor's stays, and the roles step says that it is too low.
    """
    role, escalations = entry
    if not escalations or not features.get(ADMIN_TARGETS):
        return role
    if advice is None:
        return escalations[0]
    return next((name for name in escalations if name in advice.sufficient), role)


def reset_roles(profile: Profile, spec: Spec) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The profile's roles that reset passwords, and those that it escalates to or adds."""
    plain = {**spec.features, ADMIN_TARGETS: False}
    entries = _roles(profile, plain)
    vendor = tuple(dict.fromkeys(role for role, _ in entries if role in ANYBODY))
    more = [name for _, escalations in entries for name in escalations]
    more += [role for role, _ in _roles(profile, {**plain, ADMIN_TARGETS: True})]
    return vendor, tuple(dict.fromkeys(r for r in more if r in ANYBODY and r not in vendor))


def resolve(wanted: Iterable[WantedPermission], resource: Resource) -> tuple[Permission, ...]:
    """Find each name, in any letter case, among what the API offers.

    Raises `NeedsHuman` PERM_UNKNOWN naming all that are missing, with what was probably meant.
    """
    offered = {(p.key.kind, p.name.lower()): p for p in resource.permissions}
    wanted = tuple(wanted)
    missing = [w for w in wanted if (w.kind, w.name.lower()) not in offered]
    if missing:
        raise NeedsHuman(
            "PERM_UNKNOWN",
            "; ".join(_unknown(w, resource) for w in missing),
            "Correct the names in the profile; they must exist on the API in this tenant.",
        )
    return tuple(dict.fromkeys(offered[w.kind, w.name.lower()] for w in wanted))


def _unknown(wanted: WantedPermission, resource: Resource) -> str:
    other = [p.key.kind for p in resource.permissions if p.name.lower() == wanted.name.lower()]
    if other:
        return f"{wanted.name} exists as {other[0]} permission only, not as {wanted.kind}"
    import difflib  # seldom needed, and every cold start would pay for it

    names = [p.name for p in resource.permissions if p.key.kind == wanted.kind]
    near = difflib.get_close_matches(wanted.name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no {wanted.kind} permission {wanted.name} on {resource.app_id}{hint}"


def names(permissions: Sequence[Permission]) -> tuple[str, ...]:
    return tuple(sorted(p.name for p in permissions))
