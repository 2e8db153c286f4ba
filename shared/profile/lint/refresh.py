"""Taking over what a tenant says of an API's permissions into the linter's list of names."""

from typing import Any

import msgspec
import yaml

from shared.model.profile import RESOURCES
from shared.profile.lint.names import FILE, Names


class Scope(msgspec.Struct, frozen=True, rename="camel"):
    value: str
    is_enabled: bool = True


class ServicePrincipal(msgspec.Struct, frozen=True, rename="camel"):
    """Of an API, as Graph answers with `$select=appId,appRoles,oauth2PermissionScopes`."""

    app_id: str
    app_roles: tuple[Scope, ...]
    oauth2_permission_scopes: tuple[Scope, ...] = msgspec.field(name="oauth2PermissionScopes")


def refresh(text: str, answer: bytes) -> str:
    """The list of names *text* with the API of *answer* complete; the comment on top stays.

    Raises ValueError for an API that no profile can name, and for another kind of answer.
    """
    found = msgspec.json.decode(answer, type=ServicePrincipal)
    # The services that are Graph under another name come after it.
    alias = next((name for name, app_id in RESOURCES.items() if app_id == found.app_id), "")
    if not alias:
        raise ValueError(f"no alias for the API {found.app_id}")
    application = {role.value for role in found.app_roles if role.value and role.is_enabled}
    delegated = {scope.value for scope in found.oauth2_permission_scopes if scope.is_enabled}
    document: dict[str, Any] = yaml.safe_load(text)
    document["permissions"][alias] = {
        "complete": True,
        "both": sorted(application & delegated),
        "application": sorted(application - delegated),
        "delegated": sorted(delegated - application),
    }
    msgspec.convert(document, Names)
    comment = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    return comment + yaml.safe_dump(document, sort_keys=False, width=100)


def refresh_file(answer: bytes) -> None:
    FILE.write_text(refresh(FILE.read_text("utf-8"), answer), "utf-8")
