"""Calls about what a person takes over into the product."""

from functions.calls.common import BODY_FAULTS
from functions.http.call import Call, late
from shared.model.caller import Role

FORMAT = {
    "type": "string",
    "anyOf": [{"enum": ["json", "markdown", "env"]}, {"pattern": r"^[A-Za-z0-9._-]+$"}],
    "description": (
        "markdown for people, env for environment variables, or the name of a file of the "
        "product, such as appsettings.agent.json; a product offers those that its profile has"
    ),
}

CALLS: tuple[Call, ...] = (
    Call(
        name="show_handover",
        method="GET",
        path="connections/{name}/handover",
        role=Role.READER,
        handle=late("handover.show_handover"),
        about="Show what to enter into the product, with vault references in place of secrets",
        tag="hand-over",
        query={"format": FORMAT},
        answers={200: "Sheet"},
        other_forms=("text/markdown", "text/plain"),
        faults=(400, 404, 406, 409, 410),
    ),
    Call(
        name="acknowledge_handover",
        method="POST",
        path="connections/{name}/handover/acknowledgement",
        role=Role.OPERATOR,
        handle=late("handover.acknowledge_handover"),
        about="Say that the product uses the published secret",
        tag="hand-over",
        accepts="AcknowledgementRequest",
        answers={200: "Condition"},
        faults=(*BODY_FAULTS, 404, 409, 410),
    ),
)
