"""Wanted and granted permissions, compared."""

import pytest

from shared.model.directory import DelegatedGrant, Grant, Kind, Resource
from shared.model.profile import RETIRED
from shared.planning.consent import (
    Judged,
    Verdict,
    grant_of,
    judge,
    key_text,
    keys_given,
    lacking,
    outdated,
    scopes_with,
    scopes_without,
)
from tests.unit.planning.samples import (
    GRAPH,
    GRAPH_SP,
    GROUPS,
    SIGN_IN,
    USERS,
    USERS_SCOPE,
    permission,
)

OTHER_API = permission("Data.Read", api="other-api")
OTHER_SCOPE = permission("Data.Read", Kind.DELEGATED, api="other-api")
OTHER = Resource(app_id="other-api", principal_id="other-sp", permissions=(OTHER_API, OTHER_SCOPE))
RETIRED_API = Resource(
    app_id=RETIRED,
    principal_id="retired-sp",
    permissions=(permission("Directory.Read.All", api=RETIRED),),
)


def grant(id_: str, on: str = GRAPH_SP) -> Grant:
    return Grant(id=f"g-{id_}", resource_id=on, permission_id=id_)


def delegated(*scopes: str, on: str = GRAPH_SP, everybody: bool = True) -> DelegatedGrant:
    return DelegatedGrant(id="d", resource_id=on, scopes=scopes, everybody=everybody)


OK, MISSING, EXTRA, FOREIGN = Verdict.OK, Verdict.MISSING, Verdict.EXTRA, Verdict.FOREIGN

