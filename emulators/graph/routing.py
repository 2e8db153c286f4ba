"""Calls: which function answers which method and path."""

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from emulators.graph.errors import GraphError, bad_request, denied
from emulators.graph.permissions import Needs
from emulators.graph.query import Query, count, link_text, page

if TYPE_CHECKING:
    from emulators.graph.faults import Strike
    from emulators.graph.state import Entity, Tenant


@dataclass(frozen=True)
class Caller:
    """Who calls, from the verified token."""

    app_id: str
    object_id: str
    roles: frozenset[str]
    directory_roles: frozenset[str] = frozenset()

    def has(self, *permissions: str) -> bool:
        return any(permission in self.roles for permission in permissions)

    def must_own(self, entity: "Entity", *broad: str) -> None:
        """Under Application.ReadWrite.OwnedBy only what the caller owns may be changed."""
        if not self.has(*broad) and self.object_id not in entity.owners:
            raise denied()


@dataclass
class Answer:
    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    lasting: Hashable = None
    """By what the prepared pages know the same answer; None for one that is made each time."""


@dataclass
class Call:
    """One request, decoded."""

    tenant: "Tenant"
    caller: Caller
    method: str
    base: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None
    params: dict[str, str] = field(default_factory=dict)
    template: str = ""
    strike: "Strike | None" = None
    """A fault that the handler carries out itself."""

    @property
    def effect(self) -> str:
        return "" if self.strike is None else self.strike.effect

    @property
    def target(self) -> str:
        return next(iter(self.params.values()), "")

    def options(self, kind: str) -> Query:
        query = Query.parse(kind, self.query, self.headers)
        if "$skiptoken" in self.query:
            query.offset = self.tenant.paging.offset(self.query["$skiptoken"])
        return query

    def listing(
        self,
        kind: str,
        items: Any,
        render: Callable[[Any], dict[str, Any] | None],
        *,
        resource: str,
        defaults: Any = (),
    ) -> Answer:
        """A page, or the plain number when the path ends in /$count."""
        query = self.options(kind)
        if self.path.lower().endswith("/$count"):
            self.only("$filter", "$search", "$count")
            if not query.eventual:
                raise bad_request("$count is not currently supported.")
            return Answer(200, str(count(query, items, render)))
        self._shrink(query)
        body = page(query, items, render, defaults=defaults, link=self._next)
        return Answer(200, {"@odata.context": self.context(query.context(resource))} | body)

    def _shrink(self, query: Query) -> None:
        """What the service does to a page that is too large for it at the moment."""
        if self.strike is not None and self.effect == "short":
            query.top = max(1, query.top // 2)
        elif self.strike is not None and self.effect == "smaller":
            most = int(self.strike.rule.wanted.get("largest", 120))
            if query.top > most:
                raise bad_request(f"Cannot query data for more than {most} users at a time.")

    def _next(self, at: int) -> str:
        return self.link(self.query | {"$skiptoken": self.tenant.paging.token(at)})

    def single(
        self, kind: str, item: dict[str, Any], *, resource: str, defaults: Any = ()
    ) -> Answer:
        self.only("$select", "$expand", "$format")
        query = self.options(kind)
        context = self.context(query.context(resource) + "/$entity")
        return Answer(200, {"@odata.context": context} | query.shape(item, defaults))

    def only(self, *options: str) -> None:
        """Refuse query options that make no sense on one entity or on a number."""
        for option in self.query:
            if option.startswith("$") and option not in options:
                raise bad_request(
                    f"The query option '{option}' is not allowed on this request.", "BadRequest"
                )

    def context(self, what: str) -> str:
        return f"{self.base}/$metadata#{what}"

    def link(self, query: dict[str, str]) -> str:
        return link_text(self.base + self.path, query)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    method: str
    template: str
    pattern: re.Pattern[str]
    needs: Needs
    handler: Handler


ROUTES: list[Route] = []
_BY_SHAPE: dict[tuple[int, str], list[Route]] = {}
"""By the number of segments and the first one."""


def route(method: str, template: str, needs: str) -> Callable[[Handler], Handler]:
    """Register a handler. Paths match without regard to case, as Graph's do."""
    escaped = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))

    def register(handler: Handler) -> Handler:
        pattern = re.compile(escaped, re.IGNORECASE)
        made = Route(method, template, pattern, Needs(needs), handler)
        ROUTES.append(made)
        _BY_SHAPE.setdefault(_shape(template), []).append(made)
        return handler

    return register


def _shape(path: str) -> tuple[int, str]:
    return path.count("/"), path.split("/", 2)[1].lower() if "/" in path else ""


def plain_path(path: str) -> str:
    """Bring the forms of one path together.

    `/applications(appId='x')` becomes `/applications/appId=x`, `/users('x')` `/users/x`,
    `/users/delta()` `/users/delta`, and the SDK's cast `/graph.user` the full name.
    """
    path = unquote(path)
    path = re.sub(r"\((\w+)='((?:[^']|'')*)'\)", r"/\1=\2", path)
    path = re.sub(r"\('((?:[^']|'')*)'\)", r"/\1", path)
    path = path.replace("()", "").rstrip("/")
    return re.sub(r"/graph\.(?=[a-z])", "/microsoft.graph.", path, flags=re.IGNORECASE)


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a plain path; the one with fewest variables wins."""
    known = False
    best: tuple[Route, dict[str, str]] | None = None
    for each in _BY_SHAPE.get(_shape(path), ()):
        match = each.pattern.fullmatch(path)
        if match is None:
            continue
        known = True
        if each.method == method and (best is None or len(match.groupdict()) < len(best[1])):
            best = each, match.groupdict()
    if best is not None:
        return best
    if known:
        raise GraphError(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    segment = path.rsplit("/", 1)[-1]
    raise bad_request(f"Resource not found for the segment '{segment}'.", "BadRequest")
