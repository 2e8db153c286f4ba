"""The ``$management`` node of an entity: envelope of requests and responses."""

import logging
from typing import Any

from emulators.servicebus.amqp.errors import AmqpError
from emulators.servicebus.amqp.types import Symbol
from emulators.servicebus.broker.queue import Queue
from emulators.servicebus.broker.topic import Topic
from emulators.servicebus.operations import QUEUE_OPERATIONS, TOPIC_OPERATIONS, Body
from emulators.servicebus.requests import Request, Response

log = logging.getLogger(__name__)

_STATUS = {
    "com.microsoft:message-lock-lost": 410,
    "com.microsoft:session-lock-lost": 410,
    "com.microsoft:message-not-found": 404,
    "amqp:not-implemented": 501,
}


def answer(entity: Queue | Topic, request: Request) -> Response:
    """Run an operation; a refusal is a response like any other."""
    try:
        body = _run(entity, request)
    except AmqpError as error:
        log.info("management.refused: %s", error)
        status = _STATUS.get(error.condition, 400)
        return Response(
            {
                "statusCode": status,
                "statusDescription": error.description,
                "errorCondition": Symbol(error.condition),
            },
        )
    if body is None:
        return Response({"statusCode": 204, "statusDescription": "NoContent"})
    return Response({"statusCode": 200, "statusDescription": "OK"}, body)


def _run(entity: Queue | Topic, request: Request) -> dict[str, Any] | None:
    name = request.properties.get("operation")
    known = name if isinstance(name, str) else ""
    if not isinstance(request.body, dict):
        raise AmqpError("com.microsoft:argument-error", "The body must be a map.")
    body = Body(request.body)
    if isinstance(entity, Queue) and known in QUEUE_OPERATIONS:
        return QUEUE_OPERATIONS[known](entity, body)
    if known in TOPIC_OPERATIONS and (isinstance(entity, Topic) or entity.takes_senders):
        return TOPIC_OPERATIONS[known](entity, body)
    raise AmqpError("amqp:not-implemented", f"The operation {name!r} is not offered here.")
