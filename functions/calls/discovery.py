"""Calls about discovered accounts."""

from functions.calls.common import PAGING
from functions.http import forms
from functions.http.call import Call, late
from shared.model.entities import KINDS

CALLS: tuple[Call, ...] = (
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
        name="list_entities",
        method="GET",
        path="connections/{name}/entities",
        handle=late("entities.list_entities"),
        about="List users, groups, directory roles and service principals of the latest discovery",
        tag="discovery",
        query={
            **PAGING,
            "kind": {"enum": list(KINDS)},
            "format": {"enum": list(forms.ACCOUNTS)},
        },
        answers={200: "EntityPage"},
        other_forms=("text/csv", "application/x-ndjson"),
        faults=(400, 404, 406, 409),
    ),
    Call(
        name="list_links",
        method="GET",
        path="connections/{name}/links",
        handle=late("entities.list_links"),
        about="List members and owners of the latest discovery",
        tag="discovery",
        query={
            **PAGING,
            "kind": {"enum": ["members", "owners"]},
            "source": {"type": "string", "description": "id of a group or role"},
            "target": {"type": "string", "description": "id of a member or owner"},
            "format": {"enum": list(forms.ACCOUNTS)},
        },
        answers={200: "LinkPage"},
        other_forms=("text/csv", "application/x-ndjson"),
        faults=(400, 404, 406, 409),
    ),
    Call(
        name="list_changes",
        method="GET",
        path="connections/{name}/changes",
        handle=late("changes.list_changes"),
        about="List what was inserted, updated and deleted since a cursor",
        tag="discovery",
        query={**PAGING, "format": {"enum": ["json", "ndjson"]}},
        answers={200: "ChangePage"},
        other_forms=("application/x-ndjson",),
        faults=(400, 404, 406, 410),
    ),
)
