"""Directory roles, the product's own roles, and how wide the audience is."""

from collections.abc import Iterator

from shared.model.profile import Profile
from shared.profile.lint.finding import Finding, error, warning
from shared.profile.lint.names import names, nearest


def check_roles(profile: Profile) -> Iterator[Finding]:
    for place, entry in enumerate(profile.directory_roles):
        path = f"directory_roles[{place}]"
        yield from _directory_role(entry.role, f"{path}.role")
        for other, role in enumerate(entry.escalate_to):
            yield from _directory_role(role, f"{path}.escalate_to[{other}]")
    yield from _product_roles(profile)
    if profile.registration.audience != "single_tenant":
        message = f"{profile.registration.audience} lets accounts of other tenants sign in"
        yield warning("AUDIENCE_TOO_WIDE", "registration.audience", message, "single_tenant")


def _directory_role(role: str, where: str) -> Iterator[Finding]:
    known = names().roles
    if role in known.names:
        return
    near = nearest(role, known.names)
    if near or known.complete:
        yield error("ROLE_UNKNOWN", where, f"no built-in directory role {role}", near)
    else:
        message = f"{role} is no built-in directory role: the tenant must have it as a custom one"
        yield warning("ROLE_UNKNOWN", where, message)


def _product_roles(profile: Profile) -> Iterator[Finding]:
    wanted = profile.import_
    if wanted is None:
        return
    for key in ("default_role", "require_at_least_one"):
        role: str = getattr(wanted, key)
        if role and role not in wanted.roles:
            message = f"{role} is not among the product's roles"
            yield error("ROLE_UNKNOWN", f"import.{key}", message, nearest(role, wanted.roles))
