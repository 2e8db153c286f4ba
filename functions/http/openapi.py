"""Describes the API as OpenAPI 3.1, from the same table that registers its calls."""

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import azure.functions as func
import msgspec

from functions.http import answers, schemas
from functions.http.accounts import AccountPage, DiscoveryList
from functions.http.answers import PROBLEM_JSON, ProblemAnswer
from functions.http.audit import History, RefusalList
from functions.http.call import Call, Connect
from functions.http.change import ChangeView
from functions.http.changes import ChangePage
from functions.http.credential_views import CredentialStatus
from functions.http.emergencies import EmergencyView
from functions.http.entities import EntityPage, LinkPage
from functions.http.findings import DecisionView, FindingList
from functions.http.health import Health
from functions.http.imports import GroupList, ImportList, ImportPage
from functions.http.orders import ApprovalView
from functions.http.profile_views import ProfileList, ProfileView
from functions.http.removals import RemovalPage
from functions.http.schedules import ScheduleList, ScheduleView
from functions.http.users import LoginView, PreconditionView, RolesView, UserPage
from functions.http.views import Accepted, ConnectionList, ConnectionView
from shared.handover import Sheet
from shared.model.connection import Condition
from shared.planning.plan_parts import Plan

REFERENCE = "#/components/schemas/{name}"

SHOWN = (
    Accepted,
    AccountPage,
    ApprovalView,
    ChangePage,
    ChangeView,
    Condition,
    ConnectionList,
    ConnectionView,
    CredentialStatus,
    DecisionView,
    DiscoveryList,
    EmergencyView,
    EntityPage,
    FindingList,
    GroupList,
    Health,
    History,
    ImportList,
    ImportPage,
    LinkPage,
    LoginView,
    Plan,
    PreconditionView,
    ProblemAnswer,
    ProfileList,
    ProfileView,
    RefusalList,
    RemovalPage,
    RolesView,
    ScheduleList,
    ScheduleView,
    Sheet,
    UserPage,
)

ALWAYS = (401, 403, 413, 503)
"""Faults of every call: no key or token, no role for it, a body that is too large, and a dependency
that is not ready."""


async def describe_api(_req: func.HttpRequest, _connect: Connect) -> func.HttpResponse:
    from functions.calls import CALLS  # which names this very function

    return answers.ok(document(CALLS))


def document(calls: Sequence[Call]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components(SHOWN, ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for call in calls:
        paths.setdefault(f"/{call.path}", {})[call.method.lower()] = _operation(call)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Keyturn",
            "version": "1",
            "description": (
                "Onboards products into Microsoft Entra ID and keeps their credentials and "
                "consent alive. No answer ever holds a secret's value."
            ),
        },
        "servers": [{"url": "/api"}],
        "security": [
            {"function_key": [], "entra": []},
            {"function_key_in_query": [], "entra": []},
            {"function_key": []},
            {"function_key_in_query": []},
        ],
        "paths": paths,
        "components": {
            "schemas": {**components, **schemas.bodies()},
            "securitySchemes": {
                "function_key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "function_key_in_query": {"type": "apiKey", "in": "query", "name": "code"},
                "entra": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Access token for this API; its app roles decide "
                    "(x-keyturn-role). Only where KEYTURN_PLATFORM_AUTH is none, on a developer's "
                    "machine, a key alone makes an Operator.",
                },
            },
        },
    }


def _operation(call: Call) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": call.name,
        "summary": call.about,
        "tags": [call.tag],
        "x-keyturn-role": call.role.value,
        "parameters": _parameters(call),
        "responses": {
            **{str(status): _fault(status) for status in (*ALWAYS, *call.faults)},
            **{str(status): _answer(status, call) for status in call.answers},
        },
    }
    if call.accepts:
        described["requestBody"] = {
            "required": call.body_required,
            "content": {"application/json": {"schema": _reference(call.accepts)}},
        }
    return described


def _parameters(call: Call) -> list[dict[str, Any]]:
    in_path = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schemas.NAME_SCHEMA if name == "name" else {"type": "string"},
        }
        for name in re.findall(r"{(\w+)}", call.path)
    ]
    in_query = [
        {"name": name, "in": "query", "schema": schema} for name, schema in call.query.items()
    ]
    return in_path + in_query


def _answer(status: int, call: Call) -> dict[str, Any]:
    schema = _reference(call.answers[status]) if call.answers[status] else {"type": "object"}
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if status == 200:
        content |= {media: {"schema": {"type": "string"}} for media in call.other_forms}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _fault(status: int) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    if status != 401:  # mostly the platform's own, without a body
        described["content"] = {PROBLEM_JSON: {"schema": _reference("ProblemAnswer")}}
    return described


def _reference(name: str) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=name)}
