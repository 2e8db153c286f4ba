"""What registration does next, for everything that a tenant may show."""

import pytest
from msgspec.structs import replace

from shared.model.directory import Application, PermissionKey, WantedApplication, WantedPrincipal
from shared.model.profile import ServicePrincipalOptions
from shared.planning.application import (
    HIDDEN,
    LISTED,
    differences,
    merged,
    merged_principal,
    spare,
    wanted_application,
    wanted_principal,
)
from shared.planning.registration import (
    SETTLE,
    Absent,
    AddOwner,
    CreatePrincipal,
    Finished,
    Gone,
    Lock,
    NotOwned,
    Register,
    Seen,
    Wait,
    plan_registration,
)
from shared.profile import catalogue
from tests.unit.planning.samples import (
    APPLICATION,
    GROUPS,
    NOW,
    PRINCIPAL,
    SIGN_IN,
    USERS,
    WANTED,
    spec,
)

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
        AddOwner(owner="own"),
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
    assert plan(WANTED, seen, registered=registered) == action


WANTED_SP = WantedPrincipal(display_name=WANTED.display_name)


def plan(wanted: WantedApplication, seen: Seen, *, registered=NOW, people=(), principal=WANTED_SP):
    return plan_registration(wanted, principal, seen, people=people, registered=registered, now=NOW)


@pytest.mark.requirement("N-24")
def test_people_become_owners_one_after_the_other():
    assert plan(WANTED, COMPLETE, people=("ana", "ben", "eve")) == AddOwner(owner="ben")
    assert plan(WANTED, COMPLETE, people=("ana",)) == FINISHED


def test_a_principal_that_is_not_as_wanted_is_put_right():
    strict = replace(WANTED_SP, assignment_required=True, tags=(LISTED, HIDDEN))
    action = CreatePrincipal(why="assignment of users, tags")
    assert plan(WANTED, COMPLETE, principal=strict) == action
    there = replace(PRINCIPAL, assignment_required=True, tags=(HIDDEN, "x", LISTED))
    assert plan(WANTED, replace(COMPLETE, principal=there), principal=strict) == FINISHED
    assert plan(WANTED, replace(COMPLETE, principal=there)) == FINISHED  # stricter than wanted
    disabled = replace(there, enabled=False, assignment_required=False)
    assert merged_principal(strict, disabled) == replace(
        strict, enabled=False, tags=(HIDDEN, "x", LISTED)
    )
    assert merged_principal(strict, None) == strict


def test_options_of_the_principal():
    profile = catalogue()["devolutions-server"]
    hidden = replace(
        profile.registration, sp=ServicePrincipalOptions(assignment_required=True, visible=False)
    )
    made = wanted_principal(replace(profile, registration=hidden), "x")
    assert made == WantedPrincipal(
        display_name="x", assignment_required=True, tags=(LISTED, HIDDEN)
    )
    assert wanted_principal(profile, "x") == WantedPrincipal(display_name="x", tags=(LISTED,))


ADOPTED = replace(WANTED, adopts="app-client")
OWNED = replace(
    COMPLETE,
    application=replace(
        APPLICATION,
        display_name="Theirs",
        audience="AzureADMultipleOrgs",
        public_client=True,
        spa_redirects=("https://theirs",),
        configured=APPLICATION.configured | {SIGN_IN.key},
        locked=False,
    ),
)

ADOPTIONS = {
    "not there": (ABSENT, None, Absent()),
    "was there, is not": (ABSENT, NOW - SETTLE, Gone()),
    "owned by others only: nothing is written": (
        replace(OWNED, owners=frozenset({"ana"}), principal=None),
        None,
        NotOwned(),
    ),
    "wider than wanted: left as it is, not even locked": (OWNED, None, FINISHED),
    "lacks a permission": (
        replace(OWNED, application=replace(OWNED.application, configured=frozenset())),
        None,
        Register(why="configured permissions"),
    ),
    "lacks our tags": (
        replace(OWNED, application=replace(OWNED.application, tags=("theirs",))),
        None,
        Register(why="tags"),
    ),
    "has no principal": (replace(OWNED, principal=None), None, CreatePrincipal()),
}


@pytest.mark.requirement("A-03", "A-04")
@pytest.mark.parametrize("name", ADOPTIONS)
def test_adoption(name):
    seen, registered, action = ADOPTIONS[name]
    assert plan(ADOPTED, seen, registered=registered) == action


@pytest.mark.requirement("A-04")
def test_an_adopted_application_keeps_everything_it_has():
    theirs = replace(OWNED.application, configured=frozenset({SIGN_IN.key}), tags=("theirs",))
    wanted = replace(ADOPTED, native_redirects=("http://localhost",))
    sent = merged(wanted, theirs)
    assert sent.configured == wanted.configured | {SIGN_IN.key}
    assert sent.tags == ("theirs", *WANTED.tags)
    assert sent.spa_redirects == ("https://theirs",)
    assert sent.native_redirects == ("http://localhost",)
    assert (sent.display_name, sent.audience) == ("Theirs", "AzureADMultipleOrgs")
    assert sent.public_client
    assert differences(wanted, as_sent(theirs, sent)) == ()
    assert spare(wanted, theirs) == {SIGN_IN.key}


def as_sent(app: Application, sent: WantedApplication) -> Application:
    fields = ("web_redirects", "native_redirects", "spa_redirects", "configured", "tags")
    return replace(app, **{name: getattr(sent, name) for name in fields})


@pytest.mark.requirement("D-17", "N-12")
def test_what_is_tolerated_stays_while_it_is_there():
    old = PermissionKey(resource="api", kind=USERS.key.kind, id="old")
    wanted = replace(WANTED, tolerated=frozenset({SIGN_IN.key, old, USERS.key}))
    app = replace(APPLICATION, configured=WANTED.configured | {old})
    assert differences(wanted, app) == ()
    assert differences(WANTED, app) == ("configured permissions",)
    assert merged(wanted, app).configured == WANTED.configured | {old}
    assert merged(WANTED, app).configured == WANTED.configured
    lacks = replace(APPLICATION, configured=frozenset({old, GROUPS.key}))
    assert differences(wanted, lacks) == ("configured permissions",)
    assert merged(wanted, None) == wanted


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
