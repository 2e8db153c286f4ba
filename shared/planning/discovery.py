"""What a discovery run searches."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.accounts import Origin
from shared.model.connection import Value
from shared.model.entities import (
    ELIGIBLE_ROLES,
    HELD_ROLES,
    MEMBERSHIP,
    REGISTRATION,
    USER,
    Reading,
)
from shared.model.profile import DiscoveryPolicy, holds
from shared.planning.attributes import check_attributes
from shared.planning.discovery_options import options

USERS, SEARCHES = "users", ("groups", "roles")
"""Modes that look into chosen sources; the others read kinds of entities."""

NAVIGATION = {"group": ("members", "owners"), "directoryRole": ("members",)}
"""Links that Graph's delta queries track (v1.0, "group: delta", "directoryRole: delta")."""

FIELDS = {
    "group": (
        "description",
        "mail",
        "mailEnabled",
        "securityEnabled",
        "groupTypes",
        "isAssignableToRole",
        "onPremisesSyncEnabled",
    ),
    "directoryRole": ("description", "roleTemplateId"),
    "servicePrincipal": (
        "appId",
        "accountEnabled",
        "servicePrincipalType",
        "appOwnerOrganizationId",
    ),
}
"""What is read of each kind beside id and name; of users, what the request selects."""


class Search(Value, frozen=True):
    """What a request asks to search; no names mean everything of that kind."""

    configuration: str
    mode: str  # groups | roles | users | all
    names: tuple[str, ...]


def is_wanted(policy: DiscoveryPolicy | None, features: Mapping[str, bool]) -> bool:
    """Whether the profile scans at all, and its features say so."""
    if policy is None or not features.get("discovery", True):
        return False
    return holds(policy.when, features)


def search(inputs: Mapping[str, Any], modes: Sequence[str]) -> Search:
    mode = str(inputs.get("search_mode") or widest(modes))
    if mode not in modes and mode != widest(modes):
        raise NeedsHuman(
            "INPUT_INVALID",
            f"search_mode is {mode!r}; this product can search by {' or '.join(modes)}.",
            "Send the request again with one of these values of search_mode.",
        )
    names = (str(name).strip() for name in inputs.get("filter") or ())
    return Search(
        configuration=str(inputs.get("config_name") or ""),
        mode=mode,
        names=tuple(dict.fromkeys(name for name in names if name)),
    )


def widest(modes: Sequence[str]) -> str:
    """The mode of a product that lets nobody choose: it gets all that it can take."""
    return "all" if "all" in modes or {"users", "groups"} <= set(modes) else modes[0]


def readings(
    wanted: Search, policy: DiscoveryPolicy, inputs: Mapping[str, Any]
) -> tuple[Reading, ...]:
    """The kinds of entities to read, each with its links (N-20)."""
    attributes = tuple(inputs.get("attributes") or policy.attributes)
    check_attributes(attributes)
    if is_chosen(wanted):
        return ()
    kinds = (USER,) if wanted.mode == USERS else policy.entities
    tracked = policy.delta is not None
    found = []
    for kind in kinds:
        links = tuple(name for name in NAVIGATION.get(kind, ()) if name in policy.navigation)
        if kind == "group" and "members" in links and not tracked:
            # A list has no members, and a delta query has small pages: they are read apart.
            links = tuple(name for name in links if name != "members")
            found.append(Reading(kind=MEMBERSHIP, navigation=("members",)))
        fields = FIELDS.get(kind, attributes)
        found.append(Reading(kind=kind, navigation=links, attributes=fields, tracked=tracked))
    return tuple(found)


def reports(
    wanted: Search, policy: DiscoveryPolicy, inputs: Mapping[str, Any]
) -> tuple[Reading, ...]:
    """What is read besides: who has registered MFA (M-29), and who has which roles.

    A search by roles says the latter itself.
    """
    needed = any(skip.fact == "mfa_registered" and skip.policy != "ignore" for skip in policy.skip)
    asked = options(inputs)
    kinds = [REGISTRATION] if needed or asked.mfa else []
    if asked.roles and wanted.mode != "roles":
        kinds += [HELD_ROLES, ELIGIBLE_ROLES]
    return tuple(Reading(kind=kind) for kind in kinds)


def is_chosen(wanted: Search) -> bool:
    """Whether it looks into chosen sources: groups, roles, or users by their names."""
    return wanted.mode in SEARCHES or (wanted.mode == USERS and bool(wanted.names))


def scope(wanted: Search, policy: DiscoveryPolicy, inputs: Mapping[str, Any]) -> str:
    """A mark of what is searched: runs with the same one find the same rows in the same tenant."""
    chosen = replace(options(inputs), mfa=True, roles=True)
    kinds = () if is_chosen(wanted) else (policy.entities, policy.navigation)
    said = (wanted.mode, sorted(wanted.names), kinds, chosen)
    return sha256(msgspec.json.encode(said)).hexdigest()[:12]


def units(chosen: Sequence[str], known: Mapping[str, str]) -> tuple[str, ...]:
    """Ids of administrative units, given as ids or names; *known* are the names by id."""
    by_name = {name.casefold(): id_ for id_, name in known.items()}
    found = {unit: unit if unit in known else by_name.get(unit.casefold(), "") for unit in chosen}
    lost = [unit for unit, id_ in found.items() if not id_]
    if lost:
        raise NeedsHuman(
            "FILTER_NOT_FOUND",
            f"No administrative unit of the tenant is called {_listed(lost)}.",
            "Correct the names in the input units, or give the ids instead.",
        )
    return tuple(dict.fromkeys(found.values()))


def sources(wanted: Search, found: Mapping[str, Sequence[Origin]]) -> tuple[Origin, ...]:
    """The groups or roles to read: each name must mean exactly one (D-29)."""
    kind = wanted.mode.removesuffix("s")
    missing = [name for name in wanted.names if not found.get(name)]
    if missing:
        raise not_found(wanted, missing)
    several = [name for name in wanted.names if len(found[name]) > 1]
    if several:
        choices = "; ".join(f"{name!r} is {_candidates(found[name])}" for name in several)
        raise NeedsHuman(
            "FILTER_AMBIGUOUS",
            f"More than one {kind} has the same name: {choices}.",
            "Replace the name in the input filter by the id of the one that is meant.",
        )
    return distinct(found[name][0] for name in wanted.names)


def not_found(wanted: Search, names: Iterable[str]) -> NeedsHuman:
    kind = wanted.mode.removesuffix("s")
    return NeedsHuman(
        "FILTER_NOT_FOUND",
        f"No {kind} of the tenant is called {_listed(names)}.",
        f"Correct the names in the input filter, or give the {kind} ids instead.",
    )


def distinct(origins: Iterable[Origin]) -> tuple[Origin, ...]:
    """Each group or role once, however often it was named, in an order that does not vary."""
    once = {(origin.kind, origin.id): origin for origin in origins}
    return tuple(sorted(once.values(), key=lambda origin: (origin.name.casefold(), origin.id)))


def _candidates(origins: Sequence[Origin]) -> str:
    return " or ".join(f"{origin.name} ({origin.id})" for origin in origins)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
