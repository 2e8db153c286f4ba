"""Conditional Access policies and registered MFA, as the admin interface seeds them."""

import pytest

POLICIES = "/identity/conditionalAccess/policies"


@pytest.mark.requirement("M-31")
async def test_a_policy_is_seeded_listed_and_read(admin):
    app = "11111111-2222-4333-8444-555555555555"
    wanted = {
        "displayName": "MFA for the vault",
        "conditions": {
            "applications": {"includeApplications": [app]},
            "users": {"includeUsers": ["All"]},
        },
    }
    made = await admin.admin("tenant", conditional_access=[wanted])
    listed = (await admin.read(POLICIES))["value"]
    assert [policy["id"] for policy in listed] == made["conditional_access"]
    policy = await admin.read(f"{POLICIES}/{listed[0]['id']}")
    assert policy["state"] == "enabled"
    assert policy["conditions"]["applications"]["includeApplications"] == [app]
    assert policy["conditions"]["users"]["excludeUsers"] == []
    assert policy["grantControls"]["builtInControls"] == ["mfa"]


async def test_who_registered_mfa_can_be_said(admin):
    user = (await admin.read("/users?$top=1"))["value"][0]["id"]
    path = f"/reports/authenticationMethods/userRegistrationDetails/{user}"
    for registered in (True, False):
        await admin.admin("tenant", mfa=[{"user": user, "registered": registered}])
        assert (await admin.read(path))["isMfaRegistered"] is registered
