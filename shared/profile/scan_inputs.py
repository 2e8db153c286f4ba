"""Inputs that every product which scans takes, whether or not its profile names them."""

from collections.abc import Mapping

from shared.model.profile import DiscoveryPolicy, Input, Profile

YES_NO = ("yes", "no")

FILTER = Input(
    type="list",
    about="what is searched, by names or ids, or filters such as "
    "startsWith(displayName,'PAM-'); empty = all",
)
GENERAL = {
    "include_guests": Input(
        type="enum", values=YES_NO, about="whether guests are found; they are unless this is no"
    ),
    "include_disabled": Input(
        type="enum",
        values=YES_NO,
        about="whether disabled accounts are found; they are unless this is no",
    ),
    "read_mfa": Input(
        type="enum",
        values=YES_NO,
        about="whether the report of registered methods is read, which needs AuditLog.Read.All; "
        "it is, where granted, unless this is no",
    ),
    "read_roles": Input(
        type="enum",
        values=YES_NO,
        about="whether each account's roles are read, whatever is searched, which needs "
        "RoleManagement.Read.Directory; they are, where granted, unless this is no",
    ),
    "removal_limit": Input(
        type="int",
        min=1,
        max=10_000_000,
        about="a scan that would take away more accounts waits for approval; 500 unless given",
    ),
    "removal_percent": Input(
        type="int",
        min=1,
        max=100,
        about="the same, as a share of what is known; 50 unless given",
    ),
}
PRINCIPALS = Input(
    type="enum",
    values=YES_NO,
    about="whether service principals in the groups or roles are found, too; only with yes",
)
UNITS = Input(
    type="list",
    about="names or ids of administrative units: only roles scoped to one of them; empty = all",
)


def inputs_of(profile: Profile) -> Mapping[str, Input]:
    """The profile's own inputs, then those that scanning adds."""
    added = _of(profile.discovery) if profile.discovery else {}
    return {**profile.inputs, **{k: v for k, v in added.items() if k not in profile.inputs}}


def _of(policy: DiscoveryPolicy) -> dict[str, Input]:
    found: dict[str, Input] = {}
    if len(policy.modes) > 1:
        widest = ("all",) if {"users", "groups"} <= set(policy.modes) else ()
        found["search_mode"] = Input(
            type="enum",
            values=tuple(dict.fromkeys((*policy.modes, *widest))),
            about="what is searched; without it all that the product can take",
        )
        found["filter"] = FILTER
    found |= GENERAL
    if {"groups", "roles"} & set(policy.modes):
        found["include_service_principals"] = PRINCIPALS
    if "roles" in policy.modes:
        found["units"] = UNITS
    return found
