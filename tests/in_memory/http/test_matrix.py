"""Each call with each role and with none, and with callers and bodies that must get nowhere.

What is allowed is read from docs/access.md, which is for people; what happens is asked of the
functions themselves.
"""

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import azure.functions as func
import msgspec
import pytest

from functions.__main__ import indexed
from functions.http.call import Call, late
from functions.http.serving import serve
from functions.http_api import CALLS
from shared.model.caller import Role
from shared.requests import MAX_BYTES
from tests.fakes import fake_context
from tests.in_memory.http.client import OBJECT_ID, TOKEN, principal

PAGE = Path(__file__).parents[3] / "docs" / "access.md"

NAMED = {call.name: call for call in CALLS}


def told() -> dict[str, frozenset[str]]:
    """Roles that may make each call, as the page has them."""
    lines = [
        [cell.strip().strip("`") for cell in line.strip("|\n").split("|")]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| ")
    ]
    titles = lines[0]
    return {
        row[-1]: frozenset(title for title, cell in zip(titles, row, strict=True) if cell == "yes")
        for row in lines[2:]
    }


TOLD = told()


class Opened(Exception):
    """The call got past the door: it asked for what is behind."""


async def asked(
    name: str, headers: dict[str, str], body: bytes = b"", *, world: Any = None
) -> tuple[int, dict[str, Any]]:
    """Status and body of the answer; status 0 where a call that must get nowhere went on."""
    call = NAMED[name]

    async def connect() -> Any:
        if world is None:
            raise Opened
        return world

    request = func.HttpRequest(
        call.method,
        f"https://keyturn.example/api/{call.path}",
        headers={"content-type": "application/json", **headers},
        route_params=dict.fromkeys(re.findall(r"{(\w+)}", call.path), "dvls-prod"),
        body=body,
    )
    try:
        answer = await serve(call, request, connect)
    except Opened:
        return 0, {}
    return answer.status_code, json.loads(answer.get_body() or b"{}")


def test_the_page_has_every_function_that_http_can_call():
    assert sorted(TOLD) == sorted(NAMED) == indexed()["http"]


def test_a_call_cannot_be_declared_without_a_role():
    rest = {"name": "x", "method": "GET", "path": "x", "handle": late("health.check_health")}
    with pytest.raises(TypeError, match="role"):
        Call(**rest, about="", tag="")
    assert all(isinstance(call.role, Role) for call in CALLS)


def test_only_readers_calls_read_and_only_approvers_decide():
    assert all((call.method == "GET") == (call.role is Role.READER) for call in CALLS)
    approvers = {call.name for call in CALLS if call.role is Role.APPROVER}
    assert approvers == {"give_approval", "decide_finding", "decide_removals"}


@pytest.mark.requirement("D-19", "X-07")
@pytest.mark.diagnosis("FORBIDDEN")
@pytest.mark.parametrize("held", [(), *((role.value,) for role in Role)], ids="+".join)
@pytest.mark.parametrize("name", NAMED)
async def test_each_role_may_make_just_the_calls_of_the_page(name: str, held: tuple[str, ...]):
    world = fake_context()
    caller = principal("ana@contoso.com", *(role.removeprefix("Keyturn.") for role in held))
    status, answer = await asked(name, caller, world=world)
    if TOLD[name] & set(held):
        assert status not in (401, 403, 413, 429), answer
        assert await world.ledger.refusals() == [] or status == 422
        return
    assert status == 403
    (problem,) = answer["problems"]
    needed = NAMED[name].role.value
    assert problem["code"] == "FORBIDDEN" and needed in problem["hint"]
    (row,) = await world.ledger.refusals()
    assert (row["source"], row["principal"]) == (name, "id-of-ana@contoso.com")
    assert world.outbox.sent == []


EVERY = tuple(role.value.removeprefix("Keyturn.") for role in Role)


def header(content: bytes) -> dict[str, str]:
    return {"x-ms-client-principal": base64.b64encode(content).decode()}


def token(**claims: str | None) -> dict[str, str]:
    """All roles, in a token that differs from a good one; None leaves a claim out."""
    kept = {claim["typ"]: claim["val"] for claim in (*TOKEN, {"typ": OBJECT_ID, "val": "o-1"})}
    short = {"tid": TOKEN[2]["typ"], "oid": OBJECT_ID}
    kept |= {short.get(name, name): value for name, value in claims.items()}
    listed = [{"typ": name, "val": value} for name, value in kept.items() if value is not None]
    listed += [{"typ": "roles", "val": role.value} for role in Role]
    return header(json.dumps({"auth_typ": "aad", "claims": listed}).encode())


def twice(typ: str, value: str) -> dict[str, str]:
    good = json.loads(base64.b64decode(token()["x-ms-client-principal"]))
    good["claims"].append({"typ": typ, "val": value})
    return header(json.dumps(good).encode())


OTHER = "0badc0de-0000-4000-8000-000000000bad"

