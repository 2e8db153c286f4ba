"""Faults of reading many accounts, by the names DF-01 to DF-32, and what they do to an answer.

Each is an ordinary fault with its usual settings filled in; what a request says goes before.
Faults that are a state of the tenant are made with the other controls: DF-22 with `clock`, DF-25,
DF-29, DF-33 and DF-34 with `tenant`, a lower quota (DF-07) with `throttling`.
"""

from typing import Any

from emulators.graph.errors import GraphError, bad_request
from emulators.graph.paging import blank_token, expired_page_token
from emulators.graph.routing import Answer, Call

USERS, GROUPS, MEMBERS = "GET /users", "GET /groups", "GET /groups/{id}/members"
DELTAS = ["GET /users/delta", "GET /groups/delta"]
EVERY_25TH = ["ok"] * 24 + ["429"]
THROTTLED = {"status": 429, "code": "TooManyRequests", "message": "Please retry again later."}
UNAVAILABLE = {"status": 503, "code": "ServiceNotAvailable"}
DENIED = {
    "status": 403,
    "code": "Authorization_RequestDenied",
    "message": "Insufficient privileges to complete the operation.",
}

NAMED: dict[str, dict[str, Any]] = {
    "DF-01": {
        "call": "*",
        "fault": "F13",
        "retry_after": 1,
        "pattern": EVERY_25TH,
        "repeat": True,
    },
    "DF-02": {"call": "*", "fault": THROTTLED, "times": 3},
    "DF-03": {"call": USERS, "fault": "F13", "retry_after": 2.128, "times": 1},
    "DF-04": {"call": MEMBERS, "fault": "F13", "retry_after": 1},
    "DF-05": {"call": MEMBERS, "fault": "F13", "retry_after": 1, "times": 2},
    "DF-06": {"call": USERS, "fault": UNAVAILABLE, "continuation": True, "times": 1},
    "DF-08": {"call": USERS, "fault": {"status": 500}, "continuation": True},
    "DF-09": {"call": USERS, "fault": "expired", "times": 1},
    "DF-10": {"call": USERS, "fault": "expired"},
    "DF-12": {"call": USERS, "fault": "blank", "pattern": [1, 0], "repeat": True},
    "DF-13": {"call": USERS, "fault": "smaller", "largest": 120},
    "DF-18": {"call": USERS, "fault": "cut", "times": 1},
    "DF-20": {"call": DELTAS, "fault": "F14"},
    "DF-21": {"call": DELTAS, "fault": "unsynchronised"},
    "DF-23": {"call": DELTAS, "fault": "disorder"},
    "DF-24": {"call": "GET /groups/delta", "fault": "split", "members": 10},
    "DF-26": {
        "call": "GET /roleManagement/directory/roleEligibilityScheduleInstances",
        "fault": DENIED,
    },
    "DF-27": {"call": MEMBERS, "fault": "no principals"},
    "DF-28": {"call": MEMBERS, "fault": {"status": 404}, "times": 1},
    "DF-30": {"call": MEMBERS, "fault": {"status": 500, "body": None}, "times": 1},
    "DF-31": {"call": USERS, "fault": "empty"},
    "DF-32": {"call": MEMBERS, "fault": "empty"},
}

REFUSING = ("expired", "unsynchronised")
"""Faults that are a refusal with a body of its own."""
SHAPING = ("short", "smaller", "split", "disorder", "replay", "reset")
"""Faults that the handler of a listing carries out itself."""
ALTERING = ("blank", "cut", "empty", "no principals")
"""Faults that change a good answer."""
EFFECTS = (*REFUSING, *SHAPING, *ALTERING, "hang", "partial")
CONTINUATIONS = ("expired",)
"""Faults that only the link to a next page can meet."""


def spelled_out(wanted: dict[str, Any]) -> dict[str, Any]:
    """The fault that a DF name stands for."""
    name = wanted.get("fault")
    if not isinstance(name, str) or not name.startswith("DF-"):
        return wanted
    if name not in NAMED:
        raise bad_request(f"Unknown fault '{name}'; by name there are {', '.join(NAMED)}.")
    known = NAMED[name]
    return known | wanted | {"fault": known["fault"], "name": name}


def refusal(effect: str) -> GraphError:
    if effect == "expired":
        return expired_page_token()
    return bad_request("The sync state generation is not found.", "syncStateNotFound")


def altered(effect: str, call: Call, answer: Answer, hits: int) -> Answer:
    """A listing's answer as the fault leaves it; anything else as it is."""
    body = answer.body
    if effect not in ALTERING or not isinstance(body, dict) or "value" not in body:
        return answer
    if effect == "blank" and body.get("@odata.context", "").endswith("$delta"):
        return answer  # a delta query leaves its pages blank itself
    changed = dict(body)
    if effect == "cut":
        changed.pop("@odata.nextLink", None)
    elif effect == "no principals":
        kept = (item for item in body["value"] if "servicePrincipal" not in item["@odata.type"])
        changed["value"] = list(kept)
    else:
        changed["value"] = []
        changed.pop("@odata.nextLink", None)
        if effect == "blank":  # nothing on this page, and a link to what it should have shown
            changed.pop("@odata.deltaLink", None)
            token = blank_token(call.query, hits)
            rest = {name: value for name, value in call.query.items() if name != "$deltatoken"}
            changed["@odata.nextLink"] = call.link(rest | {"$skiptoken": token})
            changed["value"] = changed.pop("value")
    return Answer(answer.status, changed, answer.headers)