CASES = {
    "nothing wanted, nothing granted": ([], [], [], []),
    "granted": ([USERS], [grant("id-User.Read.All")], [], [(OK, "User.Read.All")]),
    "not granted": ([USERS], [], [], [(MISSING, "User.Read.All")]),
    "nothing wanted is not everything allowed": (
        [],
        [grant("id-User.Read.All")],
        [],
        [(EXTRA, "User.Read.All")],
    ),
    "granted and unknown to the API": ([], [grant("id-x")], [], [(EXTRA, "id-x")]),
    "granted on an API that is not ours": (
        [USERS],
        [grant("id-User.Read.All", on="elsewhere")],
        [],
        [(FOREIGN, "elsewhere/id-User.Read.All"), (MISSING, "User.Read.All")],
    ),
    "delegated, for everybody": ([SIGN_IN], [], [delegated("User.Read")], [(OK, "User.Read")]),
    "delegated, for one user": (
        [SIGN_IN],
        [],
        [delegated("User.Read", everybody=False)],
        [(FOREIGN, "User.Read (delegated)"), (MISSING, "User.Read")],
    ),
    "delegated, more than wanted": (
        [SIGN_IN],
        [],
        [delegated("User.Read", "Mail.Send")],
        [(EXTRA, "Mail.Send (delegated)"), (OK, "User.Read")],
    ),
    "delegated, on another API": (
        [],
        [],
        [delegated("x", on="elsewhere")],
        [(FOREIGN, "x (delegated)")],
    ),
    "same name, other kind": (
        [USERS],
        [],
        [delegated("User.Read.All")],
        [(EXTRA, "User.Read.All (delegated)"), (MISSING, "User.Read.All")],
    ),
    "two APIs, one of them granted": (
        [USERS, OTHER_API],
        [grant("id-User.Read.All")],
        [],
        [(MISSING, "Data.Read"), (OK, "User.Read.All")],
    ),
    "two APIs, both granted": (
        [USERS, OTHER_API],
        [grant("id-User.Read.All"), grant("id-Data.Read", on="other-sp")],
        [],
        [(OK, "Data.Read"), (OK, "User.Read.All")],
    ),
    "a scope of each of two APIs": (
        [SIGN_IN, OTHER_SCOPE],
        [],
        [delegated("User.Read"), delegated("data.read", on="other-sp")],
        [(OK, "Data.Read"), (OK, "User.Read")],
    ),
    "more than wanted on the second API": (
        [USERS],
        [grant("id-User.Read.All"), grant("id-Data.Read", on="other-sp")],
        [],
        [(EXTRA, "Data.Read"), (OK, "User.Read.All")],
    ),
    "all four, sorted": (
        [USERS, GROUPS],
        [grant("id-Group.Read.All"), grant("id-x"), grant("id-y", on="elsewhere")],
        [],
        [
            (EXTRA, "id-x"),
            (FOREIGN, "elsewhere/id-y"),
            (MISSING, "User.Read.All"),
            (OK, "Group.Read.All"),
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_judge(name):
    wanted, granted, scopes, verdicts = CASES[name]
    assert pairs(judge(wanted, (GRAPH, OTHER), granted, scopes)) == verdicts


def pairs(judged: tuple[Judged, ...]) -> list[tuple[Verdict, str]]:
    return [(one.verdict, one.name) for one in judged]


@pytest.mark.requirement("M-37", "X-08")
@pytest.mark.diagnosis("RETIRED_API")
def test_grants_on_azure_ad_graph_are_told_apart():
    held = [grant("id-Directory.Read.All", on="retired-sp")]
    signed_in = [delegated("User.Read", on="retired-sp", everybody=False)]
    assert pairs(judge([], (GRAPH, RETIRED_API), held, signed_in)) == [
        (Verdict.RETIRED, "Directory.Read.All"),
        (Verdict.RETIRED, "User.Read (delegated)"),
    ]


def test_what_is_tolerated_gets_no_verdict():
    assert judge([], (GRAPH,), [], [delegated("User.Read")], tolerated={SIGN_IN.key}) == ()


LACKING = {
    "nothing granted": ([USERS, GROUPS], [], [], (USERS, GROUPS)),
    "one granted": ([USERS, GROUPS], [grant("id-User.Read.All")], [], (GROUPS,)),
    "granted on another API": ([USERS], [grant("id-User.Read.All", on="elsewhere")], [], (USERS,)),
    "of two APIs": ([USERS, OTHER_API], [grant("id-User.Read.All")], [], (OTHER_API,)),
    "a scope that is granted": ([SIGN_IN], [], [delegated("user.read")], ()),
    "a scope that is granted for one user": (
        [SIGN_IN],
        [],
        [delegated("User.Read", everybody=False)],
        (SIGN_IN,),
    ),
    "the same name in the other kind": (
        [USERS_SCOPE],
        [grant("id-User.Read.All")],
        [],
        (USERS_SCOPE,),
    ),
    "all granted": ([USERS, SIGN_IN], [grant("id-User.Read.All")], [delegated("User.Read")], ()),
}


@pytest.mark.parametrize("name", LACKING)
def test_lacking(name):
    wanted, granted, scopes, left = LACKING[name]
    assert lacking(wanted, (GRAPH, OTHER), granted, scopes) == left


def test_the_one_grant_for_everybody_is_found():
    mine = delegated("a")
    others = [delegated("b", everybody=False), delegated("c", on="other-sp")]
    assert grant_of([*others, mine], GRAPH) == mine
    assert grant_of(others, GRAPH) is None


@pytest.mark.requirement("M-08")
def test_scopes_of_others_stay():
    there = delegated("Mail.Send", "user.read")
    assert scopes_with(there, ["User.Read", "Group.Read.All"]) == (
        "Mail.Send",
        "user.read",
        "Group.Read.All",
    )
    assert scopes_without(there, ["User.Read", "Group.Read.All"]) == ("Mail.Send",)


@pytest.mark.requirement("N-12")
def test_only_what_keyturn_granted_itself_is_outdated():
    given = (key_text(USERS.key), "role/helpdesk", key_text(SIGN_IN.key), key_text(OTHER_API.key))
    assert keys_given(given) == (USERS.key, SIGN_IN.key, OTHER_API.key)
    assert outdated(given, (USERS, GROUPS)) == (SIGN_IN.key, OTHER_API.key)
    assert outdated((), (USERS,)) == ()
