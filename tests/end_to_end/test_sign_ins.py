"""Products that sign in with a certificate, or with tokens of their own issuer."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
import pytest_asyncio
from azure.identity.aio import CertificateCredential

from emulators.stack import Cloud, Options
from tests.end_to_end.local import Local, until
from tests.end_to_end.test_own_profile import FILES, PARTS, ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROFILE = """
schema: connector-profile/v1
id: badge-gate
title: Badge gate
sources: [the gate's manual]
registration: {display_name: "Badge gate"}
permissions:
  - {resource: microsoft-graph, kind: application, names: [User.Read.All]}
credential: {kind: certificate, format: pem, lifetime: P90D, renew_before: P20D}
outputs:
  - {name: tenant, label: Directory, value: "${tenant.id}", replaces: "page 3"}
  - {name: client, label: Gate id, value: "${app.client_id}", replaces: "page 4"}
  - {name: print, label: Thumbprint, value: "${secret.thumbprint}", replaces: "page 5"}
  - {name: certificate, label: File, value: "${secret.value}", secret: true, replaces: "page 6"}
checks: [token, list_users]
"""
GATE = "gate"
TELEPORT = {
    "name": "teleport",
    "profile": "teleport-entra",
    "inputs": {"app_name": "Teleport", "proxy_address": "https://teleport.contoso.example"},
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a profile of one's own."""
    folder = tmp_path_factory.mktemp("project")
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part)
    for file in FILES:
        shutil.copy(ROOT / file, folder / file)
    (folder / "shared" / "profiles" / "badge-gate.yaml").write_text(PROFILE)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def own(tmp_path_factory: pytest.TempPathFactory, project: Path) -> AsyncIterator[Local]:
    options = Options(folder=tmp_path_factory.mktemp("cloud"), users=20, app=project)
    async with Cloud(options) as running, Local(running) as clients:
        yield clients


async def signed_in(own: Local, client_id: str) -> dict[str, Any]:
    """Claims of a token that what the vault serves yields, with the real credential class."""
    pem = await own.secret(GATE)
    async with CertificateCredential(
        own.state["tenant_id"], client_id, certificate_data=pem.encode(), **own.authority()
    ) as credential:
        token = await credential.get_token("https://graph.microsoft.com/.default")
    claims: dict[str, Any] = jwt.decode(token.token, options={"verify_signature": False})
    return claims


async def keys(own: Local) -> list[str]:
    (application,) = await own.applications(GATE)
    assert application["passwordCredentials"] == []
    return [key["keyId"] for key in application["keyCredentials"]]


@pytest.mark.requirement("X-08", "X-16")
async def test_a_certificate_from_the_first_request_to_the_sheet(own: Local) -> None:
    body = {"name": GATE, "profile": "badge-gate"}
    answer = await own.call("POST", "/api/connections", json=body)
    assert answer.status_code == 202, answer.text
    found = await own.assert_onboarded(GATE)
    (application,) = await own.applications(GATE)
    assert found["credential"]["key_id"] in await keys(own)
    claims = await signed_in(own, application["appId"])
    assert (claims["roles"], claims["appidacr"]) == (["User.Read.All"], "2")
    sheet = await own.get(f"/api/connections/{GATE}/handover")
    lines = {line["name"]: line for line in sheet["lines"]}
    kept = lines["certificate"]["secret"]
    assert (kept["form"], kept["thumbprint"]) == ("PEM", lines["print"]["value"])
    assert kept["expires"] == found["credential"]["expires"]
    page = (await own.call("GET", f"/api/connections/{GATE}/handover?format=markdown")).text
    assert "certificate with its private key (PEM)" in page
    state = await own.control("state", vault=True)
    stored = {s["name"]: s["versions"][-1]["content_type"] for s in state if GATE in s["name"]}
    assert set(stored.values()) == {"application/x-pem-file"}
    lines_of_the_key = (await own.secret(GATE)).splitlines()[9:20]
    told = b"".join(own.answers).decode() + json.dumps(sheet) + page
    assert not any(line in told for line in lines_of_the_key)


