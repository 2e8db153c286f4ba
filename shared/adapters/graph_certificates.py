"""Certificates of applications in the directory.

Graph has no call that adds one without a proof by another that is there already, so all of them
are written at once. What is written is what was read, to the letter, and one more or one less:
an entry that is left out is gone, an entry that differs is refused.

Source: Graph v1.0 "keyCredential resource type", "Add a certificate to an app using Microsoft
Graph", "application: addKey" (which an application without a certificate cannot use).
"""

import asyncio
import base64
import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec

from shared.adapters.certificates import make
from shared.adapters.graph_client import Graph
from shared.adapters.graph_query import query
from shared.adapters.graph_rows import HINT, IdRow, Row
from shared.adapters.settled import READS, SPACING
from shared.errors import NeedsHuman, StepError, TryLater
from shared.model.credential import NewSecret
from shared.model.shape import Shape
from shared.ports import Clock

Entry = dict[str, Any]
"""One certificate exactly as Graph wrote it."""

UNCLEAR = {"GRAPH_UNAVAILABLE", "GRAPH_UNREACHABLE", "GRAPH_UNREADABLE"}
"""Codes after which a write may have been done, or not."""
READ_BACK = 3
CHANGED = "Update to existing credential with KeyId"


class WholeRow(Row, frozen=True):
    """An application of which every certificate was read; an answer without them is none."""

    id: str
    key_credentials: list[Entry]


class GraphCertificates:
    """Adds and removes one certificate, and keeps all others as they are."""

    def __init__(self, graph: Graph, clock: Clock, pace: float) -> None:
        self._graph = graph
        self._clock = clock
        self._spacing = SPACING * pace

    async def add(
        self, object_id: str, name: str, ends: datetime, *, shape: Shape, subject: str
    ) -> NewSecret:
        """Make a key pair and register its certificate; the key never leaves this process.

        Raises `TryLater` ANSWER_LOST when it may have been registered all the same.
        """
        starts, ends = (moment.replace(microsecond=0) for moment in (self._clock.now(), ends))
        if ends <= starts:
            raise NeedsHuman(
                "DURATION_INVALID",
                f"A certificate that ends on {ends:%Y-%m-%d %H:%M} would have expired already.",
                "Ask for a longer secret_lifetime.",
            )
        made = await asyncio.to_thread(make, subject, starts, ends, shape)
        entry = {
            "keyId": str(uuid.uuid4()),
            "displayName": name,
            "type": "AsymmetricX509Cert",
            "usage": "Verify",
            "startDateTime": _time(starts),
            "endDateTime": _time(ends),
            "key": base64.b64encode(made.public).decode(),
        }
        there = await self._agreed(object_id)
        await self._replace(
            object_id, there, [*there, entry], f"adding a certificate to {object_id}"
        )
        return NewSecret(
            key_id=str(entry["keyId"]),
            ends=ends,
            hint=made.thumbprint[:HINT],
            value=made.value,
            shape=shape,
            thumbprint=made.thumbprint,
        )

    async def remove(self, object_id: str, key_id: str) -> bool:
        """Remove by id; False when no certificate has it."""
        if all(_id(entry) != key_id.lower() for entry in await self._read(object_id) or ()):
            return False
        there = await self._agreed(object_id)
        left = [entry for entry in there if _id(entry) != key_id.lower()]
        if left != there:
            doing = f"removing certificate {key_id} from {object_id}"
            await self._replace(object_id, there, left, doing)
        return True

    async def _replace(
        self, object_id: str, there: list[Entry], wanted: list[Entry], doing: str
    ) -> None:
        """Write once, and read back: nobody else's may be missing.

        After an unclear outcome the list tells what became of it.
        """
        from msgraph.generated.models.application import Application

        builder = self._graph.client.applications.by_application_id(object_id)
        info = builder.to_patch_request_information(Application())
        info.content = msgspec.json.encode({"keyCredentials": wanted})
        unclear: TryLater | None = None
        try:
            await self._graph.post(info, IdRow, doing=doing)
        except StepError as error:
            if CHANGED in error.message:
                raise _unsettled(object_id) from error
            if not isinstance(error, TryLater) or error.code not in UNCLEAR:
                raise
            unclear = error
        now = await self._after(object_id, there, wanted)
        if now is not None:
            _require_others(there, wanted, now)
        elif unclear is not None:
            raise TryLater("ANSWER_LOST", unclear.message, after=unclear.after) from unclear

    async def _after(
        self, object_id: str, there: list[Entry], wanted: list[Entry]
    ) -> set[str] | None:
        """Key ids once the write can be seen; None while it cannot, as replicas lag behind."""
        before, after = set(map(_id, there)), set(map(_id, wanted))
        for _ in range(READ_BACK):
            listed = set(map(_id, await self._read(object_id) or ()))
            if after - before <= listed and not (before - after) & listed:
                return listed
            await asyncio.sleep(self._spacing)
        return None

    async def _agreed(self, object_id: str) -> list[Entry]:
        """All of them, once several reads in a row have said the same.

        From a replica that lags behind, what was just added would be lost, and what was just
        removed would come back.
        """
        found = await self._read(object_id)
        for _ in range(READS - 1):
            if found is None:
                break
            await asyncio.sleep(self._spacing)
            again = await self._read(object_id)
            if again is not None and _by_id(again) != _by_id(found):
                raise _unsettled(object_id)
            found = again
        if found is None:
            raise TryLater("APP_REPLICATION", f"The application {object_id} is not visible.")
        return found

    async def _read(self, object_id: str) -> list[Entry] | None:
        builder = self._graph.client.applications.by_application_id(object_id)
        # Only with $select does Graph answer the public keys, and only of one application.
        info = builder.to_get_request_information(query(builder, select=["id", "keyCredentials"]))
        row = await self._graph.get(
            info, WholeRow, doing=f"reading the certificates of {object_id}"
        )
        return None if row is None else row.key_credentials


def _require_others(there: list[Entry], wanted: list[Entry], now: set[str]) -> None:
    lost = [entry for entry in there if entry in wanted and _id(entry) not in now]
    if lost:
        told = ", ".join(
            f"{_id(entry)} ({entry.get('displayName') or 'no name'})" for entry in lost
        )
        raise NeedsHuman(
            "FOREIGN_CERTIFICATE_GONE",
            f"Certificates vanished from the application while Keyturn wrote its own: {told}.",
            "Ask their owners. If nobody has removed them, add them again under Certificates & "
            "secrets; then send the same request again.",
        )


def _unsettled(object_id: str) -> TryLater:
    return TryLater(
        "CERTIFICATES_UNSETTLED",
        f"The certificates of {object_id} change, or are not the same everywhere yet.",
        after=timedelta(seconds=10),
        limit=timedelta(minutes=15),
    )


def _id(entry: Entry) -> str:
    return str(entry.get("keyId") or "").lower()


def _by_id(entries: list[Entry]) -> dict[str, Entry]:
    return {_id(entry): entry for entry in entries}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
