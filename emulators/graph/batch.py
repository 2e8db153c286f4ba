"""JSON batching: up to twenty calls in one, each with its own status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from emulators.graph.errors import bad_request
from emulators.graph.routing import Answer, Caller

if TYPE_CHECKING:
    from emulators.graph.gateway import Gateway, Incoming

MOST = 20
SHOWN = ("Content-Type", "Retry-After", "Location", "Cache-Control", "x-ms-resource-unit")
METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")


def _checked(body: Any) -> list[dict[str, Any]]:
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise bad_request("Invalid batch payload format.", "BadRequest")
    if len(requests) > MOST:
        raise bad_request(
            f"Number of batch request steps exceeds the maximum value of {MOST}.", "BadRequest"
        )
    seen: set[str] = set()
    for item in requests:
        _check_item(item)
        if item["id"] in seen:
            raise bad_request(f"Duplicate batch request id '{item['id']}'.", "BadRequest")
        seen.add(item["id"])
    return requests


def _check_item(item: Any) -> None:
    texts = ("id", "method", "url")
    if not isinstance(item, dict) or not all(isinstance(item.get(k), str) for k in texts):
        raise bad_request("Every batch request needs 'id', 'method' and 'url'.", "BadRequest")
    headers, before = item.get("headers", {}), item.get("dependsOn", [])
    if (
        item["method"].upper() not in METHODS
        or not isinstance(headers, dict)
        or not isinstance(before, list)
    ):
        raise bad_request(f"Invalid batch request '{item['id']}'.", "BadRequest")
    if "body" in item and "content-type" not in {name.lower() for name in headers}:
        raise bad_request(
            f"Batch request '{item['id']}' has a body but no Content-Type header.", "BadRequest"
        )


async def run_batch(gateway: Gateway, incoming: Incoming, caller: Caller) -> Answer:
    """Run the items; the answer is 200 whatever became of them, in no particular order."""
    try:
        requests = _checked(json.loads(incoming.text or "null"))
    except ValueError as wrong:
        raise bad_request("Invalid batch payload format.", "BadRequest") from wrong
    statuses: dict[str, int] = {}
    responses = []
    for item in requests:
        failed = [d for d in item.get("dependsOn", []) if statuses.get(d, 424) >= 400]
        answer = _dependency() if failed else await _item(gateway, incoming, item, caller)
        statuses[item["id"]] = answer.status
        one: dict[str, Any] = {"id": item["id"], "status": answer.status}
        one["headers"] = {
            name: value
            for name, value in answer.headers.items()
            if name in SHOWN or name.startswith("x-ms-throttle")
        }
        if answer.body is not None:
            one["body"] = answer.body
        responses.append(one)
    return Answer(200, {"responses": responses[1::2] + responses[::2]})


async def _item(gateway: Gateway, outer: Incoming, item: dict[str, Any], caller: Caller) -> Answer:
    from emulators.graph.gateway import Incoming

    url = urlsplit("/" + str(item["url"]).lstrip("/"))
    body = item.get("body")
    inner = Incoming(
        method=str(item["method"]).upper(),
        path=url.path.removeprefix("/v1.0"),
        query=dict(parse_qsl(url.query, keep_blank_values=True)),
        headers={str(k).lower(): str(v) for k, v in item.get("headers", {}).items()},
        text="" if body is None else json.dumps(body),
        base=outer.base,
        inner=True,
    )
    return await gateway.answer(inner, caller)


def _dependency() -> Answer:
    error = {
        "code": "FailedDependency",
        "message": "A request that this one depends on has failed.",
    }
    return Answer(424, {"error": error}, {"Content-Type": "application/json"})
