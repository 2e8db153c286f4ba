"""Which APIs a connection gets tokens for, what they must carry, and what is read with them."""

from collections.abc import Iterable, Mapping, Sequence

from shared.model.connection import Spec
from shared.model.directory import GRAPH_APP_ID
from shared.model.profile import RESOURCES, Profile, fill
from shared.planning.templates import input_values

WITHOUT_ROLES = frozenset({RESOURCES["azure-devops"]})
"""APIs that pay no heed to application permissions: what is allowed is decided in them.

Source: Azure DevOps, "Use service principals and managed identities".
"""

_DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})

ALLOWED_BY: Mapping[str, frozenset[str]] = {
    "list_users": _DIRECTORY | {"User.Read.All", "User.ReadBasic.All", "User.ReadWrite.All"},
    "list_groups": _DIRECTORY | {"Group.Read.All", "Group.ReadWrite.All", "GroupMember.Read.All"},
    "list_role_assignments": _DIRECTORY
    | {"RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory"},
}
"""Checks that are one read of Graph, and the permissions of which one allows it."""


def expected_roles(
    profile: Profile, spec: Spec, permissions: Iterable[tuple[str, str]]
) -> dict[str, frozenset[str]]:
    """What a token must carry, for each API (application id) that one is asked for.

    A token carries the roles of one API only. *permissions* are the wanted application
    permissions as API and name. Where there is none, a token is asked for all the same: for
    the API that the profile's token broker names, or for Graph.
    """
    found: dict[str, set[str]] = {}
    for api, name in permissions:
        found.setdefault(api, set()).add(name)
    if not found:
        found[_brokered(profile, spec) or GRAPH_APP_ID] = set()
    return {
        api: frozenset() if api in WITHOUT_ROLES else frozenset(names)
        for api, names in found.items()
    }


def _brokered(profile: Profile, spec: Spec) -> str:
    """The API that the token broker asks for; empty when there is no broker."""
    if profile.token_broker is None:
        return ""
    scope = fill(profile.token_broker.scope, input_values(spec))
    return RESOURCES.get(scope.removesuffix("/.default"), "")


def reads(checks: Sequence[str], roles: frozenset[str]) -> tuple[str, ...]:
    """What is read to prove Graph's *roles*: the profile's checks, then what they leave open.

    A check that none of the roles allows is left out: a feature that is off needs no reading.
    """
    asked = [check for check in checks if roles & ALLOWED_BY.get(check, frozenset())]
    covered = frozenset[str]().union(*(ALLOWED_BY[check] for check in asked))
    return (*asked, *sorted(roles - covered))
