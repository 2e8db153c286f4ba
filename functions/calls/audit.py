"""Calls about the audit."""

from functions.calls.common import PAGING
from functions.http.call import Call, late
from shared.model.caller import Role

CALLS: tuple[Call, ...] = (
    Call(
        name="show_history",
        method="GET",
        path="connections/{name}/history",
        role=Role.READER,
        handle=late("audit.show_history"),
        about="Show what was done for a connection, by whom, and what was before",
        tag="audit",
        query={**PAGING, "after": {"type": "integer", "minimum": 1}},
        answers={200: "History"},
        faults=(400, 404),
    ),
    Call(
        name="list_refusals",
        method="GET",
        path="refusals",
        role=Role.READER,
        handle=late("audit.list_refusals"),
        about="List the requests that exceeded a profile or the caller's rights",
        tag="audit",
        query={**PAGING, "after": {"type": "integer", "minimum": 1}},
        answers={200: "RefusalList"},
        faults=(400,),
    ),
)
