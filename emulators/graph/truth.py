"""What the tenant really holds, past pages, delays and faults: to compare with what was found.

`GET /admin/truth?what=…` answers lines of JSON:

| what | a line |
|---|---|
| users | `{"id", "userPrincipalName", "accountEnabled", "userType", "onPremisesSyncEnabled"}` |
| groups | `{"id", "displayName"}` |
| memberships | `{"group", "member", "kind"}`, direct ones |
| reasons | `{"id", "reason", …}`: why a user is privileged or in scope, one line for each way |
| digest | one line: of users, groups and memberships `{"count", "digest"}` |

A reason is `role` or `eligible` (with `role`, `name`, `scope`, `end`) or, for those of
`&groups=id,id`, `group`; `chain` are the groups that it comes through, the outermost first, by a
shortest way. `&roles=id,id` narrows roles. A digest is the sum of the first eight bytes of the
BLAKE2b hashes of the ids, or of `group/member`: it can be taken in any order.
"""

import asyncio
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

import msgspec
from aiohttp import web

from emulators.graph.state import Entity, Tenant

LINES = 2000
USER = ("id", "userPrincipalName", "accountEnabled", "userType", "onPremisesSyncEnabled")


class Truth:
    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    async def answer(self, request: web.Request) -> web.StreamResponse:
        asked = request.query
        what = asked.get("what", "digest")
        rows: Iterable[dict[str, Any]]
        if what == "reasons":
            rows = self.reasons(_ids(asked.get("groups")) or [], _ids(asked.get("roles")))
        elif what in ("users", "groups", "memberships", "digest"):
            rows = getattr(self, what)()
        else:
            return web.json_response({"error": f"Unknown '{what}'."}, status=400)
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        lines = []
        for row in rows:
            lines.append(msgspec.json.encode(row))
            if len(lines) == LINES:
                await answer.write(b"\n".join(lines) + b"\n")
                lines = []
                await asyncio.sleep(0)  # a tenant of a million: others are served meanwhile
        await answer.write(b"".join(line + b"\n" for line in lines))
        await answer.write_eof()
        return answer

    def users(self) -> Iterator[dict[str, Any]]:
        for identity in self._tenant.users:
            user = self._tenant.users.get(identity)
            if user is not None:
                yield {name: user[name] for name in USER}

    def groups(self) -> Iterator[dict[str, Any]]:
        for group in self._tenant.tables["group"].true_values():
            yield {"id": group.id, "displayName": group.body["displayName"]}

    def memberships(self) -> Iterator[dict[str, Any]]:
        for group in self._tenant.tables["group"].true_values():
            for member, kind in self._members(group):
                yield {"group": group.id, "member": member, "kind": kind}

    def digest(self) -> Iterator[dict[str, Any]]:
        users = self._tenant.users
        yield {
            "users": summed(each for each in users if not users.removed(each)),
            "groups": summed(row["id"] for row in self.groups()),
            "memberships": summed(f"{r['group']}/{r['member']}" for r in self.memberships()),
        }

    def reasons(
        self, groups: Iterable[str], roles: frozenset[str] | None
    ) -> Iterator[dict[str, Any]]:
        tenant = self._tenant
        for table, reason in (
            (tenant.role_assignments, "role"),
            (tenant.eligibilities, "eligible"),
        ):
            for row in table.true_values():
                role = row["roleDefinitionId"]
                if roles is not None and role not in roles:
                    continue
                more = {
                    "reason": reason,
                    "role": role,
                    "name": tenant.role_definitions[role]["displayName"],
                    "scope": row["directoryScopeId"],
                    "end": row.get("endDateTime"),
                }
                for user, chain in self._below(row["principalId"]):
                    yield {"id": user} | more | {"chain": chain}
        for group in groups:
            for user, chain in self._below(group):
                yield {"id": user, "reason": "group", "chain": chain}

    def _below(self, principal: str) -> Iterator[tuple[str, list[str]]]:
        """A user itself; all users under a group, each once, with the groups on the way."""
        if self._tenant.users.exists(principal):
            yield principal, []
            return
        seen: set[str] = set()
        waiting: list[tuple[str, list[str]]] = [(principal, [])]
        for identity, chain in waiting:
            group = self._tenant.tables["group"].truth(identity)
            if group is None:
                continue
            for member, kind in self._members(group):
                if member in seen or member == principal:
                    continue
                seen.add(member)
                if kind == "user":
                    yield member, [*chain, identity]
                else:
                    waiting.append((member, [*chain, identity]))

    def _members(self, group: Entity) -> Iterator[tuple[str, str]]:
        """Those that are still there, and what they are."""
        for member in () if group.members is None else group.members.listed():
            if self._tenant.users.exists(member):
                yield member, "user"
            elif (other := self._tenant.find(member)) is not None:
                yield member, other.kind


def summed(names: Iterable[str]) -> dict[str, Any]:
    """How many, and a digest that does not depend on their order."""
    count = total = 0
    for name in names:
        count += 1
        total += int.from_bytes(blake2b(name.encode(), digest_size=8).digest())
    return {"count": count, "digest": f"{total % 2**64:016x}"}


def _ids(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(text.lower().split(","))
