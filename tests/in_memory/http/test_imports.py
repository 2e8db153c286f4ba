"""The import dialogs of the guides, as calls of the API."""

import csv
import io
import json
from typing import Any

import pytest

from functions.http.rows import cell
from shared.model.imports import AccessPolicy
from shared.operations import start
from shared.requests import (
    Order,
    check_fetch,
    check_import,
    check_login,
    check_message,
    check_roles,
    check_schedule,
)
from tests.bad_input import Row, import_bodies
from tests.bad_input.wanted import encoded
from tests.fakes.drive import drive
from tests.in_memory.http.client import Client
from tests.in_memory.imports.products import NAME, connected, store, synchronised

URL = f"/api/connections/{NAME}"
ANA, BO = "ana@contoso.onmicrosoft.com", "bo@contoso.onmicrosoft.com"


async def client_of(profile: str = "pam360", *users: str, **inputs: Any) -> Client:
    ctx = await connected(profile, **inputs)
    for user in users:
        ctx.directory_reader.people.add_user(user)
    return Client(ctx)


async def imported(client: Client, **wish: Any) -> dict[str, Any]:
    """Import over the API; the finished summary."""
    answer = await client.post(f"{URL}/import", wish)
    assert answer.status == 202, answer.json
    begun = await client.get(answer.headers["Location"])
    assert (begun.status, begun.json["summary"]["state"]) == (200, "running")
    await drive(client.ctx)
    client.ctx.clock.advance(minutes=1)
    shown = await client.get(answer.headers["Location"])
    assert shown.status == 200
    return {**shown.json["summary"], "rows": shown.json["rows"]}


@pytest.mark.requirement("M-17")
async def test_groups_are_fetched_with_their_structure_ticked_and_imported():
    client = await client_of("pam360", "ana", "bo")
    tenant = client.ctx.directory_reader.people
    inner = tenant.add_group("Inner", ["user-bo"])
    outer = tenant.add_group("Outer", [inner, "user-ana"])
    tenant.add_group("Staff")
    first = (await client.post(f"{URL}/groups:fetch", {"limit": 2})).json
    assert first["groups"] == [
        {"id": inner, "name": "Inner", "members": 1, "parents": [outer], "children": []},
        {"id": outer, "name": "Outer", "members": 1, "parents": [], "children": [inner]},
    ]
    rest = (await client.post(f"{URL}/groups:fetch", {"after": first["after"]})).json
    assert ([group["name"] for group in rest["groups"]], rest["after"]) == (["Staff"], None)
    ticked = await imported(client, group_ids=[outer])
    assert (ticked["imported"], ticked["groups"], ticked["edges"]) == (2, 2, 1)


@pytest.mark.requirement("M-18", "M-15")
async def test_a_name_with_a_comma_comes_in_a_list():
    client = await client_of("pam360", "Zoe, R.", "ana")
    assert (await imported(client, users=["Zoe, R."]))["imported"] == 1
    split = await imported(client, users=" ana ,, ANA,nobody ")
    assert (split["input"], split["imported"], split["failed"]) == (2, 1, 1)


@pytest.mark.requirement("M-22", "M-23")
async def test_the_connections_inputs_say_whom_and_how_often():
    client = await client_of("pam360", "ana", users=["ana"], roles={ANA: "Administrator"})
    first = await imported(client)
    assert (first["imported"], first["warnings"]) == (1, [])
    schedules = (await client.get("/api/schedules")).json["schedules"]
    assert [(row["id"], row["every"]) for row in schedules] == [(f"{NAME}.import", "PT24H")]
    assert schedules[0]["request"]["users"] == ["ana"]


@pytest.mark.requirement("M-23")
async def test_an_interval_of_null_imports_once():
    client = await client_of("pam360", "ana", users=["ana"])
    await imported(client, every=None)
    assert (await client.get("/api/schedules")).json == {"schedules": []}


