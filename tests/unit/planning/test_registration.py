"""What registration does next, for everything that a tenant may show."""

import pytest
from msgspec.structs import replace

from shared.planning.registration import (
    SETTLE,
    AddOwner,
    CreatePrincipal,
    Finished,
    Gone,
    Lock,
    Register,
    Seen,
    Wait,
    differences,
    plan_registration,
    wanted_application,
)
from shared.profile import catalogue
from tests.unit.planning.samples import APPLICATION, GROUPS, NOW, PRINCIPAL, USERS, WANTED, spec

COMPLETE = Seen(
    application=APPLICATION, owners=frozenset({"own", "ana"}), own="own", principal=PRINCIPAL
)
ABSENT = Seen(application=None, owners=frozenset(), own="own", principal=None)
FINISHED = Finished(object_id="app-object", client_id="app-client", principal_id="app-sp")

CASES = {
    "nothing yet: create": (ABSENT, None, Register(why="new")),
    "created just now, not visible: wait": (ABSENT, NOW, Wait()),
    "not visible, a moment before it counts as gone: wait": (
        ABSENT,
        NOW - SETTLE + (SETTLE / 3600),
        Wait(),
    ),
    "not visible, old enough: gone": (ABSENT, NOW - SETTLE, Gone()),
    "differs: put right before anything else": (
        replace(
            COMPLETE, application=replace(APPLICATION, audience="AzureADMultipleOrgs", locked=False)
        ),
        NOW,
        Register(why="audience"),
    ),
    "all differences are named": (
        replace(
            COMPLETE, application=replace(APPLICATION, display_name="x", configured=frozenset())
        ),
        NOW,
        Register(why="display name, configured permissions"),
    ),
    "owned by somebody else only: own it": (
        replace(COMPLETE, owners=frozenset({"ana"})),
        NOW,
        AddOwner(),
    ),
    "open to secrets on its principal: lock": (
        replace(COMPLETE, application=replace(APPLICATION, locked=False)),
        NOW,
        Lock(),
    ),
    "no principal: create it": (replace(COMPLETE, principal=None), NOW, CreatePrincipal()),
    "nothing to do": (COMPLETE, NOW, FINISHED),
    "found without our knowing: as good as ours": (COMPLETE, None, FINISHED),
}


@pytest.mark.parametrize("name", CASES)
def test_next_action(name):
    seen, registered, action = CASES[name]
    assert plan_registration(WANTED, seen, registered=registered, now=NOW) == action


DIFFERENCES = {
    "order of lists and foreign tags": ({}, ()),
    "display name": ({"display_name": "other"}, ("display name",)),
    "audience": ({"audience": "AzureADMultipleOrgs"}, ("audience",)),
    "public client": ({"public_client": True}, ("public client flows",)),
    "a redirect more": (
        {"web_redirects": (*WANTED.web_redirects, "https://evil.example")},
        ("web redirect URIs",),
    ),
    "native": ({"native_redirects": ("x://y",)}, ("native redirect URIs",)),
    "single-page": ({"spa_redirects": ("https://y",)}, ("single-page redirect URIs",)),
    "a permission less": ({"configured": frozenset({USERS.key})}, ("configured permissions",)),
    "our tag gone": ({"tags": ("keyturn",)}, ("tags",)),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_differences(name):
    changes, wrong = DIFFERENCES[name]
    assert differences(WANTED, replace(APPLICATION, **changes)) == wrong


def test_wanted_application_follows_the_profile():
    profile = catalogue()["devolutions-server"]
    made = wanted_application(
        profile, spec(), (USERS, GROUPS), {"inputs.provider_name": "DVLS PAM"}
    )
    assert made == replace(WANTED, web_redirects=())


@pytest.mark.parametrize(
    ("platform", "field"),
    [("web", "web_redirects"), ("public_native", "native_redirects"), ("spa", "spa_redirects")],
)
def test_redirects_go_to_their_platform(platform, field):
    plain = catalogue()["devolutions-server"]
    registration = replace(
        plain.registration, platform=platform, redirect_uris=("${inputs.url}", "${inputs.none}")
    )
    values = {"inputs.provider_name": "p", "inputs.url": "https://a.example", "inputs.none": ""}
    made = wanted_application(replace(plain, registration=registration), spec(), (), values)
    fields = ("web_redirects", "native_redirects", "spa_redirects")
    assert {name: getattr(made, name) for name in fields} == {
        **dict.fromkeys(fields, ()),
        field: ("https://a.example",),
    }
