"""What people and other systems ask of one connection while processes die around it."""

import asyncio
import hashlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.campaign.local_cloud.plan import EMERGENCY, LEAVING, Life
from tests.end_to_end.local import Local, until

ANSWER_LIMIT = 180.0
"""Seconds until somebody who repeats a request has been answered."""

FIRST_LIMIT = 45.0
"""Seconds for the first onboarding, before other things are asked all the same."""

UNSURE = {401, 403, 408, 429, 500, 502, 503, 504}
"""Statuses after which a caller tries again: outages, and keys of a host that has died."""


OVER = {"succeeded", "superseded", "needs-attention"}
"""States of operations that have ended."""


@dataclass
class Asked:
    """What was accepted, and how often what was answered."""

    operations: dict[str, str] = field(default_factory=dict)  # id: what was asked
    orders: dict[str, str] = field(default_factory=dict)  # operation's id: message id
    answers: Counter[str] = field(default_factory=Counter)


class Caller:
    """Repeats a request until it is answered, as the Retry-After of a 503 asks."""

    def __init__(self, local: Local) -> None:
        self._local = local
        self.asked = Asked()

    async def call(
        self, what: str, method: str, path: str, body: Any = None, **options: Any
    ) -> httpx.Response:
        """The first answer that is one; what was accepted is noted."""

        async def tried() -> httpx.Response | None:
            try:
                answer = await self._local.call(method, path, json=body, **options)
            except httpx.TransportError:
                return None
            return None if answer.status_code in UNSURE else answer

        answer: httpx.Response = await until(f"an answer to {what}", tried, ANSWER_LIMIT)
        self.asked.answers[f"{what} {answer.status_code}"] += 1
        if answer.is_success and "json" in answer.headers.get("content-type", ""):
            operation = answer.json().get("operation")
            if operation:
                self.asked.operations[operation] = what
        return answer

    async def post(self, what: str, message: dict[str, Any]) -> None:
        """An order by queue, sent with the same message id until it is acknowledged."""
        from azure.servicebus.exceptions import ServiceBusError

        id_ = uuid4().hex

        async def sent() -> bool:
            try:
                await self._local.post("provisioning", (id_, json.dumps(message).encode()))
            except (ServiceBusError, OSError, ValueError):
                return False
            return True

        await until(f"{what} to be queued", sent, ANSWER_LIMIT)
        digest = hashlib.sha256(f"{message['connection']}\n{id_}".encode()).hexdigest()[:32]
        self.asked.orders[digest] = id_
        self.asked.answers[f"{what} queued"] += 1


def ended(row: dict[str, Any]) -> bool:
    """Whether none of a connection's operations runs."""
    runs = row.get("operations", [])
    return bool(runs) and all(run["state"] in OVER for run in runs)


class Living:
    """One connection's life."""

    def __init__(self, local: Local, caller: Caller, life: Life) -> None:
        self._local, self._caller, self.life = local, caller, life

    @property
    def _path(self) -> str:
        return f"/api/connections/{self.life.name}"

    async def run(self, seconds: float) -> None:
        """Onboard, which takes its time while processes die, then act for so many seconds."""
        await self.onboard()
        await self._idle(time.monotonic() + FIRST_LIMIT)
        end = time.monotonic() + seconds
        for act in self.life.acts:
            if act.patient:
                await self._idle(end)
            await asyncio.sleep(act.pause)  # a random gap between what is asked
            if time.monotonic() > end:
                return
            await getattr(self, f"_{act.what}")()

    async def _idle(self, end: float) -> None:
        """Wait until nothing of it runs, or the time is over."""
        while time.monotonic() < end:
            row = await self._local.connection(self.life.name) or {}
            if ended(row):
                return
            await asyncio.sleep(0.2)

    async def onboard(self) -> None:
        """Ask for it, and approve where somebody must; until an earlier life has ended."""

        answer: httpx.Response | None = None

        async def taken() -> bool:
            nonlocal answer
            answer = await self._caller.call(
                "onboarding", "POST", "/api/connections", self.life.body
            )
            if answer.status_code == httpx.codes.CONFLICT:
                await self._leave_again()
            return answer.status_code != httpx.codes.CONFLICT

        try:
            await until(f"{self.life.name} to be taken", taken, ANSWER_LIMIT)
        except AssertionError as late:
            said = answer.text if answer else "nothing"
            known = await self._local.connection(self.life.name) or {}
            raise AssertionError(f"{late}: {said}; {known.get('operations')}") from late
        if self.life.risky:
            reason = {"reason": "reviewed"}
            await self._caller.call(
                "approval", "POST", f"{self._path}/approval", reason, caller="approver"
            )

    async def _leave_again(self) -> None:
        """Where an earlier life's end has stopped: clocks that jump leave it too little time."""
        row = await self._local.connection(self.life.name) or {}
        if row.get("offboarding") and not row["offboarding"]["finished"] and ended(row):
            await self._caller.call("offboarding again", "DELETE", self._path, LEAVING)

    async def _rotation(self) -> None:
        await self._caller.call("rotation", "POST", f"{self._path}/rotation", {})

    async def _emergency(self) -> None:
        await self._caller.call("emergency", "POST", f"{self._path}/rotation", EMERGENCY)

    async def _verification(self) -> None:
        await self._caller.call("verification", "POST", f"{self._path}/verification", {})

    async def _discovery(self) -> None:
        await self._caller.call("discovery", "POST", f"{self._path}/discovery", {})

    async def _same_request_again(self) -> None:
        await self._caller.call("onboarding again", "POST", "/api/connections", self.life.body)

    async def _rotation_by_queue(self) -> None:
        order = {"apiVersion": "keyturn/v1", "kind": "rotate", "connection": self.life.name}
        await self._caller.post("rotation by queue", order)

    async def _offboarding(self) -> None:
        """It leaves, and its name is taken up again."""
        answer = await self._caller.call("offboarding", "DELETE", self._path, LEAVING)
        # A repeat after a lost answer hears that it leaves, or has left, already.
        if answer.is_success or "OFFBOARD" in answer.text:
            await self.onboard()
