"""A product of one's own: one YAML file in a copy of the project, and nothing else."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from emulators.stack import ROOT, Cloud, Options
from tests.end_to_end.local import Local

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE = """
schema: connector-profile/v1
id: badge-printer
title: Badge printer
sources: [the printer's manual]
features:
  photos: {default: true, about: print photos}
inputs:
  building: {type: string, required: true, max: 40, about: where it stands}
  secret_lifetime: {type: duration, default: P90D, min: P1D, max: P365D}
registration:
  display_name: "Badge printer ${inputs.building}"
  platform: web
  redirect_uris: ["https://badges.contoso.example/${connection}"]
permissions:
  - {resource: microsoft-graph, kind: application, names: [User.Read.All]}
  - {resource: microsoft-graph, kind: delegated, when: [photos], names: [User.Read]}
  - {resource: o365-management, kind: application, names: [ActivityFeed.Read]}
credential: {lifetime: "${inputs.secret_lifetime}"}
outputs:
  - {name: tenant, label: Directory, value: "${tenant.id}", replaces: "page 3"}
  - {name: client, label: Printer id, value: "${app.client_id}", replaces: "page 4"}
  - name: secret
    label: Printer key
    value: "${secret.value}"
    secret: true
    env: BADGE_KEY
    replaces: page 5
checks: [token, list_users]
"""

PARTS = ("functions", "shared", "emulators", "infra")
FILES = ("function_app.py", "host.json")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part)
    for file in FILES:
        shutil.copy(ROOT / file, folder / file)
    (folder / "shared" / "profiles" / "badge-printer.yaml").write_text(PROFILE)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory, copy: Path) -> AsyncIterator[Local]:
    options = Options(folder=tmp_path_factory.mktemp("cloud"), users=20, app=copy)
    async with Cloud(options) as running, Local(running) as clients:
        yield clients


async def test_a_product_is_one_file(own: Local) -> None:
    (listed,) = [
        profile
        for profile in (await own.get("/api/profiles"))["profiles"]
        if profile["id"] == "badge-printer"
    ]
    assert {p["name"] for p in listed["permissions"]} == {
        "User.Read.All",
        "User.Read",
        "ActivityFeed.Read",
    }
    body = {"name": "badges", "profile": "badge-printer", "inputs": {"building": "North"}}
    answer = await own.call("POST", "/api/connections", json=body)
    assert answer.status_code == 202, answer.text
    found = await own.assert_onboarded("badges")
    assert sorted(found["granted"]) == ["ActivityFeed.Read", "User.Read", "User.Read.All"]
    (application,) = await own.applications("badges")
    assert application["displayName"] == "Badge printer North"
    assert application["web"]["redirectUris"] == ["https://badges.contoso.example/badges"]
    assert await own.token_roles("badges", application["appId"]) == ["User.Read.All"]
    sheet = await own.get("/api/connections/badges/handover")
    assert [line["label"] for line in sheet["lines"]] == ["Directory", "Printer id", "Printer key"]
    lines = (await own.call("GET", "/api/connections/badges/handover?format=env")).text
    assert "BADGE_KEY=" in lines


async def test_what_the_file_does_not_allow_is_refused(own: Local) -> None:
    body = {
        "name": "more",
        "profile": "badge-printer",
        "features": {"admin": True},
        "inputs": {"building": "North"},
        "permissions": ["Directory.ReadWrite.All"],
    }
    answer = await own.call("POST", "/api/connections", json=body)
    assert answer.status_code == 422
    assert {p["field"] for p in answer.json()["problems"]} == {"features.admin", "permissions"}
