"""The SDK's own model classes, on a sample: what the obvious implementation costs."""

from typing import Any

from bench.scale.product import graph_of
from bench.scale.rounds import Rows
from shared.adapters.graph_account_rows import USER_FIELDS
from shared.adapters.graph_query import query

SAMPLE = 500
"""Users, one page: at some eighty a second."""


class Models:
    def __init__(self, target: dict[str, Any]) -> None:
        self._graph = graph_of(target)

    async def read(self) -> Rows:
        users = self._graph.client.users
        page = await users.get(query(users, select=USER_FIELDS, top=SAMPLE))
        return {"users": len(page.value or ()) if page else 0}

    async def close(self) -> None:
        await self._graph.close()
