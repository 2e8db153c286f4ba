"""Delta queries on directory objects: everything once, then what has changed."""

import base64
import json
from collections.abc import Sequence
from typing import Any

from emulators.graph.delta_rows import Rows
from emulators.graph.errors import GraphError, bad_request
from emulators.graph.permissions import APP_READ, GROUP_READ, ROLE_READ
from emulators.graph.query import Query
from emulators.graph.routing import Answer, Call, route

PAGE = 200
STATE = {"phase", "at", "since", "to", "made", "select"}
TOKEN_LIFETIME = 7 * 24 * 3600
NAMES = {
    "user": "users",
    "group": "groups",
    "directoryRole": "directoryRoles",
    "servicePrincipal": "servicePrincipals",
}
USER_DELTA = "User.Read.All|Directory.Read.All|Directory.ReadWrite.All|User.ReadWrite.All"


def _encode(**state: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip("=")


def _decode(token: str) -> dict[str, Any]:
    try:
        padded = token + "=" * (-len(token) % 4)
        state: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
    except ValueError as wrong:
        raise bad_request("Badly formed token.") from wrong
    if not isinstance(state, dict) or not state.keys() >= STATE:
        raise bad_request("Badly formed token.")
    return state


class Delta:
    """One delta request: where it stands is all in its token."""

    def __init__(self, call: Call, kind: str) -> None:
        self.call, self.kind, self.tenant = call, kind, call.tenant
        for option in ("$top", "$expand", "$orderby"):
            if option in call.query:
                raise bad_request(f"The query option '{option}' is not supported on delta.")
        token = call.query.get("$skiptoken") or call.query.get("$deltatoken")
        if token == "latest":
            token, start = None, self._fresh(phase="latest")
        else:
            start = _decode(token) if token else self._fresh(phase="full")
        self.state = start
        select = start["select"]
        options = {"$select": ",".join(select)} if select else {}
        self.query = Query.parse(kind, options, call.headers)
        self.rows = Rows(self.tenant, kind, self.query, select)

    def _fresh(self, phase: str) -> dict[str, Any]:
        version = self.tenant.changes.settled_version(self.tenant.lag.seconds)
        select = [name for name in self.call.query.get("$select", "").split(",") if name]
        now = self.tenant.clock.time()
        return {"phase": phase, "at": 0, "since": 0, "to": version, "made": now, "select": select}

    def answer(self) -> Answer:
        if (
            self.call.params.get("fault") == "reset"
            or self.tenant.clock.time() - self.state["made"] > TOKEN_LIFETIME
        ):
            raise self._reset()
        items = self._items()
        at, size = self.state["at"], self._size()
        shown = list(items[at : at + size])
        if self.call.params.get("fault") == "replay":
            shown = shown[:1] + shown  # the same entity twice in one page is normal
        context = self.query.context(NAMES[self.kind])
        body: dict[str, Any] = {"@odata.context": self.call.context(context + "/$delta")}
        if at + size < len(items):
            token = _encode(**self.state | {"at": at + size})
            body["@odata.nextLink"] = self.call.link({"$skiptoken": token})
        else:
            made = self.tenant.clock.time()
            after = {"phase": "changes", "at": 0, "since": self.state["to"], "made": made}
            token = _encode(**self.state | after)
            body["@odata.deltaLink"] = self.call.link({"$deltatoken": token})
        rendered = [self._render(item) for item in shown]
        return Answer(200, body | {"value": [item for item in rendered if item is not None]})

    def _reset(self) -> GraphError:
        options = {"$deltatoken": ""}
        if self.state["select"]:
            options["$select"] = ",".join(self.state["select"])
        return GraphError(
            410,
            "syncStateNotFound",
            "Resync required. The delta token is no longer valid, and the application must reset "
            "the sync state.",
            headers={"Location": self.call.link(options)},
        )

    def _size(self) -> int:
        for part in self.call.headers.get("prefer", "").split(","):
            name, _, value = part.strip().partition("=")
            if name.lower() == "odata.maxpagesize" and value.isdigit():
                return min(max(int(value), 1), 999)
        return PAGE

    def _items(self) -> Sequence[Any]:
        """Ids in the first round; afterwards one entry for each changed object."""
        if self.state["phase"] == "latest":
            return ()
        if self.state["phase"] == "full":
            if self.kind == "user":
                return self.tenant.users
            return [entity.id for entity in self.tenant.tables[self.kind].values()]
        if self.state["at"] == 0:
            # Pages of one round share its end; a new round reaches to what has settled by now.
            self.state["to"] = self.tenant.changes.settled_version(self.tenant.lag.seconds)
        return self._changed()

    def _changed(self) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for change in self.tenant.changes.between(self.kind, self.state["since"], self.state["to"]):
            fresh = {"id": change.id, "links": {}, "properties": set(), "whole": False}
            one = found.setdefault(change.id, fresh)
            one["removed"] = change.removed
            one["properties"].update(change.properties)
            one["whole"] |= not change.properties and change.member is None
            if change.member is not None:
                one["links"][change.relation, change.member] = change.member_removed
        return list(found.values())

    def _render(self, item: Any) -> dict[str, Any] | None:
        if isinstance(item, str):
            return self.rows.entity(item)
        if item["removed"]:
            return {"id": item["id"], "@removed": {"reason": item["removed"]}}
        # One that was made or restored comes with all its links.
        body = self.rows.entity(item["id"], None if item["whole"] else item["links"])
        if body is None:
            return {"id": item["id"], "@removed": {"reason": "changed"}}
        if "return=minimal" in self.call.headers.get("prefer", "") and item["properties"]:
            kept = item["properties"] | {"id", "members@delta", "owners@delta"}
            return {name: value for name, value in body.items() if name in kept}
        return body


@route("GET", "/users/delta", USER_DELTA)
def users_delta(call: Call) -> Answer:
    return Delta(call, "user").answer()


@route("GET", "/groups/delta", GROUP_READ)
def groups_delta(call: Call) -> Answer:
    return Delta(call, "group").answer()


@route("GET", "/directoryRoles/delta", ROLE_READ)
def directory_roles_delta(call: Call) -> Answer:
    return Delta(call, "directoryRole").answer()


@route("GET", "/servicePrincipals/delta", APP_READ)
def service_principals_delta(call: Call) -> Answer:
    return Delta(call, "servicePrincipal").answer()
