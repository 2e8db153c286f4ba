"""The operations of ``$management``; None as an answer means there is no content."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from emulators.servicebus.amqp.encode import LONG, STRING, TIMESTAMP
from emulators.servicebus.amqp.errors import AmqpError
from emulators.servicebus.amqp.types import Array, Timestamp
from emulators.servicebus.broker import errors
from emulators.servicebus.broker.message import parse, render
from emulators.servicebus.broker.queue import Queue
from emulators.servicebus.broker.sessions import SessionTable
from emulators.servicebus.broker.topic import Topic
from emulators.servicebus.consumer import scalars

ANY_TIME = 253_402_300_800_000
"""last-updated-time that asks for all sessions: the year 10000."""

Answer = dict[str, Any] | None


class Body:
    """Reads the fields of a request; a missing or wrong one is an argument error."""

    def __init__(self, fields: Mapping[Any, Any]) -> None:
        self._fields = fields

    def need(self, key: str, kind: type) -> Any:
        value = self._fields.get(key)
        if not isinstance(value, kind):
            raise AmqpError(
                "com.microsoft:argument-error", f"The request needs {key} ({kind.__name__})."
            )
        return value

    def many(self, key: str, kind: type) -> list[Any]:
        """Answer an array or list of values of one type."""
        values: list[Any] = self.need(key, list)
        if not values or not all(isinstance(value, kind) for value in values):
            raise AmqpError("com.microsoft:argument-error", f"{key} holds no or other values.")
        return values

    def get(self, key: str) -> Any:
        return self._fields.get(key)

    def text(self, key: str) -> str | None:
        value = self._fields.get(key)
        return value if isinstance(value, str) else None


def _renew_lock(queue: Queue, body: Body) -> Answer:
    ends = [queue.locks.renew(token) for token in body.many("lock-tokens", UUID)]
    return {"expirations": Array(TIMESTAMP, ends)}


def _peek(queue: Queue, body: Body) -> Answer:
    first, count = body.need("from-sequence-number", int), body.need("message-count", int)
    found = queue.peek(first, count, body.text("session-id"))
    return {"messages": [{"message": render(message)} for message in found]} if found else None


def _receive_deferred(queue: Queue, body: Body) -> Answer:
    numbers = body.many("sequence-numbers", int)
    lock = body.get("receiver-settle-mode") != 0
    found = queue.take_deferred(numbers, body.text("session-id"), lock=lock)
    messages: list[dict[str, Any]] = []
    for message in found:
        if message.lock is None:
            messages.append({"message": render(message)})
        else:
            payload = render(message, queue.locks.end(message))
            messages.append({"lock-token": message.lock, "message": payload})
    return {"messages": messages}


def _settle(queue: Queue, body: Body) -> Answer:
    status, tokens = body.need("disposition-status", str), body.many("lock-tokens", UUID)
    changes = scalars(body.get("properties-to-modify"))
    for token in tokens:
        queue.locks.held(token)  # all or none
    for token in dict.fromkeys(tokens):
        if status == "completed":
            queue.complete(token)
        elif status == "abandoned":
            queue.abandon(token, changes)
        elif status == "defered":  # the protocol's own spelling
            queue.defer(token, changes)
        elif status == "suspended":
            reason = body.text("deadletter-reason")
            description = body.text("deadletter-description")
            queue.dead_letter(token, reason, description, changes)
        else:
            raise AmqpError("com.microsoft:argument-error", f"{status!r} is no disposition.")
    return {}


def _sessions(queue: Queue) -> SessionTable:
    if queue.sessions is None:
        raise errors.not_allowed("The entity does not require sessions.")
    return queue.sessions


def _renew_session(queue: Queue, body: Body) -> Answer:
    return {"expiration": Timestamp(_sessions(queue).renew(body.need("session-id", str)))}


def _get_state(queue: Queue, body: Body) -> Answer:
    session = _sessions(queue).owned(body.need("session-id", str))
    return {"session-state": _sessions(queue).state(session.id)}


def _set_state(queue: Queue, body: Body) -> Answer:
    session = _sessions(queue).owned(body.need("session-id", str))
    cleared = body.get("session-state") is None
    state = None if cleared else body.need("session-state", bytes)
    _sessions(queue).set_state(session.id, state)
    return {}


def _list_sessions(queue: Queue, body: Body) -> Answer:
    skip, top = body.need("skip", int), body.need("top", int)
    sessions = _sessions(queue)
    after = body.need("last-updated-time", int)
    found = sessions.ids() if after >= ANY_TIME else sessions.ids_updated_after(after)
    page = found[skip : skip + top]
    if not page:
        return None
    return {"skip": skip + len(page), "sessions-ids": Array(STRING, list(page))}


def _schedule(entity: Queue | Topic, body: Body) -> Answer:
    messages = []
    for item in body.many("messages", dict):
        message = parse(Body(item).need("message", bytes))
        if message.scheduled is None:
            raise AmqpError(
                "com.microsoft:argument-error", "The message has no scheduled enqueue time."
            )
        entity.check(message)
        messages.append(message)
    return {"sequence-numbers": Array(LONG, [entity.send(message) for message in messages])}


def _cancel(entity: Queue | Topic, body: Body) -> Answer:
    entity.cancel(body.many("sequence-numbers", int))
    return {}


_VENDOR = errors.VENDOR
QUEUE_OPERATIONS: dict[str, Callable[[Queue, Body], Answer]] = {
    _VENDOR + "renew-lock": _renew_lock,
    _VENDOR + "peek-message": _peek,
    _VENDOR + "receive-by-sequence-number": _receive_deferred,
    _VENDOR + "update-disposition": _settle,
    _VENDOR + "renew-session-lock": _renew_session,
    _VENDOR + "get-session-state": _get_state,
    _VENDOR + "set-session-state": _set_state,
    _VENDOR + "get-message-sessions": _list_sessions,
}
TOPIC_OPERATIONS: dict[str, Callable[[Queue | Topic, Body], Answer]] = {
    _VENDOR + "schedule-message": _schedule,
    _VENDOR + "cancel-scheduled-message": _cancel,
}
