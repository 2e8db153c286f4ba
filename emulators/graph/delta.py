"""Delta queries on directory objects: everything once, then what has changed."""

from collections.abc import Sequence
from typing import Any

from emulators.graph.delta_parts import PART, Part, in_parts, out_of_order
from emulators.graph.delta_rows import Rows
from emulators.graph.errors import GraphError, bad_request
from emulators.graph.paging import decode, encode
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


def _decode(token: str) -> dict[str, Any]:
    state = decode(token)
    if state is None or not state.keys() >= STATE:
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
            self.state = self._fresh(phase="latest")
        else:
            self.state = _decode(token) if token else self._fresh(phase="full")
        if "$skiptoken" in call.query:
            self.tenant.paging.check(self.state)
        select = self.state["select"]
        options = {"$select": ",".join(select)} if select else {}
        self.query = Query.parse(kind, options, call.headers)
        self.rows = Rows(self.tenant, kind, self.query, select)

    def _fresh(self, phase: str) -> dict[str, Any]:
        version = self.tenant.changes.settled_version(self.tenant.lag.seconds)
        select = [name for name in self.call.query.get("$select", "").split(",") if name]
        state = {"phase": phase, "at": 0, "since": 0, "to": version, "select": select}
        if self.call.strike is not None and self.call.effect == "split":
            state["part"] = int(self.call.strike.rule.wanted.get("members", 10))
        return state | {"made": self.tenant.clock.time()}

    def answer(self) -> Answer:
        if self._resets or self.tenant.clock.time() - self.state["made"] > TOKEN_LIFETIME:
            raise self._reset()
        items = self._items()
        at, size = self.state["at"], self._size()
        if self.call.effect == "blank":
            items, size = range(at + 1), 0
        context = self.query.context(NAMES[self.kind])
        body: dict[str, Any] = {"@odata.context": self.call.context(context + "/$delta")}
        if at + size < len(items):
            mark = {"blank": self.call.strike.rule.hits} if self.call.strike else {}
            more = {"at": at + size} | mark | self.tenant.paging.stamp()
            token = encode(self.state | more)
            body["@odata.nextLink"] = self.call.link({"$skiptoken": token})
        else:
            made = self.tenant.clock.time()
            after = {"phase": "changes", "at": 0, "since": self.state["to"], "made": made}
            token = encode(self.state | after)
            body["@odata.deltaLink"] = self.call.link({"$deltatoken": token})
        return Answer(200, body | {"value": self._value(items, at, size)})

    @property
    def _resets(self) -> bool:
        strike = self.call.strike
        return strike is not None and (strike.rule.fault == "F14" or strike.effect == "reset")

    def _value(self, items: Sequence[Any], at: int, size: int) -> Any:
        full = self.state["phase"] == "full"

        def rendered(shown: Sequence[Any]) -> list[dict[str, Any]]:
            return [row for row in map(self._render, shown) if row is not None]

        if self.call.effect == "disorder":
            return rendered(out_of_order(items, at, size, first_round=full))
        shown = list(items[at : at + size])
        if self.call.effect == "replay":
            shown = shown[:1] + shown  # the same entity twice in one page is normal
        if not full or self.call.strike is not None:
            return rendered(shown)
        key = (self.kind, tuple(self.state["select"]), self._part, at, size)
        return self.tenant.prepared.items(key, lambda: rendered(shown))

    @property
    def _part(self) -> int:
        return int(self.state.get("part", PART))

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
            return in_parts(self.tenant, self.kind, self._part)
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
        if isinstance(item, Part):
            return self.rows.part(item.id, item.start, item.start + self._part)
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
