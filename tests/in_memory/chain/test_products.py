"""Every product ends as its vendor's guide would have it, click by click."""

from datetime import timedelta
from typing import Any

import pytest

from shared.handover import sheet
from shared.model.connection import Status
from shared.profile import catalogue
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.organisations import Organisation
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard
from tests.products.expected import CASES, GRAPH, ROLE, SCOPE, Expected

REQUIRED: dict[str, Any] = {
    "scope": "microsoft-graph",
    "domain": "contoso.onmicrosoft.com",
    "connection_id": "MicrosoftEntraIDExport",
    "subscription_id": "2f1c8e0a-52b7-4f0e-9d51-6f2f0a7b9c3d",
    "proxy_address": "https://teleport.contoso.example",
    "resource_name": "Entra application",
    "account_name": "product",
    "devops_org": "contoso",
    "config_name": "nightly",
}
"""Inputs that are no free text."""


async def onboarded(expected: Expected) -> FakeContext:
    ctx = fake_context()
    await onboard(ctx, **expected.body(NAME))
    await drive(ctx)
    await assert_onboarded(ctx)
    return ctx


def reference(name: str, version: str) -> str:
    return f"https://vault.example/secrets/{name}/{version}"


def granted(ctx: FakeContext) -> set[tuple[str, str, str]]:
    """Application permissions of the one principal, as API, kind and id."""
    apis = {api.principal_id: app_id for app_id, api in ctx.tenant.resources.items()}
    (principal,) = ctx.tenant.principals.values()
    return {(apis[row.resource_id], ROLE, row.permission_id) for row in principal.grants}


@pytest.mark.requirement("D-16", "D-17", "M-01", "M-02", "M-03", "M-04", "M-05", "M-06")
@pytest.mark.requirement(
    "M-07", "M-08", "M-09", "N-01", "N-02", "N-03", "N-05", "N-06", "N-10", "N-11"
)
@pytest.mark.parametrize("case", CASES)
async def test_the_tenant_is_as_the_guide_leaves_it(case: str) -> None:
    expected = CASES[case]
    ctx = await onboarded(expected)
    (application,) = ctx.tenant.applications.values()
    made = application.wanted
    assert made.display_name == expected.display_name.replace("{name}", NAME)
    assert made.audience == expected.audience
    assert made.public_client == expected.public_client
    assert made.web_redirects == expected.web_redirects
    assert made.native_redirects == expected.native_redirects
    assert made.spa_redirects == ()
    words = {"application": ROLE, "delegated": SCOPE}
    configured = {(key.resource, words[key.kind], key.id) for key in made.configured}
    assert configured == expected.permissions
    assert granted(ctx) == expected.granted
    (principal,) = ctx.tenant.principals.values()
    graph = ctx.tenant.resources[GRAPH].principal_id
    grants = [(g.resource_id, g.everybody, frozenset(g.scopes)) for g in principal.delegated]
    assert grants == ([(graph, True, expected.scopes)] if expected.scopes else [])
    assert tuple(row.role_id for row in principal.roles) == expected.roles
    (secret,) = application.secrets
    assert secret.name.endswith(expected.secret_name)
    lived = secret.ends - secret.starts
    assert abs(lived - timedelta(days=expected.secret_days)) < timedelta(days=1)


@pytest.mark.requirement("D-07", "D-08", "M-13", "N-04", "X-16")
@pytest.mark.parametrize("case", [case for case in CASES if CASES[case].labels])
async def test_the_sheet_has_the_products_labels_in_its_order(case: str) -> None:
    expected = CASES[case]
    ctx = await onboarded(expected)
    profile = catalogue()[expected.profile]
    made = sheet(profile, await connection(ctx), ctx.tenant.identity, reference)
    assert tuple(line.label for line in made.lines) == expected.labels


@pytest.mark.requirement("A-01")
async def test_pandiums_sheet_says_how_it_signs_in_and_what_needs_no_setting_up() -> None:
    expected = CASES["pandium"]
    ctx = await onboarded(expected)
    (principal,) = ctx.tenant.principals.values()
    assert (principal.grants, principal.delegated, principal.roles) == ([], [], [])
    broker = catalogue()["pandium"].token_broker
    assert broker is not None and broker.grant == "client_credentials"
    made = sheet(catalogue()["pandium"], await connection(ctx), ctx.tenant.identity, reference)
    told = next(note.about for note in made.notes if "OAuth2" in note.about)
    assert "no webhook" in told and "no API client" in told


@pytest.mark.parametrize("features", ["by default", "all"])
@pytest.mark.parametrize("name", catalogue())
async def test_every_built_in_product_is_onboarded(name: str, features: str) -> None:
    profile = catalogue()[name]
    wanted = {feature: True for feature in profile.features if features == "all"}
    inputs = {
        key: REQUIRED.get(key, "Contoso")
        for key, declared in profile.inputs.items()
        if declared.default is None and (declared.required or declared.required_when)
    }
    ctx = fake_context()
    ctx.tenant.organisations["contoso"] = Organisation(ctx.tenant.identity.id)
    await onboard(ctx, profile=name, features=wanted, inputs=inputs)
    await drive(ctx)
    if profile.credential.kept:
        await assert_onboarded(ctx)
        return
    found = await connection(ctx)
    assert {(c.status, c.reason) for c in found.conditions if c.status != Status.TRUE} == set()
    (application,) = ctx.tenant.applications.values()
    assert application.secrets == []
    assert len(application.federated) == 1
