"""What a profile with its features asks for: permissions and roles."""

from collections.abc import Iterable, Mapping, Sequence

from shared.errors import NeedsHuman
from shared.model.connection import RoleAdvice, Spec, Value
from shared.model.directory import Kind, Permission, Resource
from shared.model.profile import RESOURCES, PermissionSet, Profile, fill, holds
from shared.planning.advice import ANYBODY
from shared.planning.features import ADMIN_TARGETS
from shared.planning.templates import profile_inputs


class WantedPermission(Value, frozen=True):
    """A permission by name, before the tenant has been asked for its id."""

    resource: str  # application id
    kind: Kind
    name: str


ROLE_MARK = "role/"
"""Begins the mark of a directory role among what Keyturn itself has given; its id follows."""


class Access(Value, frozen=True):
    """Everything that a connection is to be given."""

    permissions: tuple[WantedPermission, ...]
    roles: tuple[str, ...]
    swapped: tuple[str, ...] = ()


def plan_access(
    profile: Profile, spec: Spec, advice: RoleAdvice | None = None, in_force: Sequence[str] = ()
) -> Access:
    """The union of all entries whose conditions hold, with the accepted swaps applied.

    With the feature admin_targets, *advice* chooses among the roles that a profile escalates to.
    Timers name the roles *in force*: one that was escalated to before stays the wanted one.
    Raises `NeedsHuman` SCOPE_UNKNOWN where an entry's API is none that profiles may name.
    """
    swaps = {
        (swap.kind, swap.instead_of): swap.use
        for swap in profile.least_privilege
        if swap.instead_of in spec.accept_swaps and holds(swap.when, spec.features)
    }
    inputs = profile_inputs(profile, spec)
    found: dict[WantedPermission, None] = {}
    for entry in profile.permissions:
        if entry.advisory or not holds(entry.when, spec.features):
            continue
        resource = api(entry.resource, inputs)
        for name in _names(entry, spec):
            used = swaps.get((entry.kind, name), name)
            found[WantedPermission(resource, entry.kind, used)] = None
    return Access(
        permissions=tuple(found),
        roles=tuple(
            dict.fromkeys(
                _role(entry, spec.features, advice, in_force)
                for entry in _roles(profile, spec.features)
            )
        ),
        swapped=tuple(sorted(name for _, name in swaps)),
    )


def api(resource: str, inputs: Mapping[str, str]) -> str:
    """Application id of an API given by its alias, or by a template that gives one."""
    alias = fill(resource, inputs)
    if alias not in RESOURCES:
        raise NeedsHuman(
            "SCOPE_UNKNOWN",
            f"No API is called {alias!r}.",
            f"Choose one of {', '.join(RESOURCES)}.",
        )
    return RESOURCES[alias]


def api_name(app_id: str) -> str:
    """An API for people: its alias and its application id."""
    alias = next((alias for alias, known in RESOURCES.items() if known == app_id), "")
    return f"{alias} ({app_id})" if alias else app_id


def _names(entry: PermissionSet, spec: Spec) -> Sequence[str]:
    """The entry's own names, or what a request chose of the reviewed ones."""
    if not entry.names_from:
        return entry.names
    chosen = spec.inputs.get(entry.names_from.removeprefix("inputs.")) or ()
    return tuple(map(str, chosen))


def _roles(profile: Profile, features: Mapping[str, bool]) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (entry.role, entry.escalate_to)
        for entry in profile.directory_roles
        if holds(entry.when, features)
    ]


def _role(
    entry: tuple[str, tuple[str, ...]],
    features: Mapping[str, bool],
    advice: RoleAdvice | None,
    in_force: Sequence[str],
) -> str:
    """The vendor's role, or with admins among the targets the first escalation that covers them.

    Where none covers them the vendor's stays, and the roles step says that it is too low.
    """
    role, escalations = entry
    if not escalations or not features.get(ADMIN_TARGETS):
        return role
    if before := next((name for name in escalations if name in in_force), None):
        return before
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

    Raises `NeedsHuman` naming all that cannot be had: PERM_UNKNOWN with what was probably meant,
    PERM_DELEGATED_ONLY or PERM_KIND for names that exist in the other kind only.
    """
    offered = {(p.key.kind, p.name.lower()): p for p in resource.permissions}
    wanted = tuple(wanted)
    refused = [_refusal(w, resource) for w in wanted if (w.kind, w.name.lower()) not in offered]
    if refused:
        code = min((code for code, _ in refused), key=tuple(REMEDIES).index)
        raise NeedsHuman(code, "; ".join(text for _, text in refused), REMEDIES[code])
    return tuple(dict.fromkeys(offered[w.kind, w.name.lower()] for w in wanted))


REMEDIES = {
    "PERM_UNKNOWN": "Correct the names in the profile; they must exist on the API in this tenant.",
    "PERM_DELEGATED_ONLY": "This permission works only for a signed-in user: drop it, or ask for "
    "it as delegated where the product signs users in.",
    "PERM_KIND": "Ask for it as application permission: it does not exist for signed-in users.",
}
"""What to do about each reason, the gravest first."""


def _refusal(wanted: WantedPermission, resource: Resource) -> tuple[str, str]:
    other = [p.key.kind for p in resource.permissions if p.name.lower() == wanted.name.lower()]
    if other:
        code = "PERM_DELEGATED_ONLY" if other[0] == Kind.DELEGATED else "PERM_KIND"
        return code, f"{wanted.name} exists as {other[0]} permission only, not as {wanted.kind}"
    import difflib  # seldom needed, and every cold start would pay for it

    names = [p.name for p in resource.permissions if p.key.kind == wanted.kind]
    near = difflib.get_close_matches(wanted.name, names, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return (
        "PERM_UNKNOWN",
        f"no {wanted.kind} permission {wanted.name} on {api_name(resource.app_id)}{hint}",
    )


def respelt(wanted: Iterable[WantedPermission], found: Iterable[Permission]) -> tuple[str, ...]:
    """``X was read as Y`` for every name that differs from the API's in letter case alone."""
    canonical = {(p.key.resource, p.key.kind, p.name.lower()): p.name for p in found}
    pairs = [(w.name, canonical[w.resource, w.kind, w.name.lower()]) for w in wanted]
    return tuple(f"{asked} was read as {real}" for asked, real in pairs if asked != real)


def names(permissions: Sequence[Permission]) -> tuple[str, ...]:
    return tuple(sorted(p.name for p in permissions))