@pytest.mark.requirement("M-20", "M-21")
@pytest.mark.diagnosis("SYNC_OVERDUE")
async def test_schedules_are_shown_changed_and_removed_in_one_place():
    client = await client_of("pam360", "ana")
    await imported(client, users=["ana"], every="PT24H")
    url = f"/api/schedules/{NAME}.import"
    row = (await client.get("/api/schedules")).json["schedules"][0]
    assert row["last_run"] and row["next_run"] and not row["overdue"]
    changed = await client.patch(url, {"every": "PT1H"})
    assert changed.status == 200
    assert changed.json["next_run"] < row["next_run"]
    assert (await synchronised(client.ctx, hours=2)).scheduled
    client.ctx.clock.advance(hours=3)  # nobody sweeps
    late = (await client.get("/api/schedules")).json["schedules"][0]
    assert (late["overdue"], late["reason"]) == (True, "SYNC_OVERDUE")
    off = await client.patch(url, {"enabled": False})
    assert (off.json["next_run"], off.json["overdue"]) == (None, False)
    assert "import" not in await client.ctx.ledger.due_times(NAME)
    assert (await client.delete(url)).status == 200
    assert (await client.get("/api/schedules")).json == {"schedules": []}
    assert (await client.delete(url)).problems == [("id", "SCHEDULE_UNKNOWN")]
    told = [row["what"] for row in await client.ctx.ledger.history(NAME)]
    assert {"schedule.made", "schedule.changed", "schedule.removed"} <= set(told)


@pytest.mark.requirement("M-26", "M-38")
@pytest.mark.diagnosis("ROLE_UNKNOWN")
async def test_roles_change_for_one_and_in_bulk_and_last():
    client = await client_of("pam360", "ana", "bo")
    await imported(client, users=["ana", "bo"], every="PT24H")
    done = await client.patch(
        f"{URL}/users", {"roles": {ANA: "Administrator", BO: "Connection User"}}
    )
    assert done.status == 200 and len(done.json["users"]) == 2 and done.json["warnings"] == []
    await synchronised(client.ctx)
    listed = (await client.get(f"{URL}/users")).json["users"]
    assert {user["display_name"]: user["role"] for user in listed} == {
        "ana": "Administrator",
        "bo": "Connection User",
    }
    refused = await client.patch(f"{URL}/users", {"roles": {BO: "Emperor"}})
    assert (refused.status, refused.problems) == (422, [(f"roles.{BO}", "ROLE_UNKNOWN")])
    stranger = await client.patch(
        f"{URL}/users", {"roles": {BO: "Administrator", "who": "Administrator"}}
    )
    assert stranger.problems == [("roles.who", "USER_NOT_FOUND:who")]
    kept = {user.display_name: user.role for user in (await store(client.ctx)).users}
    assert kept["bo"] == "Connection User", "all or none"
    refused = await client.post(f"{URL}/import", {"users": "ana", "roles": {ANA: "Emperor"}})
    assert refused.problems == [(f"roles.{ANA}", "ROLE_UNKNOWN")]


@pytest.mark.requirement("M-27")
@pytest.mark.diagnosis("NO_ADMINISTRATOR")
async def test_the_last_administrator_stays():
    client = await client_of("pam360", "ana", "bo")
    first = await imported(client, users=["ana", "bo"])
    assert "NO_ADMINISTRATOR" in [warned["code"] for warned in first["warnings"]]
    await client.patch(f"{URL}/users", {"roles": {ANA: "Administrator"}})
    refused = await client.patch(f"{URL}/users", {"roles": {ANA: "Password User"}})
    assert (refused.status, refused.problems) == (409, [("roles", "NO_ADMINISTRATOR")])
    swapped = {ANA: "Password User", BO: "Administrator"}
    assert (await client.patch(f"{URL}/users", {"roles": swapped})).status == 200


