"""Which Conditional Access policies meet a product's password sign-in; domains; roles."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.errors import NeedsHuman
from shared.model.imports import AccessPolicy, ImportedGroup, ImportedUser, UserStore
from shared.planning.import_people import check_domain, policies_that_hit, with_roles

APP = "client-1"


def user(name: str, **more: Any) -> ImportedUser:
    facts: dict[str, Any] = {
        "id": f"id-{name}",
        "user_principal_name": f"{name}@contoso.com",
        "display_name": name,
        "mail": "",
        "enabled": True,
        "guest": False,
        "role": "Password User",
        "since": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return ImportedUser(**(facts | more))


STORE = UserStore(users=(user("ana"), user("bo")), groups=(ImportedGroup(id="g1", name="Staff"),))


def policy(**more: Any) -> AccessPolicy:
    facts: dict[str, Any] = {
        "id": "p1",
        "name": "P",
        "state": "enabled",
        "controls": True,
        "applications": frozenset({"All"}),
        "users": frozenset({"All"}),
    }
    return AccessPolicy(**(facts | more))


@pytest.mark.requirement("M-31")
@pytest.mark.diagnosis("CA_BLOCKS_LOGIN")
@pytest.mark.parametrize(
    ("more", "hits"),
    [
        ({}, True),
        ({"applications": frozenset({APP})}, True),
        ({"applications": frozenset({"another-app"})}, False),
        ({"applications": frozenset()}, False),
        ({"excluded_applications": frozenset({APP})}, False),
        ({"state": "disabled"}, False),
        ({"state": "enabledForReportingButNotEnforced"}, False),
        ({"controls": False}, False),
        ({"client_types": ("all",)}, True),
        ({"client_types": ("mobileAppsAndDesktopClients",)}, True),
        ({"client_types": ("browser",)}, False),
        ({"users": frozenset({"id-ana"})}, True),
        ({"users": frozenset({"id-stranger"})}, False),
        ({"users": frozenset(), "groups": frozenset({"g1"})}, True),
        ({"users": frozenset(), "groups": frozenset({"g2"})}, False),
        ({"users": frozenset(), "roles": frozenset({"r1"})}, True),
        ({"users": frozenset()}, False),
        ({"excluded_users": frozenset({"id-ana"})}, True),
        ({"excluded_users": frozenset({"id-ana", "id-bo"})}, False),
    ],
)
def test_a_policy_hits_the_app_or_not(more: dict[str, Any], *, hits: bool):
    assert policies_that_hit([policy(**more)], APP, STORE) == (["P"] if hits else [])


@pytest.mark.requirement("M-10")
@pytest.mark.diagnosis("DOMAIN_UNVERIFIED")
def test_a_domain_must_be_verified():
    check_domain("Contoso.COM", ["contoso.com"])
    check_domain("", [])
    with pytest.raises(NeedsHuman) as refused:
        check_domain("fabrikam.com", ["contoso.com"])
    assert (refused.value.code, "contoso.com" in refused.value.message) == (
        "DOMAIN_UNVERIFIED",
        True,
    )


@pytest.mark.requirement("M-26")
def test_roles_are_set_by_name_and_id_and_removed_users_have_none():
    gone = user("cy", state="removed")
    store = UserStore(users=(*STORE.users, gone))
    wanted = {"ANA@contoso.com": "A", "id-bo": "B", "cy@contoso.com": "C", "who": "D"}
    changed, strangers = with_roles(store, wanted)
    assert [u.role for u in changed.users] == ["A", "B", "Password User"]
    assert strangers == ["cy@contoso.com", "who"]
