"""Every trouble that verification finds, and which of several it tells."""

import pytest
from msgspec.structs import replace

from shared.model.credential import ReadFacts, TokenFacts
from shared.model.directory import GRAPH_APP_ID, Kind, Permission, PermissionKey
from shared.model.profile import RESOURCES
from shared.planning.consent import Judged, Verdict
from shared.planning.sign_in import Read, SignIn, Tried, looks_like_id
from shared.planning.verification import Evidence, find_troubles, told
from tests.unit.planning.samples import APPLICATION, DAY, NOW, PRINCIPAL, WANTED

ROLES = frozenset({"User.Read.All", "Group.Read.All"})
TOKEN = TokenFacts(roles=ROLES, app_id="app-client", tenant_id="t")
GUID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def permissions(kind: Kind, *names: str) -> tuple[Permission, ...]:
    return tuple(
        Permission(
            key=PermissionKey(resource=GRAPH_APP_ID, kind=kind, id=f"{kind}-{name}"), name=name
        )
        for name in names
    )


def judged(verdict: Verdict, *names: str) -> tuple[Judged, ...]:
    return tuple(Judged(verdict=verdict, name=name) for name in names)


PERMISSIONS = permissions(Kind.APPLICATION, *sorted(ROLES))
DELEGATED = permissions(Kind.DELEGATED, *sorted(ROLES))
SIGNED_IN = SignIn(
    served=True,
    hint="abc",
    published=NOW - 9 * DAY,
    expires=NOW + 90 * DAY,
    tokens=(Tried(api=GRAPH_APP_ID, expected=ROLES, token=TOKEN),),
)

GOOD = Evidence(
    wanted=WANTED,
    application=APPLICATION,
    principal=PRINCIPAL,
    judged=judged(Verdict.OK, *sorted(ROLES)),
    roles_wanted=("Helpdesk Administrator",),
    roles_missing=(),
    permissions=PERMISSIONS,
    offered=(*PERMISSIONS, *DELEGATED),
    sign_in=SIGNED_IN,
    now=NOW,
)


def app(**changes: object) -> dict[str, object]:
    return {"application": replace(APPLICATION, **changes)}


def token(found: TokenFacts | None, api: str = GRAPH_APP_ID) -> dict[str, object]:
    return signed_in(tokens=(Tried(api=api, expected=ROLES, token=found),))


def signed_in(**changes: object) -> dict[str, object]:
    return {"sign_in": replace(SIGNED_IN, **changes)}


def read(what: str, said: str) -> dict[str, object]:
    facts = ReadFacts(allowed=False, roles=ROLES, said=said)
    return signed_in(reads=(Read(what=what, facts=facts),))


def unread(**changes: object) -> dict[str, object]:
    facts = ReadFacts(allowed=False, signed_in=False)
    return signed_in(reads=(Read(what="list_users", facts=facts),), **changes)


DEVOPS = RESOURCES["azure-devops"]

