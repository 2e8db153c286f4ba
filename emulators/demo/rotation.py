"""The clock goes on until a secret is due: its rotation is watched rung by rung."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from azure.core.exceptions import ClientAuthenticationError
from rich.console import Console

from emulators.demo.client import Client, secret_of, sign_in
from emulators.demo.clock import advance_to, until
from emulators.demo.products import Product
from emulators.stack import Cloud

T = TypeVar("T")

LADDER = ("intended", "added", "staged", "verified", "published")

COMPROMISED = {"emergency": True, "reason": "found in a public repository, incident 4713"}


class Rotation:
    """One rotation of one product, from when it is due to when the old secret is gone."""

    def __init__(self, console: Console, cloud: Cloud, client: Client, product: Product) -> None:
        self._console, self._cloud, self._client = console, cloud, client
        self._product = product
        self._shown: set[str] = set()
        self._since = ""  # what was before is not of interest
        self._old = self._new = ""
        self.wrong: list[str] = []

    async def happens(self) -> None:
        """Advance to when it is due; the host's own timer starts it."""
        before = await self._status()
        self._old = await self._secret()
        due = before["due"]
        self._since = due
        self._say(f"the clock goes to {due[:10]}, when the secret of {self._product.name} is due")
        await advance_to(self._cloud, due)

        async def published() -> dict[str, Any] | None:
            found = await self._status()
            if found["operation"] == before["operation"]:
                return None
            self._show(found)
            return None if found["running"] else found

        after = await self._until("the rotation", published)
        own = [rung for rung in after["rungs"] if rung["operation"] == after["operation"]]
        names = tuple(rung["name"] for rung in own if rung["name"] in LADDER)
        self._expect(names == LADDER, f"rungs {names}")
        self._expect(after["overlap"] is not None, "there is no overlap")
        self._new = await self._secret()
        self._expect(self._new != self._old, "the vault serves the old secret")
        await self._check_sign_in(old=True)
        self._say(f"overlap until {after['overlap']['until'][:16]}: both secrets sign in")

    async def ends(self) -> None:
        """Once the overlap is over, the old secret is gone from the directory."""
        found = await self._status()
        key_id = found["credential"]["previous_key_id"]
        await advance_to(self._cloud, found["overlap"]["until"])

        async def retired() -> bool:
            self._show(await self._status())
            return key_id in await self._retired()

        await self._until("the retirement", retired)
        self._show(await self._status())
        await self._check_sign_in(old=False)
        self._say("the old secret does not sign in any more, the new one does")

    async def emergency(self) -> None:
        """One call: another secret, and the one that leaked is gone without any overlap."""
        leaked = await self._secret()
        path = f"/api/connections/{self._product.name}/rotation"
        answer = await self._client.call("POST", path, json=COMPROMISED)
        if not answer.is_success:
            self.wrong.append(f"the emergency was answered {answer.status_code}: {answer.text}")
            return
        operation = answer.json()["operation"]
        self._say(f"POST {path}: {COMPROMISED['reason']}")

        async def over() -> bool:
            found = await self._status()
            self._show(found)
            return found["operation"] == operation and not found["running"]

        await self._until("the emergency's end", over)
        self._old, self._new = leaked, await self._secret()
        self._expect(self._new != leaked, "the vault serves the secret that leaked")
        await self._check_sign_in(old=False)
        self._say("the secret that leaked does not sign in any more, the new one does")

    async def _check_sign_in(self, *, old: bool) -> None:
        self._expect(await self._signs_in(self._new), "the new secret does not sign in")
        verb = "does not sign in during the overlap" if old else "still signs in"
        self._expect(await self._signs_in(self._old) == old, f"the old secret {verb}")

    async def _signs_in(self, secret: str) -> bool:
        connection = await self._client.get(f"/api/connections/{self._product.name}")
        client_id = connection["application"]["client_id"]
        try:
            await sign_in(self._cloud.state(), client_id, secret, self._product.api)
        except ClientAuthenticationError:
            return False
        return True

    async def _until(self, what: str, check: Callable[[], Awaitable[T | None]]) -> T:
        return await until(self._cloud, self._client, self._product.name, what, check)

    async def _retired(self) -> list[str]:
        path = f"/api/connections/{self._product.name}/history?limit=1000"
        entries = (await self._client.get(path))["entries"]
        return [row["data"]["key_id"] for row in entries if row["what"] == "secret.retired"]

    async def _secret(self) -> str:
        return await secret_of(self._cloud.state(), self._product.name)

    async def _status(self) -> dict[str, Any]:
        path = f"/api/connections/{self._product.name}/credential"
        found: dict[str, Any] = await self._client.get(path)
        return found

    def _show(self, status: dict[str, Any]) -> None:
        """The rungs that are new since the last look."""
        for rung in status["rungs"]:
            if rung["at"] < self._since:
                continue
            line = f"{rung['at'][:19].replace('T', ' ')}  {rung['name']:16} {rung['key_id'][:8]:8}"
            if line not in self._shown:
                self._shown.add(line)
                self._say(f"  {line}  {rung['why'] or rung['detail']}")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True)

    def _expect(self, true: bool, otherwise: str) -> None:  # noqa: FBT001 - a fact, no option
        if not true:
            self.wrong.append(f"{self._product.name}: {otherwise}")