@pytest.mark.requirement("M-27", "M-31", "M-32", "M-33")
@pytest.mark.diagnosis(
    "LOGIN_BEFORE_IMPORT", "PRECONDITION_OPEN", "NO_ADMINISTRATOR", "CA_BLOCKS_LOGIN",
    "MFA_LOGIN_BLOCKED",
)  # fmt: skip
async def test_the_sign_in_is_switched_only_when_nobody_is_locked_out():
    client = await client_of("password-manager-pro", "ana")
    on = {"enabled": True}

    async def refusal() -> list[tuple[str, str]]:
        answer = await client.post(f"{URL}/login", on)
        assert answer.status == 409
        return answer.problems

    assert await refusal() == [("connection", "LOGIN_BEFORE_IMPORT")]
    client.ctx.directory_reader.mfa.add("user-ana")
    await imported(client, users=["ana"])
    assert await refusal() == [("connection", "PRECONDITION_OPEN")]
    unknown = await client.post(f"{URL}/preconditions/no-mfa", {"by": "ana"})
    assert unknown.problems == [("precondition", "PRECONDITION_UNKNOWN")]
    done = await client.post(f"{URL}/preconditions/ad-auth-off", {"by": "ana", "note": "4711"})
    assert done.json["by"] == "ana"
    assert await refusal() == [("connection", "NO_ADMINISTRATOR")]
    await client.patch(f"{URL}/users", {"roles": {ANA: "Administrator"}})
    everything = AccessPolicy(
        id="1", name="MFA for all", state="enabled", controls=True,
        applications=frozenset({"All"}), users=frozenset({"All"}),
    )  # fmt: skip
    client.ctx.directory_reader.conditional_access.append(everything)
    switched = await client.post(f"{URL}/login", on)
    assert switched.status == 200 and switched.json["login"]["enabled"]
    seen = (await client.get(URL)).json
    assert (seen["login"]["enabled"], seen["acknowledged"]) == (True, {"ad-auth-off": "ana"})
    codes = {warned["code"]: warned["message"] for warned in switched.json["warnings"]}
    assert set(codes) == {"CA_BLOCKS_LOGIN", "MFA_LOGIN_BLOCKED"}
    assert "MFA for all" in codes["CA_BLOCKS_LOGIN"]
    assert (await client.post(f"{URL}/login", {"enabled": False})).json["warnings"] == []


@pytest.mark.requirement("D-36")
async def test_options_are_those_of_the_product():
    client = await client_of("devolutions-server", "ana")
    refused = await client.post(f"{URL}/import", {"users": "ana", "options": {"colour": 1}})
    assert (refused.status, refused.problems) == (422, [("options.colour", "FIELD_UNKNOWN")])
    stored = await imported(client, users="ana", options={"lifecycle_policy": "P90D"})
    assert stored["options"] == {"lifecycle_policy": "P90D"}


@pytest.mark.requirement("D-35")
async def test_a_selected_account_is_shown_as_imported():
    client = Client(await connected("devolutions-server", features={"discovery": True}))
    ctx = client.ctx
    for user in ("ana", "bo"):
        ctx.directory_reader.people.add_user(user)
    ctx.directory_reader.people.add_group("Admins", ["user-ana", "user-bo"])
    assert await start(ctx, NAME, "discover", "scan", asked_by="test", reason="requested")
    await drive(ctx)
    await imported(client, account_ids=["user-bo"])
    rows = (await client.get(f"{URL}/accounts")).json["accounts"]
    assert {row["display_name"]: row["state"] for row in rows} == {"ana": "found", "bo": "imported"}


async def test_nobody_named_is_refused_and_so_is_everybody_where_it_is_not_offered():
    client = await client_of("pam360")
    assert (await client.post(f"{URL}/import", {})).problems == [("users", "INPUT_MISSING")]
    client = await client_of("devolutions-server")
    assert ("everyone", "NOT_OFFERED") in (
        await client.post(f"{URL}/import", {"everyone": True})
    ).problems
    client = await client_of("pandium")
    assert (await client.post(f"{URL}/import", {"users": "a"})).problems == [
        ("connection", "NOT_OFFERED")
    ]


