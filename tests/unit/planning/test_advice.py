"""Who can reset whose password: Microsoft's matrix, and what is made of it."""

from itertools import combinations

import pytest
from msgspec.structs import replace

from shared.model.privilege import CUSTOM, GROUP, RESTRICTED, ROLE, Held
from shared.planning.access import plan_access, reset_roles
from shared.planning.advice import (
    ANYBODY,
    MATRIX,
    NAMED,
    PA,
    RESETTERS,
    A,
    G,
    H,
    P,
    U,
    able,
    advise,
    sentence,
    too_low,
)
from shared.profile import catalogue
from tests.unit.planning.samples import NOW, spec

PROFILE = catalogue()["devolutions-server"]


def role(name, via=""):
    return Held(kind=ROLE, name=name, via=via)


TIER0 = Held(kind=GROUP, name="Tier 0")
ANY_ROLE = [role(name) for name in (*MATRIX, G, PA, "Privileged Role Administrator", "Intune")]
THINGS = [
    *ANY_ROLE,
    TIER0,
    Held(kind=RESTRICTED, name="Directory Readers"),
    Held(kind=CUSTOM, name="Directory Readers"),
]

PRINTED = """
Directory Readers                         x x x x x x
Guest Inviter                             x x x x x x
Password Administrator                    x x x x x x
Message Center Reader                     - x x x x x
Reports Reader                            - x x x x x
Usage Summary Reports Reader              - x x x x x
User Experience Success Manager           - x x x x x
Helpdesk Administrator                    - x - x x x
Authentication Administrator              - - x - x x
Groups Administrator                      - - - x x x
User Administrator                        - - - x x x
Global Administrator                      - - - - x x
Privileged Authentication Administrator   - - - - x x
Privileged Role Administrator             - - - - x x
Some other role                           - - - - x x
"""
"""The table as Microsoft prints it: columns P H A U PA G."""


def advice(targets, *, escalate_to=(PA,), **more):
    known = {"accounts": max(1, len(targets)), "now": NOW} | more
    return advise([H], escalate_to, targets, **known)


@pytest.mark.parametrize("line", PRINTED.strip().splitlines())
def test_each_row_of_the_table(line):
    name, marks = line[:42].strip(), line[42:].split()
    assert able([role(name)]) == {r for r, m in zip(RESETTERS, marks, strict=True) if m == "x"}


@pytest.mark.parametrize("thing", THINGS[-3:], ids=str)
def test_what_is_no_built_in_role_leaves_the_highest_two(thing):
    assert able([thing]) == {PA, G}


def test_who_holds_nothing_can_be_reset_by_all_six():
    assert able([]) == ANYBODY == {P, H, A, U, PA, G}


RESULTS = {
    "nothing": ({}, (P, H, A, U, PA, G), P, H),
    "one reads reports": ({"b": [role("Reports Reader")]}, (H, A, U, PA, G), H, H),
    "helpdesk": ({"a": [role(H)]}, (H, U, PA, G), H, H),
    "groups": ({"a": [role("Groups Administrator")]}, (U, PA, G), U, PA),
    "no total order": (
        {"a": [role(A)], "b": [role("Groups Administrator")]},
        (PA, G),
        PA,
        PA,
    ),
    "any other role": ({"a": [role("Intune Administrator")]}, (PA, G), PA, PA),
    "in a role-assignable group": ({"a": [TIER0]}, (PA, G), PA, PA),
    "eligible counts as held": ({"a": [role(U, "eligible")]}, (U, PA, G), U, PA),
}


@pytest.mark.requirement("D-23")
@pytest.mark.parametrize("name", RESULTS)
def test_the_least_role_for_the_targets(name):
    targets, sufficient, least, proposed = RESULTS[name]
    found = advice(targets)
    assert (found.sufficient, found.least, found.proposed) == (sufficient, least, proposed)
    assert found.admin_targets == (proposed != H)


def test_one_more_thing_held_never_adds_a_role():
    for first, second in combinations(THINGS, 2):
        assert able([first, second]) == able([first]) & able([second])
        assert able([first, second]) >= {PA, G}


def test_one_more_account_never_enlarges_the_set():
    for first, second in combinations(THINGS, 2):
        alone, both = advice({"a": [first]}), advice({"a": [first], "b": [second]})
        assert set(both.sufficient) <= set(alone.sufficient)
        assert RESETTERS.index(both.least) >= RESETTERS.index(alone.least)
        assert both.blocked >= alone.blocked


