"""Calls about discovered accounts."""

from functions.calls.common import PAGING
from functions.http import forms
from functions.http.call import Call, late

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
)
