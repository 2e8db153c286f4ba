"""The linter finds what is wrong in the permission lists that vendors print, and no more."""

from pathlib import Path

import pytest

from shared.profile.lint import lint_file

GUIDES = Path(__file__).with_name("guides")

WRONG = {
    "netwrix-privilege-secure-26": {
        ("PERM_UNKNOWN", "UserEnableDisableAccount.All", "User.EnableDisableAccount.All"),
    },
    "bitwarden-de": {
        ("PERM_UNKNOWN", "Administrative.Unit.Read.All", "AdministrativeUnit.Read.All"),
    },
    "m365-manager-plus": {
        ("PERM_UNKNOWN", "AdminsitrativeUnit.ReadWrite.All", "AdministrativeUnit.ReadWrite.All"),
    },
    "midpoint-msgraph": {
        ("PERM_UNKNOWN", "Site.ReadWrite.All", "Sites.ReadWrite.All"),
        ("PERM_UNKNOWN", "Group.Selected", ""),
    },
    "sailpoint": {("PERM_KIND", "User.Read", "")},
    "authentik": {("PERM_KIND", "User.Read", "")},
    "devolutions": {
        ("PERM_CASE", "RoleManagement.Readwrite.Directory", "RoleManagement.ReadWrite.Directory"),
    },
    "privacera-usersync": {
        ("AUDIENCE_TOO_WIDE", "", "single_tenant"),
        ("SECRET_LIFETIME_OVER_POLICY", "", "P730D"),
    },
}
"""By guide: code, name as printed, and what was meant."""

SUPERFLUOUS = {
    "netwrix-privilege-secure-26": {"GroupMember.ReadWrite.All"},
    "sailpoint": {"Group.Read.All", "User.Read.All"},
    "m365-manager-plus": {"Group.Read.All", "User.Read.All"},
    "authentik": {"GroupMember.ReadWrite.All"},
    "segura-cloud-iam": {"Directory.Read.All"},
    "midpoint-msgraph": {
        "Directory.Read.All",
        "Group.Read.All",
        "GroupMember.Read.All",
        "GroupMember.ReadWrite.All",
        "RoleManagement.Read.Directory",
        "User.Read.All",
    },
    "kantoku": {"Group.Read.All", "GroupMember.Read.All", "User.Read.All"},
    "privacera-usersync": {"Group.Read.All", "User.Read.All"},
    "cartography-entra": {"Group.Read.All", "GroupMember.Read.All", "User.Read.All"},
}
"""By guide: permissions that another one of the same list covers."""


def printed(guide: str, place: str) -> str:
    """The line of the guide that a finding's path leads to; empty for other than permissions."""
    import yaml

    if not place.startswith("permissions["):
        return ""
    entry, name = (int(part.split("]")[0]) for part in place.split("[")[1:])
    document = yaml.safe_load((GUIDES / f"{guide}.yaml").read_text())
    return str(document["permissions"][entry]["names"][name])


def test_there_are_24_guides():
    assert len(list(GUIDES.glob("*.yaml"))) == 24 + 1  # and what they have in common


@pytest.mark.diagnosis("PERM_UNKNOWN", "PERM_KIND", "PERM_CASE")
@pytest.mark.parametrize("guide", sorted(file.stem for file in GUIDES.glob("*.yaml")))
def test_a_guide_is_judged_as_people_did(guide):
    found = lint_file(GUIDES / f"{guide}.yaml")
    wrong = {
        (finding.code, printed(guide, finding.path), finding.meant)
        for finding in found
        if finding.code != "PERM_REDUNDANT"
    }
    superfluous = {printed(guide, f.path) for f in found if f.code == "PERM_REDUNDANT"}
    assert wrong == WRONG.get(guide, set())
    assert superfluous == SUPERFLUOUS.get(guide, set())
    levels = {finding.code: finding.level for finding in found}
    assert levels.get("PERM_CASE", "info") == "info"
    assert levels.get("PERM_KIND", "error") == "error"
