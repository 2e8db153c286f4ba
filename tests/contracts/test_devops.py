"""`ports.Organisations` in the emulated Azure DevOps, with tokens of the emulated tenant."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emulators.devops.server import Running, Settings, serving
from shared.adapters.devops import RESOURCE, DevOps
from shared.errors import NeedsHuman
from shared.model.credential import TokenSecret
from shared.model.membership import Member
from tests.contracts.stage import Registered, Stage, needs_human, try_later

PROJECT = "6fa35aad-6755-4dd7-8c69-e13f702af0f9"
OTHER = "fca61097-56a1-464f-85ba-1b126cf02cd1"


@dataclass(frozen=True)
class Bench:
    """An emulated Azure DevOps beside the emulated tenant."""

    stage: Stage
    running: Running
    organisations: DevOps

    async def control(self, call: str, /, **body: Any) -> None:
        answer = await self.stage.admin.post(f"{self.running.admin}/{call}", json=body)
        assert answer.status_code == 200, answer.text

    def sent(self, method: str) -> list[dict[str, Any]]:
        return [row for row in self.running.state.traffic if row["method"] == method]

    async def principal(self) -> tuple[Registered, Member]:
        made = await self.stage.registered()
        return made, Member(object_id=made.principal_id, licence="express", projects=(PROJECT,))

    async def token_of(self, made: Registered) -> TokenSecret:
        secret = await self.stage.secret(made.object_id)
        issued = await self.stage.tokens.issue(made.client_id, secret, RESOURCE)
        assert issued is not None
        return issued.token


@pytest.fixture
async def bench(stage: Stage, stage_tls: Path) -> AsyncIterator[Bench]:
    settings = Settings(
        tls=stage_tls,
        authority=stage.running.authority,
        tenant=stage.running.tenant_id,
        directory=stage.running.admin,
    )
    async with serving(settings) as running:
        known = msgspec.structs.replace(stage.settings, devops=running.url)
        yield Bench(stage, running, DevOps(known, stage.credential))


@pytest.mark.requirement("A-11")
async def test_a_service_principal_is_added_and_read_back(bench: Bench):
    made, wanted = await bench.principal()
    added = await bench.organisations.add("contoso", wanted)
    assert added == msgspec.structs.replace(wanted, id=added.id)
    assert await bench.organisations.member("contoso", added.id) == added
    (post,) = bench.sent("POST")
    assert json.loads(post["request_body"])["servicePrincipal"] == {
        "origin": "aad",
        "originId": made.principal_id,
        "subjectKind": "servicePrincipal",
    }
    again = await bench.organisations.add("contoso", wanted)
    assert again == added


async def test_there_is_no_member_of_an_unknown_id(bench: Bench):
    unknown = "00000000-0000-4000-8000-00000000000f"
    assert await bench.organisations.member("contoso", unknown) is None


async def test_what_is_missing_is_added_to_a_member(bench: Bench):
    _, wanted = await bench.principal()
    less = Member(object_id=wanted.object_id, licence="stakeholder", projects=(OTHER,))
    known = await bench.organisations.add("contoso", less)
    changed = await bench.organisations.change("contoso", known, wanted)
    assert (changed.licence, changed.projects) == ("express", (PROJECT, OTHER))
    assert await bench.organisations.member("contoso", known.id) == changed


@pytest.mark.requirement("A-11")
@pytest.mark.diagnosis("DEVOPS_WRONG_ID")
@pytest.mark.parametrize("status", [200, 400])
async def test_the_applications_object_id_is_refused(bench: Bench, status: int):
    await bench.control("behaviour", refuse_ids_with=status)
    made, _ = await bench.principal()
    wrong = Member(object_id=made.object_id, licence="express")
    refusal = await needs_human(bench.organisations.add("contoso", wrong), "DEVOPS_WRONG_ID")
    assert "service principal" in refusal.remedy
    assert bench.sent("POST")[0]["status"] == status


@pytest.mark.requirement("A-12")
@pytest.mark.diagnosis("DEVOPS_NEEDS_PCA")
async def test_only_an_administrator_may_add(bench: Bench):
    _, wanted = await bench.principal()
    own = bench.stage.running.automation.object_id
    await bench.control("organisations", name="contoso", administrators=[], inviters=[own])
    await needs_human(bench.organisations.add("contoso", wanted), "DEVOPS_NEEDS_PCA")
    await needs_human(bench.organisations.member("contoso", "x"), "DEVOPS_NEEDS_PCA")
    invited = Member(object_id=wanted.object_id, licence="stakeholder")
    assert (await bench.organisations.add("contoso", invited)).licence == "stakeholder"
    await bench.control("organisations", name="contoso", invite_policy=False)
    await needs_human(bench.organisations.add("contoso", invited), "DEVOPS_NEEDS_PCA")


@pytest.mark.requirement("A-14")
@pytest.mark.diagnosis("DEVOPS_LICENCE")
async def test_licences_come_to_an_end(bench: Bench):
    _, wanted = await bench.principal()
    await bench.control("organisations", name="contoso", licences={"express": 0})
    await needs_human(bench.organisations.add("contoso", wanted), "DEVOPS_LICENCE")
    await bench.control("organisations", name="contoso", licences={"express": 1})
    await bench.organisations.add("contoso", wanted)
    assert bench.running.state.organisations["contoso"].licences == {"express": 0}


@pytest.mark.requirement("A-15")
@pytest.mark.diagnosis("DEVOPS_TENANT")
async def test_the_connected_tenant_is_told(bench: Bench):
    told = bench.organisations.connected_tenant
    assert await told("contoso") == bench.stage.running.tenant_id
    assert await told("fabrikam") not in (None, "", bench.stage.running.tenant_id)
    assert await told("nobody") is None
    await bench.control("organisations", name="personal", tenant="")
    assert await told("personal") == ""


@pytest.mark.requirement("A-11", "A-13")
@pytest.mark.diagnosis("DEVOPS_NOT_MEMBER")
async def test_members_are_let_in_without_any_role_in_their_token(bench: Bench):
    made, wanted = await bench.principal()
    token = await bench.token_of(made)
    assert not await bench.organisations.admits("contoso", token)
    assert "TF400813" in bench.sent("GET")[0]["response_body"]
    added = await bench.organisations.add("contoso", wanted)
    assert await bench.organisations.admits("contoso", token)
    assert not await bench.organisations.admits("fabrikam", token)
    assert added.object_id == made.principal_id


async def test_a_token_for_something_else_is_not_accepted(bench: Bench):
    made, wanted = await bench.principal()
    await bench.organisations.add("contoso", wanted)
    secret = await bench.stage.secret(made.object_id)
    graph = await bench.stage.tokens.issue(
        made.client_id, secret, "00000003-0000-0000-c000-000000000000"
    )
    assert graph is not None
    assert not await bench.organisations.admits("contoso", graph.token)


async def test_an_outage_passes(bench: Bench):
    await bench.control("behaviour", unavailable=1)
    await try_later(bench.organisations.connected_tenant("contoso"), "DEVOPS_UNAVAILABLE")
    assert await bench.organisations.connected_tenant("contoso")


async def test_nothing_listens(stage: Stage):
    closed = msgspec.structs.replace(stage.settings, devops="https://127.0.0.1:9")
    organisations = DevOps(closed, stage.credential)
    await try_later(organisations.connected_tenant("contoso"), "DEVOPS_UNREACHABLE")


async def test_a_project_that_is_not_there_is_told(bench: Bench):
    _, wanted = await bench.principal()
    unknown = msgspec.structs.replace(wanted, projects=("00000000-0000-4000-8000-00000000000f",))
    with pytest.raises(NeedsHuman, match="project"):
        await bench.organisations.add("contoso", unknown)