CASES = {
    "as it should be": ({}, None, ()),
    "renamed by somebody: no trouble": (app(display_name="other"), None, ()),
    "application gone": ({"application": None}, "APP_DELETED", ()),
    "principal gone": ({"principal": None}, "SP_DISABLED", ()),
    "principal disabled": (
        {"principal": replace(PRINCIPAL, enabled=False)},
        "SP_DISABLED",
        ("Enterprise applications",),
    ),
    "audience": (app(audience="AzureADMultipleOrgs"), "AUDIENCE_TOO_WIDE", ("audience",)),
    "public client": (app(public_client=True), "PUBLIC_FLOW_OFF", ("public client flows",)),
    "web redirects": (app(web_redirects=()), "REDIRECT_MISMATCH", ("web redirect",)),
    "native redirects": (app(native_redirects=("x://y",)), "REDIRECT_MISMATCH", ("native",)),
    "single-page redirects": (app(spa_redirects=("x",)), "REDIRECT_MISMATCH", ("single-page",)),
    "configured permissions": (app(configured=frozenset()), "CONSENT_DRIFT", ("permissions",)),
    "several differences are told together": (
        app(audience="AzureADMultipleOrgs", public_client=True),
        "AUDIENCE_TOO_WIDE",
        ("audience", "public client flows"),
    ),
    "not granted": (
        {"judged": judged(Verdict.MISSING, "User.Read.All", "Group.Read.All")},
        "CONSENT_MISSING",
        ("User.Read.All", "Group.Read.All"),
    ),
    "role not assigned": (
        {"roles_missing": ("Helpdesk Administrator",)},
        "ROLE_MISSING",
        ("Helpdesk Administrator",),
    ),
    "extra and foreign": (
        {"judged": judged(Verdict.EXTRA, "Mail.Send") + judged(Verdict.FOREIGN, "sp/9")},
        "EXTRA_PERMISSION",
        ("Mail.Send", "sp/9"),
    ),
    "id in place of the value": (signed_in(looks_like_id=True), "SECRET_ID_NOT_VALUE", ()),
    "no token": (token(None), "SECRET_MISSING", ()),
    "no token for a read": (unread(), "SECRET_MISSING", ()),
    "no token for a read while the secret is new": (
        unread(published=NOW - DAY / 480),
        "SECRET_NOT_YET_ACTIVE",
        (),
    ),
    "token lacks a permission": (
        token(replace(TOKEN, roles=frozenset({"User.Read.All"}))),
        "TOKEN_OLDER_THAN_CONSENT",
        ("difference: Group.Read.All",),
    ),
    "token has one too many": (
        token(replace(TOKEN, roles=ROLES | {"Mail.Send"})),
        "TOKEN_OLDER_THAN_CONSENT",
        ("difference: Mail.Send",),
    ),
    "token for an API that knows no roles": (
        token(replace(TOKEN, roles=frozenset({"x"})), api=DEVOPS),
        None,
        (),
    ),
    "one of two tokens refused": (
        signed_in(tokens=(*SIGNED_IN.tokens, Tried(api=DEVOPS, expected=frozenset(), token=None))),
        "SECRET_MISSING",
        (),
    ),
    "read refused without a word": (
        read("User.Read.All", "HTTP 403"),
        "EMPTY_403",
        ("holds Group.Read.All, User.Read.All; the call needs User.Read.All",),
    ),
    "check refused": (
        read("list_groups", "HTTP 403 Authorization_RequestDenied"),
        "EMPTY_403",
        ("Authorization_RequestDenied", "needs one of Directory.Read.All", "Group.Read.All"),
    ),
    # The gravest first
    "gone and not granted": (
        {"application": None, "judged": judged(Verdict.MISSING, "User.Read.All")},
        "APP_DELETED",
        (),
    ),
    "differs and not granted": (
        app(audience="x") | {"judged": judged(Verdict.MISSING, "User.Read.All")},
        "AUDIENCE_TOO_WIDE",
        (),
    ),
    "not granted and too much granted": (
        {"judged": judged(Verdict.EXTRA, "x") + judged(Verdict.MISSING, "y")},
        "CONSENT_MISSING",
        (),
    ),
    "role missing and refused": (
        {"roles_missing": ("Helpdesk Administrator",), **token(None)},
        "ROLE_MISSING",
        (),
    ),
    "id in place of the value, hence no token": (
        signed_in(looks_like_id=True, tokens=()),
        "SECRET_ID_NOT_VALUE",
        (),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_trouble(name):
    changes, code, texts = CASES[name]
    troubles = find_troubles(replace(GOOD, **changes))
    if code is None:
        assert troubles == []
    else:
        trouble = told(troubles)
        assert trouble.code == code
        assert trouble.remedy
        assert all(text in trouble.message + trouble.remedy for text in texts)


@pytest.mark.parametrize(
    ("value", "key_id", "looks"),
    [
        ("~8Q~realValue.With-Signs_", GUID, False),
        (GUID, "other", True),
        (GUID.upper(), "other", True),
        ("key", "key", True),
        (GUID + "x", "other", False),
        (GUID.replace("-", ""), "other", False),
    ],
)
def test_looks_like_id(value, key_id, looks):
    assert looks_like_id(value, key_id) is looks
