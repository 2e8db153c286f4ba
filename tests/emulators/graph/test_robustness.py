"""Whatever is sent, the answer is a refusal in Graph's form, never a failure of the emulator."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from emulators.graph.routing import ROUTES

NOBODY = "11111111-2222-4333-8444-555555555555"
BODIES = (
    None,
    [],
    "text",
    {},
    {"displayName": ["x"], "keyId": 5, "@odata.id": 5},
    {"passwordCredential": "x", "keyCredential": None, "proof": 3, "ids": 5},
    {"keyCredentials": [{"key": "AAAA"}], "appId": "x", "api": None},
    {"principalId": "x", "roleDefinitionId": "y", "directoryScopeId": "z", "resourceId": "x"},
    {"requests": [{"id": "1", "method": "GET", "url": 5, "headers": None, "dependsOn": 5}]},
)
QUERIES = ("", "?$filter=id eq null", "?$orderby=id", "?$select=@x", "?$skiptoken=e30")
WRITES = sorted({(r.method, r.template) for r in ROUTES if r.method in ("POST", "PATCH")})
READS = sorted({route.template for route in ROUTES if route.method == "GET"})


@pytest.fixture
async def known(admin):
    """Ids to put into the paths: of nothing, of an application, a principal, a group, a user."""
    application, principal = await admin.with_principal()
    group = (await admin.read("/groups?$top=1"))["value"][0]["id"]
    user = (await admin.read("/users?$top=1"))["value"][0]["id"]
    own = [f"appId={application['appId']}", principal["id"], group, user]
    return [NOBODY, "foo=bar", *own]


def filled(template: str, identity: str) -> str:
    return re.sub(r"\{\w+\}", lambda _: identity, template)


def pairs(template: str, known: Sequence[str], oddities: Sequence[Any]) -> set[tuple[str, int]]:
    """Every id once and every oddity once; all of their combinations would take minutes."""
    ids = known if "{" in template else ["-"]
    most = max(len(ids), len(oddities))
    return {(ids[place % len(ids)], place % len(oddities)) for place in range(most)}


async def test_odd_bodies(admin, known):
    for method, template in [*WRITES, ("POST", "/$batch")]:
        for identity, place in pairs(template, known, BODIES):
            path = filled(template, identity)
            answer = await admin.request(method, path, json=BODIES[place])
            assert answer.status_code < 500, (method, path, BODIES[place])


async def test_odd_queries(admin, known):
    for template in READS:
        for identity, place in pairs(template, known, QUERIES):
            path = filled(template, identity) + QUERIES[place]
            answer = await admin.get(path, headers={"ConsistencyLevel": "eventual"})
            assert answer.status_code < 500, path
