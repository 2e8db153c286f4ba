"""What is wrong with a profile beyond its schema, before any tenant is asked.

Names of permissions and directory roles, conditions, references, names in the vault, lifetimes.
Nothing here runs in the functions: the tenant itself decides there.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from shared.model.profile import Profile
from shared.profile import FOLDER
from shared.profile.document import ProfileInvalid, convert, folder_base, read
from shared.profile.lint.conditions import check_conditions
from shared.profile.lint.finding import Finding, error
from shared.profile.lint.inputs import check_inputs
from shared.profile.lint.lifetimes import check_lifetimes
from shared.profile.lint.outputs import check_outputs
from shared.profile.lint.permissions import check_permissions
from shared.profile.lint.roles import check_roles
from shared.profile.lint.templates import check_templates

__all__ = ["Finding", "lint", "lint_file"]

CHECKS = (
    check_permissions,
    check_roles,
    check_conditions,
    check_inputs,
    check_templates,
    check_outputs,
    check_lifetimes,
)
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def lint(profile: Profile) -> list[Finding]:
    """All findings, errors first."""
    found = [finding for check in (_check_whole, *CHECKS) for finding in check(profile)]
    order = ("error", "warning", "info")
    return sorted(found, key=lambda finding: order.index(finding.level))


def lint_file(file: Path) -> list[Finding]:
    """The same for a file, which may extend another one beside it or a built-in profile."""
    try:
        text = file.read_text("utf-8")
        document = read(text, "", folder_base(file.parent, FOLDER))
        profile = convert(document, "")
    except (ProfileInvalid, OSError, UnicodeDecodeError) as problem:
        return [error("PROFILE_INVALID", "", str(problem).removeprefix(": "))]
    found = lint(profile)
    if profile.id != file.stem:
        message = f"the file of profile {profile.id} is called {profile.id}.yaml"
        found.insert(0, error("PROFILE_INVALID", "id", message))
    return found


def _check_whole(profile: Profile) -> Iterator[Finding]:
    if not _ID.fullmatch(profile.id):
        message = "lower case letters and digits, with single hyphens between them"
        yield error("PROFILE_INVALID", "id", message)
    if not profile.sources:
        yield error("PROFILE_INVALID", "sources", "say where the facts come from")
    if "reset_trial" in profile.checks and "test_account" not in profile.inputs:
        message = "reset_trial needs an input test_account: it touches no other account"
        yield error("PROFILE_INVALID", "checks", message)
    if "devops_membership" in profile.checks and not profile.external_grants:
        message = "devops_membership has no external grant to look for"
        yield error("PROFILE_INVALID", "checks", message)
