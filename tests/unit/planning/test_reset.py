"""What a trial reset says."""

import pytest
from msgspec.structs import replace

from shared.model.privilege import GROUP, ROLE, Held, ResetAnswer, ResetTarget
from shared.planning.reset import PERMISSION, impossible, refused

ADA = ResetTarget(
    id="u1", user_principal_name="ada@x", synchronised=False, federated=False, guest=False
)
DONE = ResetAnswer(done=True, token_roles=frozenset({PERMISSION}))
DENIED = replace(DONE, done=False)
HELPDESK = "Helpdesk Administrator"
TIER0 = Held(kind=GROUP, name="Tier 0")
GROUPS = Held(kind=ROLE, name="Groups Administrator")


@pytest.mark.diagnosis("RESET_NOT_POSSIBLE")
@pytest.mark.parametrize("way", ["synchronised", "federated", "guest"])
def test_passwords_of_others_are_not_tried(way):
    problem = impossible(replace(ADA, **{way: True}))
    assert problem is not None
    assert problem.code == "RESET_NOT_POSSIBLE"
    assert "ada@x" in problem.message
    assert problem.remedy
    assert impossible(ADA) is None


CASES = {
    "too low, and which would do": (
        [GROUPS],
        [HELPDESK],
        "ROLE_TOO_LOW",
        "reset ada@x because it holds Groups Administrator; User Administrator can.",
    ),
    "the group counts": ([TIER0], [HELPDESK], "ROLE_TOO_LOW", "group Tier 0; Privileged"),
    "allowed by the matrix, refused all the same": (
        [],
        [HELPDESK],
        "ROLE_TOO_LOW",
        "names User Administrator",
    ),
    "no role": ([], [], "ROLE_MISSING", "has no role that resets passwords"),
    "a role that resets nothing": ([], ["Global Reader"], "ROLE_MISSING", "no role"),
}


@pytest.mark.diagnosis("ROLE_MISSING", "ROLE_TOO_LOW")
@pytest.mark.parametrize("name", CASES)
def test_why_a_reset_was_refused(name):
    held, roles, code, text = CASES[name]
    problem = refused(DENIED, ADA, held, roles)
    assert problem is not None
    assert problem.code == code
    assert text in problem.message
    assert problem.remedy
    assert refused(DONE, ADA, held, roles) is None


@pytest.mark.diagnosis("EMPTY_403")
def test_a_missing_permission_is_named_with_what_the_token_holds():
    answer = replace(DENIED, token_roles=frozenset({"User.Read.All", "Group.Read.All"}))
    problem = refused(answer, ADA, [], [HELPDESK])
    assert problem is not None
    assert "the token holds Group.Read.All, User.Read.All" in problem.message
    assert f"needs {PERMISSION}" in problem.message
