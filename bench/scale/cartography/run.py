"""cartography's own fetch functions against the emulated Graph, in an environment of its own.

Told on standard input and answering on the last line, as `bench/scale/worker.py`; nothing of the
project can be imported here.
"""

import asyncio
import hashlib
import json
import logging
import resource
import ssl
import sys
import time
import urllib.request
from typing import Any

Target = dict[str, Any]


def control(target: Target, method: str, name: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    url = f"{target['admin']}/{name}"
    request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 - loopback
    trust = ssl.create_default_context(cafile=target["ca_file"])
    with urllib.request.urlopen(request, context=trust, timeout=600) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text else None


class Fixed:
    """A credential that has its token already."""

    def __init__(self, token: str) -> None:
        self._token = token

    def get_token(self, *_scopes: str, **_options: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken(self._token, int(time.time()) + 3600)


def client_of(target: Target) -> Any:
    from kiota_authentication_azure.azure_identity_authentication_provider import (
        AzureIdentityAuthenticationProvider,
    )
    from msgraph import GraphServiceClient
    from msgraph.graph_request_adapter import GraphRequestAdapter

    auth = AzureIdentityAuthenticationProvider(
        Fixed(target["token"]),
        scopes=["https://graph.microsoft.com/.default"],
        allowed_hosts=["127.0.0.1"],
    )
    adapter = GraphRequestAdapter(auth)
    adapter.base_url = target["graph"]
    return GraphServiceClient(request_adapter=adapter)


async def read(target: Target, ids: list[str]) -> dict[str, int]:
    """Users, then groups with owners, then members, as the product does; no Neo4j."""
    from cartography.intel.microsoft.entra import (  # type: ignore[import-not-found] # its own environment has it
        groups,
        users,
    )

    client = client_of(target)
    count = links = 0
    async for page, activity in users.get_users(client):
        rows = list(users.transform_users(page, activity_available=activity))
        count += len(rows)
        ids += [row["id"] for row in rows]
    found = []
    async for group in groups.get_entra_groups(client):
        owners = await groups.get_group_owners(client, group.id)
        groups.transform_group(group, owners)
        found.append(group.id)
    for group in found:
        async for members, nested in groups.get_group_member_pages(client, group):
            links += len(members) + len(nested)
    return {"users": count, "groups": len(found), "memberships": links}


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measured(target: Target, ids: list[str]) -> dict[str, Any]:
    before, began = cpu(), time.perf_counter()
    rows = await read(target, ids)
    seconds, spent = time.perf_counter() - began, cpu() - before
    used = control(target, "GET", "usage")
    return {"seconds": seconds, "cpu": spent, "rows": rows, "used": used}


async def main() -> None:
    logging.disable(logging.WARNING)
    target: Target = json.load(sys.stdin)
    report: dict[str, Any] = {"rounds": [], "idle": 0, "more": {}}
    ids: list[str] = []
    if target.get("fault"):
        control(target, "POST", "faults", target["fault"])
    control(target, "DELETE", "usage")
    try:
        report["rounds"].append(await measured(target, ids))
        report["outcome"] = "finished"
    except Exception as error:  # noqa: BLE001 - whatever a peer ends with is its result
        first = (str(error).splitlines() or [repr(error)])[0]
        report["outcome"] = f"aborted: {first[:160]}"
    if target.get("fault"):
        report["more"]["hits"] = sum(rule["hits"] for rule in control(target, "GET", "faults"))
        control(target, "DELETE", "faults")
    joined = ",".join(sorted(ids))
    report["found"] = {"users": {"ids": hashlib.sha256(joined.encode()).hexdigest()}}
    report["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write("\n" + json.dumps(report) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
