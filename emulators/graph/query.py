"""Query options, and pages of a collection."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from emulators.graph.errors import GraphError, bad_request, unsupported_query
from emulators.graph.filters import Filter
from emulators.graph.schema import property_type

Render = Callable[[Any], dict[str, Any] | None]
OPTIONS = {
    "$select",
    "$filter",
    "$top",
    "$skiptoken",
    "$count",
    "$orderby",
    "$expand",
    "$search",
    "$deltatoken",
    "$format",
    "$skip",
}
DEFAULT_PAGE, LARGEST_PAGE, WITH_SIGN_INS = 100, 999, 500
ADVANCED = {"user", "group", "application", "servicePrincipal", "administrativeUnit"}


@dataclass
class Query:
    """The options of one request, checked against the type they apply to."""

    kind: str
    raw: dict[str, str]
    eventual: bool
    select: list[str] = field(default_factory=list)
    expand: list[str] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    filter: Filter | None = None
    top: int = DEFAULT_PAGE
    offset: int = 0
    wants_count: bool = False

    @classmethod
    def parse(cls, kind: str, raw: dict[str, str], headers: dict[str, str]) -> "Query":
        query = cls(kind, raw, headers.get("consistencylevel", "").lower() == "eventual")
        for option in raw:
            if option.startswith("$") and option not in OPTIONS:
                raise bad_request(f"Unrecognized query option '{option}'.", "BadRequest")
        query.select = [name.strip() for name in raw.get("$select", "").split(",") if name.strip()]
        if "*" in query.select:
            query.select = []
        query._known(query.select, "Select and Expand failed")
        query.expand = [part.split("(")[0].strip() for part in _parts(raw.get("$expand", ""))]
        query._known(query.expand, "Select and Expand failed")
        for part in _parts(raw.get("$orderby", "")):
            name, _, direction = part.strip().partition(" ")
            query.order.append((name, direction.strip().lower() == "desc"))
        query._known([name for name, _ in query.order], "OrderBy failed")
        if "$filter" in raw:
            query.filter = Filter(raw["$filter"], kind)
        query.top = _top(raw.get("$top"))
        if "signInActivity" in query.select and query.top > WITH_SIGN_INS:
            raise bad_request(f"Invalid page size specified: '{query.top}'. Must be at most 500.")
        asked = raw.get("$count", "").lower() == "true"
        query._advanced(asked=asked)
        # Without the header a bare $count=true is silently ignored (Graph: advanced queries).
        query.wants_count = asked and (query.eventual or kind not in ADVANCED)
        return query

    def _known(self, names: list[str], what: str) -> None:
        for name in names:
            if property_type(self.kind, name.split("/")[0]) is None:
                raise GraphError(
                    400,
                    "BadRequest",
                    f"Parsing OData {what}: Could not find a property named '{name}' on type "
                    f"'microsoft.graph.{self.kind}'.",
                )

    def _advanced(self, *, asked: bool) -> None:
        if self.kind not in ADVANCED:
            return
        needed = (
            self.filter is not None and (self.filter.advanced or bool(self.order))
        ) or "$search" in self.raw
        if needed and not (self.eventual and asked):
            raise unsupported_query(
                "Unsupported Query. Advanced queries need the header ConsistencyLevel: eventual "
                "and $count=true."
            )

    def shape(self, item: dict[str, Any], defaults: Sequence[str] = ()) -> dict[str, Any]:
        """Only what was selected, or the entity's default properties."""
        names = self.select or defaults
        if not names:
            return item
        shown = {name: item.get(name) for name in names if name in item or name in self.select}
        if self.select and "id" in item:
            shown = {"id": item["id"]} | shown if "id" in self.select else shown
        kept = {name: item[name] for name in self.expand if name in item}
        annotations = {name: value for name, value in item.items() if "@" in name}
        return annotations | shown | kept

    def context(self, resource: str) -> str:
        return resource + (f"({','.join(self.select)})" if self.select else "")


def page(
    query: Query,
    items: Sequence[Any] | Iterable[Any],
    render: Render,
    *,
    defaults: Sequence[str] = (),
    link: Callable[[int], str],
) -> dict[str, Any]:
    """One page of *items* with the link to the next one, which *link* makes of its place."""
    plain = query.filter is None and not query.order and "$search" not in query.raw
    if not isinstance(items, Sequence):
        items = list(items)
    if not plain:
        items, render = _matching(query, items, render), _itself
    found: list[dict[str, Any]] = []
    at = query.offset
    while at < len(items) and len(found) < query.top:
        item = render(items[at])
        at += 1
        if item is not None:
            found.append(query.shape(item, defaults))
    body: dict[str, Any] = {}
    if query.wants_count:
        body["@odata.count"] = len(items)
    if at < len(items):
        body["@odata.nextLink"] = link(at)
    body["value"] = found
    return body


def count(query: Query, items: Sequence[Any] | Iterable[Any], render: Render) -> int:
    if query.filter is None and isinstance(items, Sequence):
        return len(items)
    return len(_matching(query, items, render))


def link_text(base: str, query: dict[str, str]) -> str:
    """An absolute link; option names stay readable, as Graph writes them."""
    options = "&".join(f"{name}={quote(value, safe='$,')}" for name, value in query.items())
    return f"{base}?{options}" if options else base


def _itself(item: dict[str, Any]) -> dict[str, Any]:
    return item


def _matching(query: Query, items: Iterable[Any], render: Render) -> list[dict[str, Any]]:
    test = query.filter.matches if query.filter is not None else None
    words = _search(query.raw.get("$search", ""))
    found = []
    for each in items:
        item = render(each)
        if item is None or (test is not None and not test(item)):
            continue
        if words is not None and words[1] not in str(item.get(words[0]) or "").lower():
            continue
        found.append(item)
    for name, down in reversed(query.order):
        found.sort(key=lambda item: (item.get(name) is None, item.get(name)), reverse=down)
    return found


def _search(text: str) -> tuple[str, str] | None:
    if not text:
        return None
    name, _, value = text.strip('"').partition(":")
    return name, value.lower()


def _parts(text: str) -> list[str]:
    """Split at the commas outside parentheses."""
    found, depth, word = [], 0, ""
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            found.append(word)
            word = ""
        else:
            word += char
    return [part for part in [*found, word] if part.strip()]


def _top(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isdigit() or not 1 <= int(text) <= LARGEST_PAGE:
        raise bad_request(f"Invalid page size specified: '{text}'. Must be between 1 and 999.")
    return int(text)
