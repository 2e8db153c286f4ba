"""Two apps, each under its own identity as in Azure: what each used of Graph is what it was given.

The stories are told on a cloud where the front door and the worker are processes of their own. The
emulated Graph says which permission let each call in, the least of those that its caller holds and
that are documented as sufficient. The last tests compare that with what was granted, so this file
is run as a whole.
"""

import json
import re
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from emulators.graph.routing import ROUTES
from emulators.stack import Cloud, Options
from functions.http_api import CALLS
from tests.end_to_end import test_offboarding
from tests.end_to_end.local import Local, until
from tests.end_to_end.stories import emergency, findings, imports, products

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
LISTED: dict[str, list[dict[str, Any]]] = json.loads(
    (ROOT / "infra" / "permissions.json").read_text("utf-8")
)
FUNCTIONS: dict[str, list[str]] = json.loads((ROOT / "infra" / "functions.json").read_text("utf-8"))


class Recorder(Local):
    """Notes which calls of the API were made."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.made: set[str] = set()

    async def call(
        self, method: str, path: str, *, caller: str = "operator", **options: Any
    ) -> httpx.Response:
        answer = await super().call(method, path, caller=caller, **options)
        for call in CALLS:
            pattern = "/api/" + re.sub(r"\{\w+\}", "[^/]+", call.path)
            if call.method == method and re.fullmatch(pattern, path.partition("?")[0]):
                self.made.add(call.name)
        return answer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cloud]:
    options = Options(folder=tmp_path_factory.mktemp("cloud"), users=120, apart=True)
    async with Cloud(options) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(cloud: Cloud) -> AsyncIterator[Recorder]:
    async with Recorder(cloud) as clients:
        yield clients


tenant = products.tenant
test_the_tenant_holds_what_the_guide_gives = products.the_tenant_holds_what_the_guide_gives
test_the_sheet_refers_to_a_secret_that_works = products.the_sheet_refers_to_a_secret_that_works
test_an_extra_permission_goes = findings.an_extra_permission_goes_when_an_approver_wants_it_away
test_imports = imports.fetch_tick_import_roles_sign_in_and_schedule
test_emergency = emergency.the_leaked_secret_is_dead_when_the_emergency_is_over


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def used(local: Recorder) -> dict[str, dict[str, Any]]:
    """By app: which permission let which calls in, and which calls were refused."""
    await test_offboarding.test_nothing_is_left_and_everything_can_be_read(local)
    await _by_roles(local)
    await _asked(local)
    await _swept(local)
    view = await local.control("permissions")
    ids = local.cloud.children["graph"].ready["identities"]
    return {app: view.get(ids[app]["client_id"], {}) for app in LISTED}


async def _by_roles(local: Recorder) -> None:
    """A discovery by roles, of units, with facts about MFA; owners; a dry run before it."""
    units = await local.control("state")
    body = {
        "name": "dvls-roles",
        "profile": "devolutions-server",
        "features": {"discovery": True, "password_rotation": True},
        "inputs": {
            "provider_name": "DVLS PAM",
            "config_name": "nightly",
            "search_mode": "roles",
            "filter": ["Reports Reader", "Helpdesk Administrator", "User Administrator"],
            "read_mfa": "yes",
            "read_roles": "yes",
        },
        "owner": "ana@contoso.example",
    }
    assert units["tenant_id"]
    planned = await local.call("POST", "/api/connections", json={**body, "dry_run": True})
    assert planned.status_code == 200, planned.text
    made = await local.call("POST", "/api/connections", json=body)
    assert made.status_code == 202, made.text
    await local.approve("dvls-roles")
    await local.ended("dvls-roles")


async def _asked(local: Recorder) -> None:
    """Every other call of the API once, on a connection that has been onboarded."""
    one, pmp = "/api/connections/dvls-roles", imports.URL
    for path in (
        "/api/health",
        "/api/openapi.json",
        "/api/profiles",
        "/api/profiles/pam360",
        "/api/connections",
        one,
        f"{one}/credential",
        f"{one}/handover",
        f"{one}/history",
        f"{one}/findings",
        f"{one}/discoveries",
        f"{one}/accounts",
        f"{one}/entities",
        f"{one}/links",
        f"{one}/changes",
        f"{pmp}/imports",
        f"{pmp}/users",
        "/api/findings",
        "/api/refusals",
        "/api/schedules",
    ):
        answer = await local.call("GET", path, caller="reader")
        assert answer.status_code in (200, 503), (path, answer.text)
    run = (await local.get(f"{one}/discoveries"))["discoveries"][0]["operation"]
    await local.call("GET", f"{one}/discoveries/{run}/removals")
    await local.call(
        "POST",
        f"{one}/discoveries/{run}/removals",
        json={"decision": "drop", "reason": "x"},
        caller="approver",
    )
    for tail in ("discovery", "verification", "rotation"):
        answer = await local.call("POST", f"{one}/{tail}", json={})
        assert answer.status_code == 202, answer.text
        await local.ended("dvls-roles")
    await local.call("POST", f"{one}/handover/acknowledgement", json={})
    changed = await local.call("PATCH", one, json={"owner": "bo@contoso.example"})
    assert changed.status_code in (200, 202), changed.text
    await local.ended("dvls-roles")
    schedule = (await local.get("/api/schedules"))["schedules"][0]["id"]
    await local.call("PATCH", f"/api/schedules/{schedule}", json={"every": "PT6H"})
    await local.call("DELETE", f"/api/schedules/{schedule}")


async def _swept(local: Recorder) -> None:
    """A day passes: every timer runs, and takes what has become due."""
    await local.control("clock", {"advance_seconds": 86_400})

    async def verified_again() -> bool:
        found = await local.connection("dvls-roles") or {}
        runs = found.get("operations", [])
        daily = [run for run in runs if run["asked_by"] == "timer"]
        return bool(daily) and all(run["state"] != "running" for run in runs)

    await until("the timers to have had their day", verified_again)


@pytest.mark.requirement("X-07")
@pytest.mark.parametrize("app", LISTED)
async def test_nothing_is_granted_in_vain_and_nothing_is_missing(
    used: dict[str, dict[str, Any]], app: str
) -> None:
    listed = {right["permission"] for right in LISTED[app]}
    assert used[app]["refused"] == []
    assert {*used[app]["used"]} == listed, {n: c[:3] for n, c in used[app]["used"].items()}


async def test_the_front_door_only_reads(used: dict[str, dict[str, Any]]) -> None:
    calls = {call for made in used["front"]["used"].values() for call in made}
    assert calls and all(call.startswith("GET ") for call in calls)


async def test_all_of_the_product_took_part(
    local: Recorder, used: dict[str, dict[str, Any]]
) -> None:
    assert used
    assert local.made == {call.name for call in CALLS}
    log = (local.cloud.folder / "worker.log").read_text("utf-8")
    ran = set(re.findall(r"INFO \[(\w+) [0-9a-f-]{36}\]", log))
    assert set(FUNCTIONS["steps"]) - ran == set()


async def test_with_the_front_doors_identity_no_write_is_possible(
    local: Recorder, used: dict[str, dict[str, Any]]
) -> None:
    """Each write that Graph offers, tried with the token of the front door."""
    assert used
    identity = local.cloud.children["graph"].ready["identities"]["front"]
    form = {
        "grant_type": "client_credentials",
        "client_id": identity["client_id"],
        "client_secret": identity["client_secret"],
        "scope": "https://graph.microsoft.com/.default",
    }
    state = local.state
    url = f"{state['authority']}/{state['tenant_id']}/oauth2/v2.0/token"
    trust = ssl.create_default_context(cafile=state["ca_file"])
    async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
        token = (await http.post(url, data=form)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        for route in ROUTES:
            if route.method == "GET":
                continue
            path = re.sub(r"\{\w+\}", identity["object_id"], route.template)
            answer = await http.request(
                route.method, state["graph"] + path, json={}, headers=headers
            )
            assert answer.status_code == 403, (route.method, route.template, answer.text)
