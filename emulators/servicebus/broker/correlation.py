"""Correlation filters: every given field must be equal."""

from collections.abc import Callable, Mapping
from typing import Any

from emulators.servicebus.broker.message import Message, facts

FIELDS = {
    "MessageId": 0,
    "To": 2,
    "Label": 3,
    "Subject": 3,
    "ReplyTo": 4,
    "CorrelationId": 5,
    "ContentType": 6,
    "SessionId": 10,
    "ReplyToSessionId": 12,
}
"""Field of the filter -> position in the properties section."""


def correlation_filter(
    fields: Mapping[str, str], application: Mapping[str, Any]
) -> Callable[[Message], bool]:
    """Answer the condition; *application* is matched against the application properties."""

    def matches(message: Message) -> bool:
        properties, found = facts(message)
        return all(properties[FIELDS[name]] == value for name, value in fields.items()) and all(
            name in found and found[name] == value for name, value in application.items()
        )

    return matches