def test_a_proposed_role_covers_every_account_and_none_is_left_out():
    for first, second in combinations(THINGS, 2):
        found = advice({"a": [first], "b": [second]}, escalate_to=(U, PA))
        assert found.proposed in able([first]) & able([second])
        if found.proposed != H:
            assert H not in able([first]) & able([second])


@pytest.mark.diagnosis("ROLE_TOO_LOW")
def test_the_accounts_that_caused_it_are_named_and_counted():
    many = {f"user{n}@x": [role("Groups Administrator"), role("Reports Reader")] for n in range(5)}
    found = advice({**many, "ada@x": [TIER0]}, accounts=100)
    assert [(b.held, b.count) for b in found.blockers] == [
        ("Groups Administrator", 5),
        ("role-assignable group Tier 0", 1),
    ]
    assert len(found.blockers[0].accounts) == NAMED
    assert (found.blocked, found.holders, found.accounts) == (6, 6, 100)
    problem = too_low(found, [H], "dvls")
    assert problem is not None
    assert problem.code == "ROLE_TOO_LOW"
    assert "user0@x, user1@x, user2@x and 2 more" in problem.message
    assert f"The least role that can is {PA}." in problem.message
    assert "admin_targets" in problem.remedy
    assert PA in problem.remedy
    assert too_low(found, [PA], "dvls") is None


@pytest.mark.diagnosis("ROLE_TOO_LOW")
def test_where_no_role_of_the_profile_suffices_nothing_is_proposed():
    found = advice({"ada@x": [TIER0]}, escalate_to=(U,))
    assert found.proposed == ""
    problem = too_low(found, [H], "dvls")
    assert problem is not None
    assert "out of scope" in problem.remedy
    assert PA in problem.remedy


def test_what_is_unknown_is_said_and_frees_nobody():
    before = advice({"ada@x": [role("Groups Administrator")]})
    found = advice({}, unknown=("eligible roles: AUTOMATION_PRIVILEGE",), before=before)
    assert found.sufficient == before.sufficient
    assert found.blockers == before.blockers
    assert "could not be read: eligible roles" in sentence(found)
    assert advice({}, before=before).proposed == H


def test_the_sentence_for_people():
    assert "each discovery" in sentence(advice({}, accounts=0))
    spared = sentence(advice({"ada@x": [role(H)]}, accounts=7))
    assert "all 7 accounts" in spared
    assert "also the 1 that hold roles" in spared
    assert "cannot" in sentence(advice({"ada@x": [TIER0]}))


@pytest.mark.requirement("D-23", "D-24")
def test_the_escalation_is_the_first_that_covers_all_targets():
    entry = replace(PROFILE.directory_roles[0], escalate_to=(U, PA))
    profile = replace(PROFILE, directory_roles=(entry,))
    asked = spec(password_rotation=True, admin_targets=True)
    assert reset_roles(profile, asked) == ((H,), (U, PA))

    def roles(*things):
        return plan_access(profile, asked, advice({"a": list(things)}, escalate_to=(U, PA))).roles

    assert plan_access(profile, asked).roles == (U,)
    assert roles(role("Groups Administrator")) == (U,)
    assert roles(TIER0) == (PA,)
    tier0 = advice({"a": [TIER0]}, escalate_to=(U, PA))
    assert plan_access(profile, asked, tier0, in_force=(U,)).roles == (U,)
    covers_nobody = replace(profile, directory_roles=(replace(entry, escalate_to=(U,)),))
    found = advice({"a": [TIER0]}, escalate_to=(U,))
    assert plan_access(covers_nobody, asked, found).roles == (H,)


def test_a_role_that_comes_in_addition():
    entry = replace(PROFILE.directory_roles[0], role=U, escalate_to=())
    more = replace(entry, role=PA, when=("password_rotation", "admin_targets"))
    profile = replace(PROFILE, directory_roles=(entry, entry, more))
    plain, forced = spec(password_rotation=True), spec(password_rotation=True, admin_targets=True)
    assert reset_roles(profile, plain) == reset_roles(profile, forced) == ((U,), (PA,))
    assert plan_access(profile, plain).roles == (U,)
    assert plan_access(profile, forced).roles == (U, PA)


def test_roles_that_reset_nothing_need_no_advice():
    entry = replace(PROFILE.directory_roles[0], role="Exchange Administrator", escalate_to=())
    profile = replace(PROFILE, directory_roles=(entry,))
    assert reset_roles(profile, spec(password_rotation=True)) == ((), ())
    assert reset_roles(PROFILE, spec(discovery=True)) == ((), ())
