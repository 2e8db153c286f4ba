"""Changes of a connection: a merge patch (RFC 7396) of what was asked for."""

from collections.abc import Mapping
from typing import Any

from shared.model.connection import Spec, Value
from shared.model.profile import Profile
from shared.profile import catalogue
from shared.requests.document import read
from shared.requests.problem import Problem, Problems, kind_of, one_of
from shared.requests.request import DRY_RUN, check_flag, check_wanted

CHANGEABLE = ("features", "inputs", "owner", "accept_swaps")
"""Fields that a connection may be given anew; its name and its profile are its identity."""


class Change(Value, frozen=True):
    """What is to be different. A null in features or inputs goes back to the profile's default."""

    fields: dict[str, Any]
    dry_run: bool = False


def check_change(body: bytes) -> Change | list[Problem]:
    """Read the body of ``PATCH /api/connections/{name}``."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    found.unknown_fields(document, (*CHANGEABLE, DRY_RUN), "")
    change = read_change(document, found)
    return found.listed() or change


def read_change(document: Mapping[str, Any], found: Problems) -> Change:
    """The form of a change; its values are checked with those that it leaves alone (`changed`)."""
    fields = {name: document[name] for name in CHANGEABLE if name in document}
    if not fields:
        found.missing("features", f"say what is to change: {one_of(CHANGEABLE)}")
    for name in ("features", "inputs"):
        if not isinstance(fields.get(name, {}), dict):
            message = f"{name} must be an object, not {kind_of(fields[name])}"
            found.invalid(name, message, "for example {}")
    return Change(fields=fields, dry_run=check_flag(document, DRY_RUN, found))


def changed(spec: Spec, change: Change) -> Spec | list[Problem]:
    """The whole new spec, checked against the profile as a new request is."""
    found = Problems()
    profile = catalogue().get(spec.profile)
    document: dict[str, Any] = {
        "profile": spec.profile,
        "owner": spec.owner,
        "accept_swaps": list(spec.accept_swaps),
        **change.fields,
        "features": _merged(_known(spec.features, profile), change.fields.get("features", {})),
        "inputs": _merged(_known_inputs(spec, profile), change.fields.get("inputs", {})),
    }
    wanted = check_wanted(spec.name, document, found)
    return found.listed() or wanted.spec


def _merged(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**known, **given}
    return {name: value for name, value in merged.items() if value is not None}


def _known(features: Mapping[str, bool], profile: Profile | None) -> dict[str, Any]:
    """Without what a newer version of the profile does not have any more."""
    return {n: v for n, v in features.items() if profile is None or n in profile.features}


def _known_inputs(spec: Spec, profile: Profile | None) -> dict[str, Any]:
    return {n: v for n, v in spec.inputs.items() if profile is None or n in profile.inputs}
