"""Permissions: their names, kinds and APIs, and those that a wider one covers."""

from collections.abc import Iterator

from shared.model.directory import Kind
from shared.model.profile import RESOURCES, RETIRED, PermissionSet, Profile, references
from shared.profile.lint.finding import Finding, error, info, warning
from shared.profile.lint.names import names, nearest, spelled

_GRAPH = RESOURCES["microsoft-graph"]

COVERS = {
    "Directory.ReadWrite.All": (
        "Directory.Read.All",
        "Group.Read.All",
        "User.Read.All",
        "GroupMember.Read.All",
    ),
    "Group.ReadWrite.All": (
        "Group.Read.All",
        "GroupMember.Read.All",
        "GroupMember.ReadWrite.All",
    ),
    "User.ReadWrite.All": ("User.Read.All",),
    "Directory.Read.All": ("User.Read.All", "Group.Read.All", "GroupMember.Read.All"),
    "RoleManagement.ReadWrite.Directory": ("RoleManagement.Read.Directory",),
}
"""Permissions of Graph and what they make superfluous, by Microsoft's descriptions of both."""

RETIRED_NAMES = (RETIRED, "azure-ad-graph", "windows-azure-active-directory")

SIGNED_IN = ("AccessAsUser", "openid", "offline_access", "profile", "email")
"""Parts of names that make sense only for a user who is signed in."""


def check_permissions(profile: Profile) -> Iterator[Finding]:
    for place, entry in enumerate(profile.permissions):
        path = f"permissions[{place}]"
        yield from _resource(profile, entry, f"{path}.resource")
        yield from _source_of_names(profile, entry, path)
        for where, name in _listed(profile, entry, path):
            for alias in _aliases(profile, entry.resource):
                yield from check_name(alias, entry.kind, name, where)
    yield from _superfluous(profile)
    yield from _swaps(profile)


def check_name(alias: str, kind: Kind, name: str, where: str) -> Iterator[Finding]:
    """Whether the API named *alias* has such a permission."""
    api = names().permissions.get(alias if RESOURCES[alias] != _GRAPH else "microsoft-graph")
    if api is None:
        return  # an API whose names are not at hand
    if canonical := spelled(name, api.of(kind)):
        if canonical != name:
            yield info("PERM_CASE", where, f"{name} is read as {canonical}", canonical)
        return
    other = Kind.DELEGATED if kind is Kind.APPLICATION else Kind.APPLICATION
    if spelled(name, api.of(other)):
        signed_in = other is Kind.DELEGATED and any(part in name for part in SIGNED_IN)
        code = "PERM_DELEGATED_ONLY" if signed_in else "PERM_KIND"
        yield error(code, where, f"{name} exists as {other} permission only, not as {kind}")
        return
    near = nearest(name, api.of(kind))
    message = f"no {kind} permission {name} of {alias} is known"
    if near or api.complete:
        yield error("PERM_UNKNOWN", where, message, near)
    else:
        yield warning("PERM_UNKNOWN", where, f"{message}; the list of names is not complete")


def _aliases(profile: Profile, resource: str) -> tuple[str, ...]:
    """The APIs that an entry may come out as; unknown ones left out."""
    used = references(resource)
    declared = profile.inputs.get(used[0].removeprefix("inputs.")) if used else None
    named = (declared.values or ()) if declared else (resource,)
    return tuple(alias for alias in named if alias in RESOURCES)


def _resource(profile: Profile, entry: PermissionSet, where: str) -> Iterator[Finding]:
    used = references(entry.resource)
    if not used:
        yield from _alias(entry.resource, where)
        return
    declared = profile.inputs.get(used[0].removeprefix("inputs."))
    if declared is None or declared.type != "enum" or entry.resource != f"${{{used[0]}}}":
        yield error("SCOPE_UNKNOWN", where, "a template for an API is one enum input and no more")
        return
    for alias in declared.values or ():
        yield from _alias(alias, where)


def _alias(alias: str, where: str) -> Iterator[Finding]:
    if alias.lower() in RETIRED_NAMES:
        message = "Azure AD Graph is retired; ask Microsoft Graph for the permission"
        yield error("RETIRED_API", where, message, "microsoft-graph")
    elif alias not in RESOURCES:
        yield error("SCOPE_UNKNOWN", where, f"no API {alias}", nearest(alias, RESOURCES))


def _source_of_names(profile: Profile, entry: PermissionSet, path: str) -> Iterator[Finding]:
    if bool(entry.names) == bool(entry.names_from):
        yield error("PERM_UNKNOWN", path, "give either names or names_from")
    if not entry.names_from:
        return
    where = f"{path}.names_from"
    root, _, name = entry.names_from.partition(".")
    declared = profile.inputs.get(name) if root == "inputs" else None
    if declared is None:
        meant = nearest(entry.names_from, (f"inputs.{other}" for other in profile.inputs))
        yield error("REFERENCE_UNKNOWN", where, f"no input {entry.names_from}", meant)
    elif declared.type != "list" or declared.values is None:
        message = f"{entry.names_from} must be a list with values: the names that were reviewed"
        yield error("INPUT_UNBOUNDED", where, message)


def _listed(profile: Profile, entry: PermissionSet, path: str) -> list[tuple[str, str]]:
    """Place and name of each permission that an entry can ask for."""
    listed = [(f"{path}.names[{place}]", name) for place, name in enumerate(entry.names)]
    source = entry.names_from.removeprefix("inputs.")
    declared = profile.inputs.get(source) if entry.names_from else None
    for place, name in enumerate((declared.values or ()) if declared else ()):
        listed.append((f"inputs.{source}.values[{place}]", name))
    return listed


def _superfluous(profile: Profile) -> Iterator[Finding]:
    """Names that another entry asks for too, or covers, whenever they are asked for."""
    asked = [
        (f"permissions[{at}].names[{place}]", entry, name)
        for at, entry in enumerate(profile.permissions)
        for place, name in enumerate(entry.names)
        if not entry.advisory
    ]
    for place, (where, entry, name) in enumerate(asked):
        for other_place, (_, other, wider) in enumerate(asked):
            if not _goes_along(entry, other):
                continue
            again = wider == name and other_place < place
            covered = _is_graph(entry) and name in COVERS.get(wider, ())
            if again or covered:
                message = f"{name} is asked for already" if again else f"{wider} covers {name}"
                yield info("PERM_REDUNDANT", where, message)
                break


def _goes_along(entry: PermissionSet, other: PermissionSet) -> bool:
    """Whether *other* holds whenever *entry* does, for the same API and kind."""
    same = (entry.resource, entry.kind) == (other.resource, other.kind)
    return same and set(other.when) <= set(entry.when)


def _is_graph(entry: PermissionSet) -> bool:
    return RESOURCES.get(entry.resource) == _GRAPH


def _swaps(profile: Profile) -> Iterator[Finding]:
    asked = {(entry.kind, name) for entry in profile.permissions for name in entry.names}
    for place, swap in enumerate(profile.least_privilege):
        path = f"least_privilege[{place}]"
        yield from check_name("microsoft-graph", swap.kind, swap.use, f"{path}.use")
        if (swap.kind, swap.instead_of) not in asked:
            meant = nearest(swap.instead_of, (name for kind, name in asked if kind is swap.kind))
            message = f"the profile does not ask for {swap.instead_of} as {swap.kind}"
            yield error("PERM_UNKNOWN", f"{path}.instead_of", message, meant)