@pytest.mark.requirement("X-10")
async def test_its_rotation_and_an_overlap_that_is_ended_early(own: Local) -> None:
    (first,) = await keys(own)
    answer = await own.call("POST", f"/api/connections/{GATE}/rotation", json={})
    assert answer.status_code == 202, answer.text
    found = await own.assert_onboarded(GATE, secrets=2)
    second = found["credential"]["key_id"]
    assert second != first
    (application,) = await own.applications(GATE)
    assert (await signed_in(own, application["appId"]))["roles"] == ["User.Read.All"]
    word = {"version": found["credential"]["vault_version"]}
    answer = await own.call("POST", f"/api/connections/{GATE}/handover/acknowledgement", json=word)
    assert answer.status_code in (200, 202), answer.text
    await own.control("clock", {"advance_seconds": 2 * 3600})

    async def alone() -> bool:
        return await keys(own) == [second]

    await until("the first certificate to be retired", alone)
    await own.ended(GATE)


@pytest.mark.requirement("X-18")
async def test_its_end(own: Local) -> None:
    answer = await own.call("DELETE", f"/api/connections/{GATE}", json={"reason": "gone"})
    assert answer.status_code == 202, answer.text
    found = await own.ended(GATE)
    assert found["offboarding"]["finished"], found["conditions"]
    assert await own.applications(GATE) == []
    state = await own.control("state", vault=True)
    assert all(s["deleted"] for s in state if GATE in s["name"])


async def test_a_product_that_brings_its_own_tokens(own: Local) -> None:
    answer = await own.call("POST", "/api/connections", json=TELEPORT)
    assert answer.status_code == 202, answer.text
    await own.approve("teleport")
    found = await own.ended("teleport")
    assert {c["status"] for c in found["conditions"]} == {"True"}, found["conditions"]
    (application,) = await own.applications("teleport")
    assert application["passwordCredentials"] == application["keyCredentials"] == []
    (trust,) = application["federatedIdentityCredentials"]
    assert (trust["issuer"], trust["subject"]) == (
        "https://teleport.contoso.example",
        "teleport-azure",
    )
    assert not [s for s in await own.control("state", vault=True) if s["name"] == "teleport"]
    assert found["credential"] is None and "rotate" not in found["due"]


async def test_there_is_nothing_to_rotate(own: Local) -> None:
    answer = await own.call("POST", "/api/connections/teleport/rotation", json={})
    assert answer.status_code == 409, answer.text
    (problem,) = answer.json()["problems"]
    assert problem["code"] == "FEATURE_OFF"
    assert "federated credential and has no secret" in problem["message"]


async def test_a_trust_that_somebody_changed_is_found_and_put_right(own: Local) -> None:
    (application,) = await own.applications("teleport")
    path = f"/applications/{application['id']}/federatedIdentityCredentials/teleport-oidc"
    await own.graph("PATCH", path, {"subject": "somebody-else"})
    answer = await own.call("POST", "/api/connections/teleport/verification", json={})
    assert answer.status_code == 202, answer.text
    found = await own.ended("teleport")
    verified = next(c for c in found["conditions"] if c["type"] == "Verified")
    assert (verified["status"], verified["reason"]) == ("False", "SECRET_MISSING")
    assert "subject" in verified["message"]
    assert (await own.call("POST", "/api/connections", json=TELEPORT)).status_code == 202
    await own.ended("teleport")

    async def right() -> bool:
        (now,) = await own.applications("teleport")
        return bool(now["federatedIdentityCredentials"][0]["subject"] == "teleport-azure")

    await until("the trust to be put right", right)
    answer = await own.call("DELETE", "/api/connections/teleport", json={"reason": "gone"})
    assert answer.status_code == 202, answer.text
    found = await own.ended("teleport")
    assert found["offboarding"]["finished"], found["conditions"]
    assert await own.applications("teleport") == []