NOBODY: dict[str, Callable[[], dict[str, str]]] = {
    "no principal": dict,
    "only a name": lambda: {"x-ms-client-principal-name": "eve", "x-ms-client-principal-id": "1"},
    "empty": lambda: {"x-ms-client-principal": ""},
    "not base64": lambda: {"x-ms-client-principal": "all roles, please"},
    "sent twice": lambda: {"x-ms-client-principal": ",".join(2 * [*token().values()])},
    "not JSON": lambda: header(b"{"),
    "not UTF-8": lambda: header(b"\xff\xfe"),
    "a list": lambda: header(b"[]"),
    "claims that are none": lambda: header(b'{"auth_typ": "aad", "claims": "all"}'),
    "deeply nested": lambda: header(b'{"claims":' + b"[" * 9000 + b"]" * 9000 + b"}"),
    "oversized": lambda: principal("x" * 40_000, *EVERY),
    "another provider": lambda: principal("eve", *EVERY, auth_typ="google"),
    "no provider": lambda: principal("eve", *EVERY, auth_typ=""),
    "nobody's": lambda: token(oid=None),
    "another tenant": lambda: token(tid=OTHER),
    "no tenant": lambda: token(tid=None),
    "two tenants": lambda: twice(TOKEN[2]["typ"], OTHER),
    "two people": lambda: twice(OBJECT_ID, "o-2"),
    "another issuer": lambda: token(iss="https://issuer.example/"),
    "an issuer of another tenant": lambda: token(iss=f"https://sts.windows.net/{OTHER}/"),
    "another API": lambda: token(aud="https://graph.microsoft.com"),
    "no API": lambda: token(aud=None),
    "expired": lambda: token(exp="1700000000"),
    "without an end": lambda: token(exp=None),
    "an end that is no time": lambda: token(exp="never"),
}


@pytest.mark.requirement("X-07")
@pytest.mark.diagnosis("UNAUTHENTICATED")
@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("who", NOBODY)
async def test_who_is_not_vouched_for_gets_nowhere(who: str, name: str):
    status, answer = await asked(name, NOBODY[who]())
    assert status == 401, who
    assert answer["problems"][0]["code"] == "UNAUTHENTICATED" and answer["problems"][0]["hint"]


def test_the_good_token_that_these_differ_from_is_taken():
    assert json.loads(base64.b64decode(token()["x-ms-client-principal"]))["auth_typ"] == "aad"


async def test_a_good_token_opens_and_of_version_1_too():
    for caller in (token(), token(iss=f"https://sts.windows.net/{TOKEN[2]['val']}/")):
        assert (await asked("list_connections", caller, world=fake_context()))[0] == 200


async def test_a_role_is_what_the_platform_calls_a_role():
    """A claim that people choose themselves makes nobody an approver."""
    document = {"auth_typ": "aad", "role_typ": "name", "claims": list(TOKEN)}
    document["claims"] += [
        {"typ": OBJECT_ID, "val": "o-1"},
        {"typ": "name", "val": "Keyturn.Approver"},
    ]
    caller = header(json.dumps(document).encode())
    assert (await asked("give_approval", caller, world=fake_context()))[0] == 403


@pytest.mark.diagnosis("TOO_LARGE")
@pytest.mark.parametrize("name", NAMED)
async def test_a_body_that_is_too_large_is_not_looked_into(name: str):
    largest = NAMED[name].largest
    assert largest in (0, MAX_BYTES) and (largest > 0) == bool(NAMED[name].accepts)
    caller = principal("max@contoso.com", *EVERY)
    status, answer = await asked(name, caller, b"{" + b" " * largest)
    assert (status, answer["problems"][0]["code"]) == (413, "TOO_LARGE")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KEYTURN_API_CLIENT_ID", None),
        ("KEYTURN_TENANT_ID", None),
        ("KEYTURN_PLATFORM_AUTH", "Entra"),
        ("KEYTURN_PLATFORM_AUTH", ""),
        ("WEBSITE_AUTH_ENABLED", "False"),
    ],
)
async def test_settings_that_leave_the_door_open_shut_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str | None
):
    if value is None:
        monkeypatch.delenv(name)
    else:
        monkeypatch.setenv(name, value)
    status, answer = await asked("list_connections", token(), world=fake_context())
    assert (status, answer["problems"][0]["code"]) == (503, "SETTINGS")
    assert name in answer["detail"]


async def test_nothing_set_asks_for_a_token(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("KEYTURN_PLATFORM_AUTH")
    assert (await asked("list_connections", {}))[0] == 401
    assert (await asked("list_connections", token(), world=fake_context()))[0] == 200


def test_a_call_is_a_value():
    with pytest.raises(AttributeError):
        CALLS[0].role = Role.READER  # type: ignore[misc]
    assert msgspec.structs.asdict(CALLS[0])["role"] is CALLS[0].role
