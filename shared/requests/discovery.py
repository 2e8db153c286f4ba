"""What a request says about discovery: its schedule, its attributes, and a full run."""

from collections.abc import Mapping
from typing import Any

from shared.errors import NeedsHuman
from shared.model.profile import Profile
from shared.planning.attributes import check_attributes
from shared.planning.discovery_schedule import recurrence
from shared.requests.document import read
from shared.requests.problem import Problem, Problems, kind_of


def check_discovery(body: bytes) -> bool | list[Problem]:
    """Whether everything is to be read, whatever the last run left to read on from."""
    found = Problems()
    document = (read(body, found) or {}) if body else {}
    found.unknown_fields(document, ("force_full",), "")
    full = document.get("force_full", False)
    if not isinstance(full, bool):
        message = f"force_full must be a boolean, not {kind_of(full)}"
        found.invalid("force_full", message, "allowed: true, false")
    return found.listed() or bool(full)


def check_scan(profile: Profile, values: Mapping[str, Any], found: Problems) -> None:
    """What a scan would refuse is told before there is a connection (D-37, N-23)."""
    policy = profile.discovery
    if policy is None:
        return
    try:
        recurrence(policy, values)
    except NeedsHuman as problem:
        field = "scan_every" if problem.message.startswith("scan_every") else "scan_start"
        found.add(f"inputs.{field}", problem.code, problem.message, problem.remedy)
    try:
        check_attributes(values.get("attributes") or policy.attributes)
    except NeedsHuman as problem:
        found.add("inputs.attributes", problem.code, problem.message, problem.remedy)
