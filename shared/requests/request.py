"""The request to onboard a product."""

from collections.abc import Mapping
from typing import Any

import msgspec

from shared.model.connection import Approval, Spec, Value
from shared.model.profile import Profile
from shared.profile import catalogue
from shared.requests.document import read
from shared.requests.inputs import check_inputs
from shared.requests.problem import Problem, Problems, kind_of, one_of
from shared.requests.text import NAME, is_name
from shared.requests.vault_names import check_vault_names

FIELDS = ("profile", "features", "inputs", "owner", "accept_swaps", "approval")
"""Fields of a request besides the connection's name."""

DRY_RUN = "dry_run"

MAX_OWNER = 256
MAX_REASON = 1000


class Request(Value, frozen=True):
    """A valid request, every default filled in."""

    spec: Spec
    approval: Approval | None = None
    dry_run: bool = False  # answer the plan, do nothing


def check_request(body: bytes) -> Request | list[Problem]:
    """Read the body of ``POST /api/connections``."""
    found = Problems()
    document = read(body, found)
    if document is None:
        return found.listed()
    found.unknown_fields(document, ("name", *FIELDS, DRY_RUN), "")
    name = check_name(document, "name", found)
    request = check_wanted(name, document, found)
    dry_run = check_flag(document, DRY_RUN, found)
    return found.listed() or msgspec.structs.replace(request, dry_run=dry_run)


def check_name(document: Mapping[str, Any], field: str, found: Problems) -> str:
    name = document.get(field)
    rule = "2 to 121 lower case letters, digits and single hyphens, a letter first"
    if name is None or name == "":
        found.missing(field, f"the connection's name: {rule}")
    elif not isinstance(name, str) or not is_name(name):
        found.invalid(field, f"{field} is not a usable name", f"{rule}; pattern: {NAME}")
    else:
        return name
    return ""


def check_wanted(name: str, document: Mapping[str, Any], found: Problems) -> Request:
    """Everything but the name. What it answers is of use only when nothing was found."""
    profile = _profile(document, found)
    given_features = _object(document, "features", found)
    given_inputs = _object(document, "inputs", found)
    features: dict[str, bool] = {}
    inputs: dict[str, Any] = {}
    swaps: tuple[str, ...] = ()
    if profile is not None:
        features = _features(profile, given_features, found)
        inputs = check_inputs(profile, features, given_inputs, found)
        swaps = _swaps(profile, document.get("accept_swaps", []), found)
        check_vault_names(profile, name, features, inputs, found)
    spec = Spec(
        name=name,
        profile=profile.id if profile else "",
        features=features,
        inputs=inputs,
        owner=check_text(document, "owner", MAX_OWNER, found),
        accept_swaps=swaps,
    )
    return Request(spec=spec, approval=_approval(document, found))


def check_flag(document: Mapping[str, Any], field: str, found: Problems) -> bool:
    """An optional switch; off when absent."""
    value = document.get(field, False)
    if not isinstance(value, bool):
        message = f"{field} must be a boolean, not {kind_of(value)}"
        found.invalid(field, message, "allowed: true, false")
    return value is True


def check_text(
    document: Mapping[str, Any], field: str, limit: int, found: Problems, within: str = ""
) -> str:
    """An optional text; empty when absent."""
    path = f"{within}.{field}" if within else field
    text = document.get(field, "")
    if not isinstance(text, str):
        found.invalid(path, f"{path} must be a string, not {kind_of(text)}", "put it in quotes")
    elif len(text) > limit:
        found.invalid(path, f"{path} has {len(text)} characters", f"at most {limit}")
    elif text != text.strip():
        found.invalid(path, f"{path} begins or ends with white space", "remove it")
    else:
        return text
    return ""


def check_given(approval: Mapping[str, Any], within: str, found: Problems) -> Approval:
    """An approval: why. Who gives it is the caller, and nobody's word for somebody else."""
    found.unknown_fields(approval, ("reason",), within)
    reason = check_text(approval, "reason", MAX_REASON, found, within)
    if approval.get("reason") in (None, ""):
        path = f"{within}.reason" if within else "reason"
        found.missing(path, "say why the risk is acceptable: it goes into the audit history")
    return Approval(reason=reason)


def _profile(document: Mapping[str, Any], found: Problems) -> Profile | None:
    known = catalogue()
    asked = document.get("profile")
    if asked is None or asked == "":
        found.missing("profile", one_of(known))
        return None
    if not isinstance(asked, str):
        found.invalid("profile", f"profile must be a string, not {kind_of(asked)}", one_of(known))
        return None
    if asked not in known:
        found.add("profile", "PROFILE_UNKNOWN", f"there is no profile {asked}", one_of(known))
    return known.get(asked)


def _object(document: Mapping[str, Any], field: str, found: Problems) -> dict[str, Any]:
    value = document.get(field, {})
    if isinstance(value, dict):
        return value
    found.invalid(field, f"{field} must be an object, not {kind_of(value)}", "for example {}")
    return {}


def _features(profile: Profile, given: Mapping[str, Any], found: Problems) -> dict[str, bool]:
    # "auto" is a fact of the tenant: left out unless forced, and computed (`Connection.features`).
    features = {n: f.default is True for n, f in profile.features.items() if f.default != "auto"}
    for name, value in given.items():
        field = f"features.{name}"
        if name not in profile.features:
            message = f"{profile.id} has no feature {name}"
            found.add(field, "FEATURE_UNKNOWN", message, one_of(profile.features))
        elif not isinstance(value, bool):
            message = f"{field} must be a boolean, not {kind_of(value)}"
            found.invalid(field, message, "allowed: true, false")
        else:
            features[name] = value
    return features


def _swaps(profile: Profile, given: Any, found: Problems) -> tuple[str, ...]:
    field = "accept_swaps"
    offered = {swap.instead_of for swap in profile.least_privilege}
    if not isinstance(given, list):
        found.invalid(field, f"{field} must be a list, not {kind_of(given)}", one_of(offered))
        return ()
    accepted: dict[str, None] = {}
    for place, name in enumerate(given):
        path = f"{field}[{place}]"
        if not isinstance(name, str):
            found.invalid(path, f"{path} must be a string, not {kind_of(name)}", one_of(offered))
        elif name not in offered:
            message = f"{profile.id} offers no swap for {name}"
            found.add(path, "SWAP_UNKNOWN", message, one_of(offered))
        elif name in accepted:
            found.invalid(path, f"{path} is given again", "give each swap once")
        else:
            accepted[name] = None
    return tuple(accepted)


def _approval(document: Mapping[str, Any], found: Problems) -> Approval | None:
    if "approval" not in document:
        return None
    value = document["approval"]
    if not isinstance(value, dict):
        found.invalid(
            "approval", f"approval must be an object, not {kind_of(value)}", '{"reason": ...}'
        )
        return None
    return check_given(value, "approval", found)
