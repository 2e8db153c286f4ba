"""Permissions and roles that a profile asks for, their names in the tenant, and their risk."""

import pytest
from msgspec.structs import replace

from shared.errors import NeedsHuman
from shared.model.connection import Approval
from shared.model.directory import GRAPH_APP_ID, Kind
from shared.model.profile import RESOURCES, Input, PermissionSet
from shared.planning.access import (
    Access,
    WantedPermission,
    names,
    plan_access,
    resolve,
    respelt,
)
from shared.planning.risk import (
    azure_role_tier,
    high_risk,
    require_approval,
    role_tier,
    tier,
)
from shared.profile import catalogue
from tests.unit.planning.samples import GRAPH, GROUPS, USERS, USERS_SCOPE, spec

PROFILE = catalogue()["devolutions-server"]
ASSIGN = "RoleManagement.ReadWrite.Directory"
READ_ROLES = "RoleManagement.Read.Directory"
RESET = "User-PasswordProfile.ReadWrite.All"
PLAIN = ("Group.Read.All", "User.Read.All")


def wanted(name: str, kind: Kind = Kind.APPLICATION) -> WantedPermission:
    return WantedPermission(resource=GRAPH_APP_ID, kind=kind, name=name)


PLANS = {
    "everything": (
        spec(discovery=True, password_rotation=True),
        {*PLAIN, ASSIGN, RESET},
        ("Helpdesk Administrator",),
    ),
    "scan only": (spec(discovery=True), {*PLAIN, ASSIGN, RESET}, ()),
    "rotation only: the role does it, the permission is advice": (
        spec(password_rotation=True),
        set(),
        ("Helpdesk Administrator",),
    ),
    "nothing": (spec(), set(), ()),
    "accepted swap": (
        spec(accept=(ASSIGN,), discovery=True),
        {*PLAIN, READ_ROLES, RESET},
        (),
    ),
    "accepted swap that the profile does not offer": (
        spec(accept=("User.Read.All",), discovery=True),
        {*PLAIN, ASSIGN, RESET},
        (),
    ),
    "swap whose condition does not hold": (
        spec(accept=(ASSIGN,), password_rotation=True),
        set(),
        ("Helpdesk Administrator",),
    ),
    "admins among the targets": (
        spec(password_rotation=True, admin_targets=True),
        set(),
        ("Privileged Authentication Administrator",),
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_plan(name):
    asked, permissions, roles = PLANS[name]
    access = plan_access(PROFILE, asked)
    assert {p.name for p in access.permissions} == permissions
    assert len(access.permissions) == len(permissions)
    assert access.roles == roles


def test_a_swap_is_reported():
    assert plan_access(PROFILE, spec(accept=(ASSIGN,), discovery=True)).swapped == (ASSIGN,)
    assert plan_access(PROFILE, spec(discovery=True)).swapped == ()


TIERS = {
    ASSIGN: "direct",
    "UserAuthenticationMethod.ReadWrite.All": "direct",
    "Application.ReadWrite.OwnedBy": "indirect",
    RESET: "indirect",
    "User.Read.All": "normal",
    READ_ROLES: "normal",
    ASSIGN.lower(): "direct",
    "GROUP.READWRITE.ALL": "indirect",
}


@pytest.mark.requirement("X-07")
@pytest.mark.parametrize("name", TIERS)
def test_tier(name):
    assert tier(name) == TIERS[name]


OTHER_APIS = {
    ("exchange-online", "Exchange.ManageAsApp"): "indirect",
    ("sharepoint-online", "sites.fullcontrol.ALL"): "indirect",
    ("sharepoint-online", "Sites.Manage.All"): "indirect",
    ("business-central", "API.ReadWrite.All"): "indirect",
    ("sharepoint-online", "Sites.Read.All"): "normal",
    ("o365-management", "ActivityFeed.Read"): "normal",
    ("exchange-online", "User.ReadWrite.All"): "indirect",
}


@pytest.mark.parametrize("name", OTHER_APIS, ids=" ".join)
def test_the_tier_on_other_apis(name):
    api, permission = name
    assert tier(permission, RESOURCES[api]) == OTHER_APIS[name]


ROLES = {
    "Global Administrator": "direct",
    "privileged authentication administrator": "direct",
    "User Administrator": "indirect",
    "Helpdesk Administrator": "normal",
    "Directory Readers": "normal",
}


@pytest.mark.requirement("X-07")
@pytest.mark.parametrize("role", ROLES)
def test_the_tier_of_directory_roles(role):
    assert role_tier(role) == ROLES[role]


AZURE_ROLES = {
    ("User Access Administrator", "tenant_root_group"): "direct",
    ("owner", "/subscriptions/1"): "indirect",
    ("Contributor", "/subscriptions/1"): "indirect",
    ("Reader", "tenant_root_group"): "normal",
}


@pytest.mark.parametrize("role", AZURE_ROLES, ids=" ".join)
def test_the_tier_of_azure_roles(role):
    assert azure_role_tier(*role) == AZURE_ROLES[role]


RISKS = {
    "reading": (("User.Read.All",), (), ()),
    "direct and indirect": ((ASSIGN, "User.Read.All", RESET), (), (ASSIGN, RESET)),
    "vendor's role": ((), ("Helpdesk Administrator",), ()),
    "escalated role": (
        (),
        ("Privileged Authentication Administrator",),
        ("Privileged Authentication Administrator",),
    ),
    "ordinary role": ((), ("Directory Readers",), ()),
}


@pytest.mark.parametrize("name", RISKS)
def test_high_risk_items_need_approval(name):
    permissions, roles, risky = RISKS[name]
    access = Access(permissions=tuple(map(wanted, permissions)), roles=roles)
    assert high_risk(access) == risky
    require_approval(access, Approval(by="chris", reason="reviewed", covers=risky))
    if risky:
        smaller = Approval(by="chris", reason="reviewed", covers=risky[1:])
        with pytest.raises(NeedsHuman, match=risky[0]):
            require_approval(access, smaller)
        with pytest.raises(NeedsHuman) as refusal:
            require_approval(access, None)
        assert refusal.value.code == "APPROVAL_PENDING"
        assert all(item in refusal.value.message for item in risky)
    else:
        require_approval(access, None)


def test_names_are_found_in_any_letter_case_and_kind():
    found = resolve(
        [
            wanted("user.read.all"),
            wanted("User.Read.All", Kind.DELEGATED),
            wanted("GROUP.READ.ALL"),
        ],
        GRAPH,
    )
    assert found == (USERS, USERS_SCOPE, GROUPS)
    assert names(found) == ("Group.Read.All", "User.Read.All", "User.Read.All")


def test_two_spellings_of_a_name_are_one_permission():
    assert resolve([wanted("User.Read.All"), wanted("user.read.all")], GRAPH) == (USERS,)


UNKNOWN = {
    "misspelt": (wanted("User.Raed.All"), "PERM_UNKNOWN", "did you mean User.Read.All?"),
    "like nothing": (
        wanted("Zebra"),
        "PERM_UNKNOWN",
        f"no application permission Zebra on microsoft-graph ({GRAPH_APP_ID})",
    ),
    "exists for signed-in users only": (
        wanted("User.Read"),
        "PERM_DELEGATED_ONLY",
        "User.Read exists as delegated permission only, not as application",
    ),
    "exists for applications only": (
        wanted("Group.Read.All", Kind.DELEGATED),
        "PERM_KIND",
        "Group.Read.All exists as application permission only, not as delegated",
    ),
}


@pytest.mark.requirement("D-15", "M-05", "M-06", "M-07", "N-14")
@pytest.mark.diagnosis("PERM_UNKNOWN", "PERM_KIND", "PERM_DELEGATED_ONLY")
@pytest.mark.parametrize("name", UNKNOWN)
def test_names_that_cannot_be_had(name):
    asked, code, text = UNKNOWN[name]
    with pytest.raises(NeedsHuman) as refusal:
        resolve([wanted("User.Read.All"), asked], GRAPH)
    assert refusal.value.code == code
    assert refusal.value.remedy
    assert text in refusal.value.message


@pytest.mark.diagnosis("PERM_UNKNOWN")
def test_a_name_that_does_not_exist_is_graver_than_a_wrong_kind():
    with pytest.raises(NeedsHuman) as refusal:
        resolve([wanted("User.Read"), wanted("Zebra")], GRAPH)
    assert refusal.value.code == "PERM_UNKNOWN"
    assert "User.Read exists as delegated" in refusal.value.message


@pytest.mark.requirement("D-15")
@pytest.mark.diagnosis("PERM_CASE")
def test_another_letter_case_is_told_and_the_canonical_name_is_kept():
    asked = [wanted("User.Read.all"), wanted("Group.Read.All")]
    found = resolve(asked, GRAPH)
    assert names(found) == ("Group.Read.All", "User.Read.All")
    assert respelt(asked, found) == ("User.Read.all was read as User.Read.All",)


def several(**inputs: object) -> set[tuple[str, str]]:
    """API and name of what a profile with chosen scope and permissions asks for."""
    profile = replace(
        PROFILE,
        inputs={"scope": Input(type="string"), "permissions": Input(type="list")},
        permissions=(
            PermissionSet(
                resource="${inputs.scope}",
                kind=Kind.APPLICATION,
                names_from="inputs.permissions",
            ),
            PermissionSet(
                resource="sharepoint-online", kind=Kind.APPLICATION, names=("Sites.Manage.All",)
            ),
        ),
    )
    access = plan_access(profile, replace(spec(), inputs=inputs))
    return {(p.resource, p.name) for p in access.permissions}


SHAREPOINT = (RESOURCES["sharepoint-online"], "Sites.Manage.All")


@pytest.mark.requirement("A-07")
def test_an_input_chooses_the_api_and_the_permissions():
    chosen = several(scope="azure-devops", permissions=["A.Read", "B.Read"])
    devops = RESOURCES["azure-devops"]
    assert chosen == {(devops, "A.Read"), (devops, "B.Read"), SHAREPOINT}
    assert several(scope="microsoft-teams", permissions=[]) == {SHAREPOINT}
    assert several(scope="microsoft-365") == {SHAREPOINT}


@pytest.mark.requirement("A-07")
def test_a_scope_that_is_no_api():
    with pytest.raises(NeedsHuman, match="moon") as refusal:
        several(scope="moon", permissions=["A.Read"])
    assert refusal.value.code == "SCOPE_UNKNOWN"
    assert "business-central" in refusal.value.remedy


def test_all_unknown_names_are_told_at_once():
    with pytest.raises(NeedsHuman) as refusal:
        resolve([wanted("Zebra"), wanted("Gruop.Read.All")], GRAPH)
    assert "Zebra" in refusal.value.message
    assert "did you mean Group.Read.All?" in refusal.value.message


def test_no_hint_for_what_resembles_nothing():
    with pytest.raises(NeedsHuman) as refusal:
        resolve([wanted("Zebra")], GRAPH)
    assert "did you mean" not in refusal.value.message
