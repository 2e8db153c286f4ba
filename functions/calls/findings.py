"""Calls about what verifications found."""

from functions.calls.common import BODY_FAULTS, PAGING
from functions.http.call import Call, late
from shared.model.caller import Role

QUERY = {**PAGING, "state": {"enum": ["open", "approved", "removing", "closed"]}}

CALLS: tuple[Call, ...] = (
    Call(
        name="list_findings",
        method="GET",
        path="connections/{name}/findings",
        role=Role.READER,
        handle=late("findings.list_findings"),
        about="List what differs from the profile: permissions, roles, registration, owners",
        tag="findings",
        query=QUERY,
        answers={200: "FindingList"},
        faults=(400, 404),
    ),
    Call(
        name="decide_finding",
        method="POST",
        path="connections/{name}/findings/{fingerprint}/decision",
        role=Role.APPROVER,
        handle=late("findings.decide_finding"),
        about="Accept a finding as it is, or have Keyturn remove an extra permission or role",
        tag="findings",
        accepts="DecisionRequest",
        body_required=True,
        answers={200: "DecisionView", 202: "DecisionView"},
        faults=(*BODY_FAULTS, 404, 409, 410),
    ),
    Call(
        name="list_all_findings",
        method="GET",
        path="findings",
        role=Role.READER,
        handle=late("findings.list_all_findings"),
        about="List the findings of all connections",
        tag="findings",
        query=QUERY,
        answers={200: "FindingList"},
        faults=(400,),
    ),
)
