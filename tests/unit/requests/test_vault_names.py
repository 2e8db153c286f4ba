"""A request is refused whose names in Key Vault would be too long."""

import json

import pytest

from shared.requests import Request, check_request


def asked(name: str, profile: str = "pandium", **inputs: str) -> object:
    given = inputs or {"scope": "microsoft-graph"}
    return check_request(json.dumps({"name": name, "profile": profile, "inputs": given}).encode())


@pytest.mark.diagnosis("VAULT_NAME_INVALID")
def test_the_longest_connection_that_fits():
    fits = "a" * (127 - len("--PAN-SEC-MICROSOFT-ENTRA-EXT-EXPIRES-IN"))
    assert isinstance(asked(fits), Request)
    [problem] = asked(fits + "a")
    assert (problem.field, problem.code) == ("name", "VAULT_NAME_INVALID")
    assert "128 characters" in problem.message
    assert "at most 127" in problem.hint


def test_names_of_inputs_alone_do_not_count_the_connection():
    inputs = {"organization": "Contoso", "connection_id": "Export"}
    assert isinstance(asked("a" * 121, "netwrix-identity-manager", **inputs), Request)


def test_a_missing_input_is_one_problem_only():
    problems = asked("ab", "netwrix-identity-manager", organization="Contoso")
    assert [(p.field, p.code) for p in problems] == [("inputs.connection_id", "INPUT_MISSING")]
