"""What a sheet refuses, and what it says besides the fields."""

import msgspec
import pytest

from shared.errors import NeedsHuman
from shared.handover import Sheet, markdown, settings_file, sheet
from shared.model.connection import Connection
from shared.profile import catalogue
from tests.in_memory.handover.products import request
from tests.in_memory.handover.sheets import FACTS, TENANT, connection, vault


def made(known: Connection) -> Sheet:
    return sheet(catalogue()[known.spec.profile], known, TENANT, vault)


def asked(profile: str, **changes: object) -> Connection:
    """As after its onboarding, but with other wishes."""
    spec = request(profile, **changes).spec
    return msgspec.structs.replace(connection(profile), spec=spec)


@pytest.mark.requirement("M-13", "A-02", "X-16")
@pytest.mark.diagnosis("OUTPUT_EMPTY")
@pytest.mark.parametrize(
    ("profile", "empty"),
    [
        ("pam360", "client_secret"),
        ("pandium", "client_secret, scope, token_type, expires_at, expires_in, ext_expires_in, "),
        ("netwrix-identity-manager", "application_key"),
    ],
)
def test_all_that_is_empty_is_named(profile: str, empty: str):
    bare = msgspec.structs.replace(
        connection(profile), credential=None, brokered=None, handed={}, membership=None
    )
    with pytest.raises(NeedsHuman) as caught:
        made(bare)
    assert caught.value.code == "OUTPUT_EMPTY"
    assert empty in caught.value.message


@pytest.mark.requirement("D-07", "D-08", "N-04")
@pytest.mark.diagnosis("WRONG_ID_KIND")
@pytest.mark.parametrize(
    "wrong", [FACTS.object_id, FACTS.principal_id, TENANT.id, "netwrix-connector"]
)
def test_an_id_of_another_kind_is_refused(wrong: str):
    known = connection("netwrix-identity-manager")
    facts = msgspec.structs.replace(FACTS, client_id=wrong)
    with pytest.raises(NeedsHuman) as caught:
        made(msgspec.structs.replace(known, facts=facts))
    assert caught.value.code == "WRONG_ID_KIND"
    assert wrong in caught.value.message


@pytest.mark.requirement("D-06")
def test_optional_fields_are_passed_through_or_left_out():
    inputs = {"description": "nightly scans", "password_template": "Strong"}
    full = made(asked("devolutions-server", inputs=inputs))
    assert [line.value for line in full.lines[:3]] == ["DVLS PAM", "nightly scans", "Strong"]
    bare = made(asked("devolutions-server"))
    assert [line.name for line in bare.lines[:2]] == ["provider_name", "tenant_id"]


@pytest.mark.requirement("D-11", "D-38")
def test_the_secret_is_a_reference_to_its_version_and_never_a_value():
    line = made(connection("devolutions-server")).lines[-1]
    assert (line.label, line.value) == ("Secret key", None)
    assert line.secret is not None
    assert line.secret.vault.endswith(f"/{line.secret.name}/{line.secret.version}")


@pytest.mark.requirement("M-14")
def test_the_stored_account_is_named_only_when_it_is_used():
    inputs = {"resource_name": "Azure", "account_name": "pam360-app"}
    used = made(asked("pam360", features={"stored_account": True}, inputs=inputs))
    assert [line.value for line in used.lines[-2:]] == ["Azure", "pam360-app"]
    assert any("stored account" in note.about for note in used.notes)
    assert all("stored" not in line.name for line in made(asked("pam360")).lines)


@pytest.mark.requirement("M-12", "M-34", "M-35")
@pytest.mark.diagnosis("USER_TOKEN_MODE")
def test_hints_of_the_guide_are_printed():
    text = markdown(made(asked("pam360", features={"login": True})))
    assert "User Access Token keep signing in" in text
    assert "local authentication may be disabled" in text
    assert "can also be started from Users" in text
    without = markdown(made(asked("pam360")))
    assert "local authentication" not in without


@pytest.mark.requirement("N-19")
def test_the_agent_needs_to_read_the_vault():
    notes = [note.about for note in made(connection("netwrix-identity-manager")).notes]
    assert any("4633458b-17de-408a-b874-0445c86b69e6" in note for note in notes)


@pytest.mark.requirement("N-16", "N-17")
def test_a_response_uri_is_written_to_the_file():
    known = asked("netwrix-identity-manager", inputs={"response_uri": "https://im.example/cb"})
    text = settings_file(made(known), "appsettings.agent.json")
    assert '"ResponseUri": "https://im.example/cb"' in text


def test_a_partial_guide_is_said_so():
    assert "leaves gaps" in markdown(made(connection("pam360")))
    assert "leaves gaps" not in markdown(made(connection("password-manager-pro")))


def test_preconditions_are_open_until_somebody_acknowledges_them():
    known = asked("pam360", features={"login": True})
    assert [p.id for p in made(known).preconditions] == [
        "ad-auth-off",
        "no-conditional-access",
        "no-mfa",
    ]
    told = msgspec.structs.replace(known, acknowledged={"ad-auth-off": "ana"})
    assert "ad-auth-off" not in [p.id for p in made(told).preconditions]


def test_swaps_that_were_taken_are_told_from_those_offered():
    offered = made(asked("devolutions-server")).swaps
    assert [swap.taken for swap in offered] == [False]
    accepted = asked("devolutions-server", accept_swaps=["RoleManagement.ReadWrite.Directory"])
    assert "Taken: `RoleManagement.Read.Directory`" in markdown(made(accepted))


def test_an_azure_role_is_a_step_with_its_scope():
    inputs = {"domain_name": "contoso.onmicrosoft.com"}
    profile = catalogue()["sailpoint-entra"]
    known = connection("devolutions-server")
    spec = msgspec.structs.replace(
        known.spec, profile=profile.id, inputs=inputs, features={"cloud_objects": True}
    )
    steps = sheet(profile, msgspec.structs.replace(known, spec=spec), TENANT, vault).steps
    scope = f"/providers/Microsoft.Management/managementGroups/{TENANT.id}"
    assert [scope in step.what and "Reader" in step.what for step in steps] == [True]
    assert FACTS.principal_id in steps[0].what


def test_advice_is_no_request():
    without = asked("devolutions-server", features={"discovery": False})
    assert any("User-PasswordProfile.ReadWrite.All" in n.about for n in made(without).notes)
