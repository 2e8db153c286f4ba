"""Section 2 of Password Manager Pro's guide, on the running functions and all emulators."""

from typing import Any

import pytest

from tests.end_to_end.local import Local, until

NAME, DOMAIN = "pmp-prod", "contoso.onmicrosoft.com"
URL = f"/api/connections/{NAME}"
REQUEST: dict[str, Any] = {
    "name": NAME,
    "profile": "password-manager-pro",
    "inputs": {"domain": DOMAIN, "sync_interval_hours": 12},
    "owner": "ana@contoso.example",
}


async def call(local: Local, method: str, path: str, body: Any = None) -> Any:
    answer = await local.call(method, path, json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()


@pytest.mark.requirement(
    "M-17", "M-20", "M-24", "M-25", "M-26", "M-27", "M-28", "M-31", "M-32", "M-33"
)
async def fetch_tick_import_roles_sign_in_and_schedule(local: Local) -> None:
    names = ("Ana", "Bo", "Cy")
    people = [{"displayName": n, "userPrincipalName": f"{n.lower()}@{DOMAIN}"} for n in names]
    made = await local.control("tenant", {"users": people})
    inner = {"displayName": "PMP inner", "members": [made["users"][1]]}
    nested = (await local.control("tenant", {"groups": [inner]}))["groups"][0]
    outer = {"displayName": "PMP users, all", "members": [nested, made["users"][0]]}
    everybody = {
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"]},
    }
    policy = {"displayName": "MFA for all", "conditions": everybody}
    facts = [{"user": id_, "registered": id_ == made["users"][1]} for id_ in made["users"]]
    body = {"groups": [outer], "mfa": facts, "conditional_access": [policy]}
    root = (await local.control("tenant", body))["groups"][0]

    assert (await local.call("POST", "/api/connections", json=REQUEST)).status_code == 202
    await local.approve(NAME)
    await local.assert_onboarded(NAME)

    lines = (await call(local, "POST", f"{URL}/groups:fetch", {"prefix": "PMP"}))["groups"]
    assert [(line["id"], line["members"], line["children"]) for line in lines] == [
        (nested, 1, []),
        (root, 1, [nested]),
    ]
    wish = {"users": [f"cy@{DOMAIN}", "nobody"], "group_ids": [root]}
    begun = await call(local, "POST", f"{URL}/import", wish)

    async def finished() -> Any:
        found = await call(local, "GET", f"{URL}/imports/{begun['operation']}")
        return found if found["summary"]["state"] in ("succeeded", "partial") else None

    shown = await until("the import to end", finished)
    counts = {key: shown["summary"][key] for key in ("input", "imported", "failed", "edges")}
    assert counts == {"input": 4, "imported": 3, "failed": 1, "edges": 1}
    rows = {
        row["display_name"] or row["asked"]: row for row in shown["rows"] if row["kind"] == "user"
    }
    assert {name: (row["role"], row["reason"]) for name, row in rows.items()} == {
        "Ana": ("Password User", ""),
        "Bo": ("Password User", "MFA_LOGIN_BLOCKED"),
        "Cy": ("Password User", ""),
        "nobody": ("", "USER_NOT_FOUND:nobody"),
    }
    await call(local, "POST", f"{URL}/preconditions/ad-auth-off", {"note": "switched off today"})
    refused = await local.call("POST", f"{URL}/login", json={"enabled": True})
    assert (refused.status_code, "NO_ADMINISTRATOR" in refused.text) == (409, True)
    await call(local, "PATCH", f"{URL}/users", {"roles": {f"ana@{DOMAIN}": "Administrator"}})
    switched = await call(local, "POST", f"{URL}/login", {"enabled": True})
    codes = {warned["code"] for warned in switched["warnings"]}
    assert codes == {"CA_BLOCKS_LOGIN", "MFA_LOGIN_BLOCKED"}

    schedules = (await local.get("/api/schedules"))["schedules"]
    assert [(row["connection"], row["every"], row["overdue"]) for row in schedules] == [
        (NAME, "PT12H", False)
    ]
    csv = await local.call("GET", f"{URL}/users?format=csv")
    assert f"ana@{DOMAIN}" in csv.text and "Administrator" in csv.text
    condition = {c["type"]: c for c in (await local.get(URL))["conditions"]}["Discovered"]
    assert (condition["status"], condition["reason"]) == ("True", "IMPORT_PARTIAL")
