"""The HTTP API: the table of its calls, and their registration."""

from typing import Any

import azure.functions as func

from functions.http import answers, forms
from functions.http.call import Call, Connect, late, serve
from shared import bootstrap

PAGING: dict[str, dict[str, Any]] = {
    "limit": {"type": "integer", "minimum": 1},
    "after": {"type": "string"},
}
BODY_FAULTS = (400, 413, 415, 422)


async def describe_api(_req: func.HttpRequest, _connect: Connect) -> func.HttpResponse:
    from functions.http import openapi

    return answers.ok(openapi.document(CALLS))


CALLS: tuple[Call, ...] = (
    Call(
        name="list_profiles",
        method="GET",
        path="profiles",
        handle=late("profiles.list_profiles"),
        about="List the profiles: features, permissions and their risk",
        tag="profiles",
        answers={200: "ProfileList"},
    ),
    Call(
        name="show_profile",
        method="GET",
        path="profiles/{profile}",
        handle=late("profiles.show_profile"),
        about="Show a profile with the inputs that a request must give",
        tag="profiles",
        answers={200: "ProfileView"},
        faults=(404,),
    ),
    Call(
        name="create_connection",
        method="POST",
        path="connections",
        handle=late("connections.create_connection"),
        about="Onboard a product; repeating the request goes on where it stopped",
        tag="connections",
        accepts="ConnectionRequest",
        body_required=True,
        answers={200: "Accepted", 202: "Accepted"},
        faults=(*BODY_FAULTS, 409),
    ),
    Call(
        name="list_connections",
        method="GET",
        path="connections",
        handle=late("connections.list_connections"),
        about="List the connections by name",
        tag="connections",
        query=PAGING,
        answers={200: "ConnectionList"},
        faults=(400,),
    ),
    Call(
        name="show_connection",
        method="GET",
        path="connections/{name}",
        handle=late("connections.show_connection"),
        about="Show a connection's conditions, credential dates, due times and operations",
        tag="connections",
        answers={200: "ConnectionView"},
        faults=(404,),
    ),
    Call(
        name="show_handover",
        method="GET",
        path="connections/{name}/handover",
        handle=late("handover.show_handover"),
        about="Show what to enter into the product, with vault references in place of secrets",
        tag="hand-over",
        query={"format": {"enum": list(forms.SHEET)}},
        answers={200: "Sheet"},
        other_forms=("text/markdown",),
        faults=(400, 404, 406, 409),
    ),
    Call(
        name="acknowledge_handover",
        method="POST",
        path="connections/{name}/handover/acknowledgement",
        handle=late("handover.acknowledge_handover"),
        about="Say that the product uses the published secret",
        tag="hand-over",
        accepts="AcknowledgementRequest",
        answers={200: "Condition"},
        faults=(*BODY_FAULTS, 404, 409),
    ),
    Call(
        name="give_approval",
        method="POST",
        path="connections/{name}/approval",
        handle=late("orders.give_approval"),
        about="Approve the high-risk items of a connection; onboarding that waits goes on",
        tag="operations",
        accepts="ApprovalRequest",
        body_required=True,
        answers={200: "ApprovalView", 202: "ApprovalView"},
        faults=(*BODY_FAULTS, 404, 409),
    ),
    Call(
        name="start_rotation",
        method="POST",
        path="connections/{name}/rotation",
        handle=late("orders.start_rotation"),
        about="Make and publish a new secret now",
        tag="operations",
        accepts="RotationRequest",
        answers={202: "Accepted"},
        faults=(*BODY_FAULTS, 404, 409),
    ),
    Call(
        name="start_verification",
        method="POST",
        path="connections/{name}/verification",
        handle=late("orders.start_verification"),
        about="Verify consent, roles and the published secret now",
        tag="operations",
        accepts="EmptyRequest",
        answers={202: "Accepted"},
        faults=(*BODY_FAULTS, 404, 409),
    ),
    Call(
        name="start_discovery",
        method="POST",
        path="connections/{name}/discovery",
        handle=late("orders.start_discovery"),
        about="Discover accounts now",
        tag="operations",
        accepts="EmptyRequest",
        answers={202: "Accepted"},
        faults=(*BODY_FAULTS, 404, 409),
    ),
    Call(
        name="list_accounts",
        method="GET",
        path="connections/{name}/accounts",
        handle=late("accounts.list_accounts"),
        about="List the accounts of the latest finished discovery",
        tag="discovery",
        query={
            **PAGING,
            "enabled": {"type": "boolean"},
            "guest": {"type": "boolean"},
            "origin": {"type": "string", "description": "id or name of a group or role"},
            "format": {"enum": list(forms.ACCOUNTS)},
        },
        answers={200: "AccountPage"},
        other_forms=("text/csv", "application/x-ndjson"),
        faults=(400, 404, 406, 409),
    ),
    Call(
        name="list_discoveries",
        method="GET",
        path="connections/{name}/discoveries",
        handle=late("accounts.list_discoveries"),
        about="List the discovery runs and what each found",
        tag="discovery",
        answers={200: "DiscoveryList"},
        faults=(404,),
    ),
    Call(
        name="health",
        method="GET",
        path="health",
        handle=late("health.check_health"),
        about="Tell whether the application and its dependencies work",
        tag="about",
        answers={200: "Health", 503: "Health"},
    ),
    Call(
        name="describe_api",
        method="GET",
        path="openapi.json",
        handle=describe_api,
        about="Describe this API",
        tag="about",
        answers={200: ""},
    ),
)


def blueprint() -> func.Blueprint:
    made = func.Blueprint()
    for call in CALLS:
        _register(made, call)
    return made


def _register(made: func.Blueprint, call: Call) -> None:
    @made.function_name(name=call.name)
    @made.route(route=call.path, methods=[call.method], auth_level=func.AuthLevel.FUNCTION)
    async def handle(req: func.HttpRequest) -> func.HttpResponse:
        return await serve(call.handle, req, bootstrap.context)
