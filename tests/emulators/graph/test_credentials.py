"""Client secrets: shown once, limited, refused by policy."""

import re
from datetime import datetime, timedelta

import pytest

HINT = re.compile(r"[A-Za-z0-9]{3}8Q~[\w.~-]{34}")


async def test_secret_is_shown_once(admin):
    made = await admin.application()
    path = f"/applications/{made['id']}"
    wanted = {"passwordCredential": {"displayName": "one", "endDateTime": "2027-06-01T00:00:00Z"}}
    secret = await admin.made(f"{path}/addPassword", wanted, status=200)
    assert HINT.fullmatch(secret["secretText"])
    assert secret["hint"] == secret["secretText"][:3]
    assert secret["endDateTime"] == "2027-06-01T00:00:00Z"
    assert secret["customKeyIdentifier"] is None
    listed = (await admin.read(path))["passwordCredentials"]
    assert [item["keyId"] for item in listed] == [secret["keyId"]]
    assert listed[0]["secretText"] is None
    assert listed[0]["displayName"] == "one"
    assert secret["secretText"] in (await admin.look("secrets"))["secrets"]


async def test_default_lifetime_is_two_years(admin):
    made = await admin.application()
    secret = await admin.made(f"/applications/{made['id']}/addPassword", {}, status=200)
    start, end = (datetime.fromisoformat(secret[k]) for k in ("startDateTime", "endDateTime"))
    assert end - start == timedelta(days=730)


async def test_remove_by_key_id(admin):
    made = await admin.application()
    path = f"/applications/{made['id']}"
    secret = await admin.made(f"{path}/addPassword", {}, status=200)
    body = {"keyId": secret["keyId"]}
    assert (await admin.post(f"{path}/removePassword", json=body)).status_code == 204
    assert (await admin.read(path))["passwordCredentials"] == []
    again = await admin.post(f"{path}/removePassword", json=body)
    assert again.status_code == 400
    assert "No password credential found with keyId" in again.json()["error"]["message"]


@pytest.mark.parametrize(
    "credential",
    [
        {"endDateTime": "2001-01-01T00:00:00Z"},
        {"endDateTime": "tomorrow"},
        {"secretText": "my own choice of secret"},
        {"lifetime": "P90D"},
        {"displayName": 5},
    ],
)
async def test_bad_credentials(admin, credential):
    made = await admin.application()
    answer = await admin.post(
        f"/applications/{made['id']}/addPassword", json={"passwordCredential": credential}
    )
    assert answer.status_code == 400


async def test_personal_audience_has_two_secrets_at_most(admin):
    made = await admin.application(signInAudience="AzureADandPersonalMicrosoftAccount")
    path = f"/applications/{made['id']}/addPassword"
    answers = [(await admin.post(path, json={})).status_code for _ in range(3)]
    assert answers == [200, 200, 400]


async def test_locked_service_principal_takes_no_secret(admin):
    application, principal = await admin.with_principal()
    path = f"/servicePrincipals/{principal['id']}/addPassword"
    assert (await admin.post(path, json={})).status_code == 200
    lock = {"servicePrincipalLockConfiguration": {"isEnabled": True, "allProperties": True}}
    answer = await admin.patch(f"/applications/{application['id']}", json=lock)
    assert answer.status_code == 204
    assert (await admin.post(path, json={})).status_code == 400


async def test_add_key_needs_a_proof(admin):
    made = await admin.application()
    body = {"keyCredential": {"type": "AsymmetricX509Cert", "usage": "Verify"}, "proof": "no"}
    answer = await admin.post(f"/applications/{made['id']}/addKey", json=body)
    assert answer.status_code == 403


async def test_policy_limits_lifetime(admin):
    made = await admin.application()
    path = f"/applications/{made['id']}/addPassword"
    policy = await admin.admin("policy", max_lifetime="P90D")
    shown = await admin.read("/policies/defaultAppManagementPolicy")
    assert shown["isEnabled"] is True
    item = shown["applicationRestrictions"]["passwordCredentials"][0]
    assert (item["restrictionType"], item["maxLifetime"]) == ("passwordLifetime", "P90D")
    refused = await admin.post(path, json={})  # two years by default
    error = refused.json()["error"]
    assert refused.status_code == 400
    assert error["code"] == "CredentialInvalidLifetimeAsPerAppPolicy"
    assert policy["id"] in error["message"]
    end = (datetime.now().astimezone() + timedelta(days=80)).isoformat(timespec="seconds")
    good = await admin.post(path, json={"passwordCredential": {"endDateTime": end}})
    assert good.status_code == 200


async def test_targeted_policy_forbids_secrets(admin):
    one, other = await admin.application(), await admin.application()
    policy = await admin.admin("policy", passwords_forbidden=True, app=one["id"])
    listed = await admin.read("/policies/appManagementPolicies")
    assert [item["id"] for item in listed["value"]] == [policy["id"]]
    applies = await admin.read(f"/policies/appManagementPolicies/{policy['id']}/appliesTo")
    assert [item["id"] for item in applies["value"]] == [one["id"]]
    refused = await admin.post(f"/applications/{one['id']}/addPassword", json={})
    assert refused.json()["error"]["code"] == "CredentialTypeNotAllowedAsPerAppPolicy"
    good = await admin.post(f"/applications/{other['id']}/addPassword", json={})
    assert good.status_code == 200


async def test_most_secrets(admin):
    await admin.admin("policy", max_secrets=2)
    made = await admin.application()
    path = f"/applications/{made['id']}/addPassword"
    for _ in range(2):
        await admin.made(path, {}, status=200)
    refused = await admin.post(path, json={})
    assert refused.json()["error"]["code"] == "Directory_ResourceSizeExceeded"