@pytest.mark.requirement("M-24", "M-28")
async def test_rows_come_page_by_page_and_as_files():
    client = await client_of("pam360", "ana", "bo", "=1+2")
    tenant = client.ctx.directory_reader.people
    tenant.add_group("Staff", ["user-ana", "user-bo", "user-=1+2"])
    run = await imported(client, groups="Staff")
    url = f"{URL}/imports/{run['operation']}"
    first = await client.get(f"{url}?limit=4")
    assert len(first.json["rows"]) == 4
    second = await client.get(first.json["next"])
    assert [row["kind"] for row in second.json["rows"]] == ["membership"] * 3
    assert second.json["next"] is None
    users = list(
        csv.DictReader(io.StringIO((await client.get(f"{url}?format=csv")).content.decode()))
    )
    assert [row["display_name"] for row in users if row["kind"] == "user"] == ["'=1+2", "ana", "bo"]
    lines = (await client.get(f"{url}?format=ndjson&kind=membership")).content.splitlines()
    assert {json.loads(line)["kind"] for line in lines} == {"membership"}
    assert len(lines) == 3
    listed = (await client.get(f"{URL}/imports")).json["imports"]
    assert [summary["operation"] for summary in listed] == [run["operation"]]
    assert (await client.get(f"{URL}/imports/none")).problems == [("", "IMPORT_UNKNOWN")]
    page = await client.get(f"{URL}/users?limit=2")
    assert len((await client.get(page.json["next"])).json["users"]) == 1


def test_a_formula_in_a_name_does_not_run():
    assert [cell(text) for text in ("=1", "+1", "@x", "-1", "\t=1", "a=1")] == [
        "'=1", "'+1", "'@x", "'-1", "'\t=1", "a=1",
    ]  # fmt: skip


@pytest.mark.requirement("X-02")
async def test_another_system_imports_by_message():
    client = await client_of("pam360", "ana")
    message = {"apiVersion": "keyturn/v1", "kind": "import", "connection": NAME, "users": "ana"}
    for id_, roles in (("good", {}), ("bad", {"ana": "Emperor"})):
        await client.ctx.outbox.provision(encoded({**message, "roles": roles}), id_)
    await drive(client.ctx)
    assert [user.display_name for user in (await store(client.ctx)).users] == ["ana"]
    refused = (await client.ctx.ledger.refusals())[0]
    assert refused["problems"][0]["code"] == "ROLE_UNKNOWN"


@pytest.mark.requirement("X-01")
@pytest.mark.parametrize("row", import_bodies.HTTP_ROWS, ids=lambda row: row.id)
def test_a_malformed_import_is_refused(row: Row):
    outcome = check_import(row.body)
    assert isinstance(outcome, list)
    assert (row.field, row.code) in {(problem.field, problem.code) for problem in outcome}


@pytest.mark.parametrize(
    ("check", "id_", "body", "field", "code"),
    [
        (check, *row)
        for check, rows in (
            (check_roles, import_bodies.ROLES),
            (check_login, import_bodies.LOGIN),
            (check_schedule, import_bodies.SCHEDULE),
            (check_fetch, import_bodies.FETCH),
        )
        for row in rows
    ],
)
def test_the_smaller_bodies_are_refused(check: Any, id_: str, body: Any, field: str, code: str):
    outcome = check(encoded(body))
    assert isinstance(outcome, list), id_
    assert (field, code) in {(problem.field, problem.code) for problem in outcome}


def test_the_documents_that_rows_are_made_from_are_good():
    assert not isinstance(check_import(encoded(import_bodies.GOOD)), list)
    assert isinstance(check_message(encoded(import_bodies.MESSAGE)), Order)


async def test_every_malformed_import_is_a_4xx():
    client = await client_of("pam360", "ana")
    for row in import_bodies.HTTP_ROWS:
        answer = await client.post(f"{URL}/import", row.body)
        assert 400 <= answer.status < 500, row.id
    assert (await client.get(f"{URL}/imports")).json["imports"] == []
