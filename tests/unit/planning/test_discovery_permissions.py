"""Which permissions each mode and fact needs."""

from typing import Any

import pytest

from shared.model.entities import KINDS, SOURCES
from shared.model.profile import DiscoveryPolicy, Skip
from shared.planning.discovery_permissions import BY_KIND, missing, rights

DVLS = DiscoveryPolicy(modes=("groups", "roles"))
EXPORT = DiscoveryPolicy(
    modes=("all",),
    entities=("user", "group", "directoryRole", "servicePrincipal"),
    navigation=("members", "owners"),
)
PAM = DiscoveryPolicy(
    modes=("users", "groups", "all"),
    skip=(Skip(fact="mfa_registered", policy="skip", reason="guide"),),
)
USER, MEMBER = "User.Read.All", "GroupMember.Read.All"
ROLE, MAY = "RoleManagement.Read.Directory", "RoleEligibilitySchedule.Read.Directory"
UNIT, APP, AUDIT = "AdministrativeUnit.Read.All", "Application.Read.All", "AuditLog.Read.All"
NOTHING_MORE = {"read_mfa": "no", "read_roles": "no"}


@pytest.mark.requirement("D-28", "N-20", "M-29")
@pytest.mark.parametrize(
    ("policy", "inputs", "required", "optional"),
    [
        (DVLS, {"search_mode": "groups"}, {USER, MEMBER}, {AUDIT, ROLE, MAY}),
        (DVLS, {"search_mode": "groups", **NOTHING_MORE}, {USER, MEMBER}, set()),
        (DVLS, {"search_mode": "roles"}, {USER, MEMBER, ROLE}, {MAY, UNIT, AUDIT}),
        (
            DVLS,
            {"search_mode": "roles", "units": ["North"], "include_service_principals": "yes"},
            {USER, MEMBER, ROLE, UNIT, APP},
            {MAY, AUDIT},
        ),
        (EXPORT, NOTHING_MORE, {USER, "Group.Read.All", MEMBER, ROLE, APP}, set()),
        (PAM, {"search_mode": "users", **NOTHING_MORE}, {USER, AUDIT}, set()),
        (PAM, {"search_mode": "users"}, {USER, AUDIT}, {ROLE, MAY, MEMBER}),
        (PAM, {}, {USER, "Group.Read.All", MEMBER, AUDIT}, {ROLE, MAY}),
    ],
)
def test_the_least_of_each_mode(
    policy: DiscoveryPolicy, inputs: dict[str, Any], required: set[str], optional: set[str]
) -> None:
    found = rights(policy, inputs)
    assert {r.need.permission for r in found if r.need.required} == required
    assert {r.need.permission for r in found if not r.need.required} == optional
    assert [r.need.required for r in found] == sorted((r.need.required for r in found), key=bool,
                                                      reverse=True)  # fmt: skip


def test_a_wider_permission_does_too() -> None:
    for right in rights(DVLS, {"search_mode": "roles"}):
        wide = right.need.permission == AUDIT
        assert right.granted(["Directory.Read.All", "RoleManagement.Read.Directory"]) != wide
        assert right.granted([right.need.permission])
        assert not right.granted(["User.ReadBasic.All"])


def test_nothing_that_a_scan_needs_lets_it_write() -> None:
    for policy in (DVLS, EXPORT, PAM):
        for mode in policy.modes:
            for right in rights(policy, {"search_mode": mode, "units": ["North"]}):
                assert "Write" not in right.need.permission


def test_every_kind_of_source_names_what_it_lacks() -> None:
    assert {*SOURCES, *KINDS} == set(BY_KIND)
    assert missing("entity", "registration") == AUDIT
    assert missing("group", "9f0c") == MEMBER
    assert missing("eligibility", "9f0c") == MAY
    assert missing("something else", "user") == ""
