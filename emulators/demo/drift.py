"""Somebody changes grants by hand: what is reported, what is put back, and what is left."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console

from emulators import graph
from emulators.demo.board import ended
from emulators.demo.client import Client, control, order
from emulators.demo.clock import until
from emulators.demo.products import Product
from emulators.stack import Cloud

EXTRA = "Mail.Read"
"""Granted by hand to products that never asked for it."""

DATA = Path(graph.__file__).parent / "data" / "permissions.json"
NAMES = {row["id"]: row["name"] for row in json.loads(DATA.read_text())["permissions"]}
"""Of Graph's permissions, by id."""


class Drift:
    """One grant taken away and another one given, behind Keyturn's back."""

    def __init__(
        self, console: Console, cloud: Cloud, client: Client, product: Product, *, repairs: bool
    ) -> None:
        self._console, self._cloud, self._client = console, cloud, client
        self._product, self._repairs = product, repairs
        self._taken = ""
        self.wrong: list[str] = []

    async def happens(self) -> None:
        connection = await self._connection()
        app, held = connection["application"]["client_id"], await self._held()
        self._taken = held[0]
        await self._grant(app, self._taken, revoke=True)
        await self._grant(app, EXTRA, revoke=False)
        self._say(f"by hand: {self._taken} taken away, {EXTRA} granted")

    async def is_found(self) -> None:
        """By the daily verification, which nobody has asked for."""
        name = self._product.name

        async def told() -> dict[str, dict[str, Any]] | None:
            found = await self._findings()
            known = {EXTRA, self._taken} <= found.keys()
            done = known and (found[self._taken]["state"] == "closed") == self._repairs
            return found if done and ended(await self._client.connection(name)) else None

        found = await until(self._cloud, self._client, name, "the findings", told)
        for finding in (found[self._taken], found[EXTRA]):
            self._say(
                f"finding [red]{finding['code']}[/]: {finding['name']} is {finding['verdict']}, "
                f"{finding['state']}; {_by(finding)}; "
                f"an approver may choose: {', '.join(finding['choices']) or 'nothing more'}"
            )
        self._expect(found[EXTRA]["state"] == "open", f"{EXTRA} is {found[EXTRA]['state']}")
        self._expect(found[EXTRA]["verdict"] == "extra", f"{EXTRA}: {found[EXTRA]['verdict']}")
        self._expect(found[self._taken]["verdict"] == "missing", f"{self._taken} is not missing")
        held = await self._held()
        self._expect(EXTRA in held, f"{EXTRA} was removed")
        self._expect((self._taken in held) == self._repairs, f"granted: {held}")
        done = "is put back, as its policy is repair" if self._repairs else "is only reported"
        self._say(f"{self._taken} {done}; {EXTRA} is left")

    async def _findings(self) -> dict[str, dict[str, Any]]:
        """By the name of the permission."""
        answer = await self._client.get(
            f"/api/connections/{self._product.name}/findings?limit=1000"
        )
        return {finding["name"]: finding for finding in answer["findings"]}

    async def _held(self) -> list[str]:
        """Names of the application permissions of Graph that are granted."""
        principal = (await self._connection())["application"]["principal_id"]
        tenant = await control(self._cloud.state(), "state", lambda answer: answer.json())
        ids = [
            grant["appRoleId"]
            for grant in tenant["appRoleAssignments"]
            if grant["principalId"] == principal
        ]
        return sorted(NAMES[id_] for id_ in ids if id_ in NAMES)

    async def _connection(self) -> dict[str, Any]:
        found: dict[str, Any] = await self._client.get(f"/api/connections/{self._product.name}")
        return found

    async def _grant(self, app: str, role: str, *, revoke: bool) -> None:
        body = {"app": app, "role": role, "revoke": revoke}
        await order(self._cloud.state(), "grant", body)

    def _say(self, text: str) -> None:
        self._console.print(f"{self._product.name}: {text}", highlight=False, soft_wrap=True)

    def _expect(self, true: bool, otherwise: str) -> None:  # noqa: FBT001 - a fact, no option
        if not true:
            self.wrong.append(f"{self._product.name}: {otherwise}")


def _by(finding: dict[str, Any]) -> str:
    actor = finding["changed_by"]
    return f"changed by {actor['name']} at {actor['at']}" if actor else "the log names nobody"
