"""A received message as trigger value and trigger metadata, encoded as the host encodes them."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from azure.functions.meta import Datum

from emulators.host.overlay import overlay

if TYPE_CHECKING:
    from azure.servicebus import ServiceBusReceivedMessage


def datum(value: Any) -> Datum:
    """Encode one .NET-like value (GrpcMessageConversionExtensions of the host)."""
    if isinstance(value, bytes):
        return Datum(value, "bytes")
    if isinstance(value, str):
        return Datum(value, "string")
    if isinstance(value, float):
        return Datum(value, "double")
    return Datum(json.dumps(value, default=_plain), "json")


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


def _naive(at: datetime | None) -> str | None:
    """The ``...Utc`` fields come without ``Z`` (DateTime of kind Unspecified)."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat()


def _aware(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _quoted(text: str | None) -> Datum | None:
    return None if text is None else Datum(json.dumps(text), "json")


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value.decode() if isinstance(value, bytes) else str(value)


def properties(message: "ServiceBusReceivedMessage") -> dict[str, Any]:
    """Application properties with text names and values; the SDK hands over bytes."""
    found: Mapping[Any, Any] = message.application_properties or {}
    return {
        str(_text(name)): value.decode() if isinstance(value, bytes) else value
        for name, value in found.items()
    }


def body(message: "ServiceBusReceivedMessage") -> bytes:
    """All data sections in one piece; a value section as text."""
    content = message.body
    if content is None:
        return b""
    if isinstance(content, (bytes, str)):
        return content if isinstance(content, bytes) else content.encode()
    try:
        return b"".join(content)
    except TypeError:  # a value or sequence section
        return str(message).encode()


def metadata(message: "ServiceBusReceivedMessage", *, session: bool) -> dict[str, Datum]:
    """Binding data as ServiceBusTriggerBindingStrategy makes it; null values are not sent."""
    strings = {
        "DeadLetterSource": message.dead_letter_source,
        "LockToken": message.lock_token,
        "MessageId": message.message_id,
        "ContentType": message.content_type,
        "ReplyTo": message.reply_to,
        "To": message.to,
        "Subject": message.subject,
        "Label": message.subject,
        "CorrelationId": message.correlation_id,
        "SessionId": message.session_id,
        "ReplyToSessionId": message.reply_to_session_id,
        "PartitionKey": message.partition_key,
    }
    values: dict[str, Datum | None] = {
        # The .NET client counts deliveries from 1, the Python client from 0.
        "DeliveryCount": datum((message.delivery_count or 0) + 1),
        "SequenceNumber": datum(message.sequence_number),
        "ExpiresAtUtc": _quoted(_naive(message.expires_at_utc)),
        "ExpiresAt": _quoted(_aware(message.expires_at_utc)),
        "EnqueuedTimeUtc": _quoted(_naive(message.enqueued_time_utc)),
        "EnqueuedTime": _quoted(_aware(message.enqueued_time_utc)),
        "ApplicationProperties": datum(properties(message)),
        "UserProperties": datum(properties(message)),
    }
    actions = ("MessageReceiver", "MessageActions", "ReceiveActions", "Client")
    sessions = ("MessageSession", "SessionActions") if session else ()
    values |= {name: datum({}) for name in (*actions, *sessions)}
    values |= {n: datum(t) for n, v in strings.items() if (t := _text(v)) is not None}
    return {name: value for name, value in values.items() if value is not None}


def trigger(
    content: bytes, data_type: str | None, values: Mapping[str, Datum]
) -> tuple[Datum | None, dict[str, Datum]]:
    """Trigger value and metadata; only a value handed over as text suffers the JSON overlay."""
    if data_type == "BINARY":
        return Datum(content, "bytes"), dict(values)
    text = content.decode(errors="replace")
    return Datum(text, "string"), overlay(values, text)
