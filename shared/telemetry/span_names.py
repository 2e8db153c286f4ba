"""Every kind of span, with the attributes that it may carry."""

import msgspec

OPERATION = ("operation", "connection", "kind")


class SpanKind(msgspec.Struct, frozen=True):
    """Spans of one name, which may end in what they are about."""

    kind: str  # as OpenTelemetry has it
    about: str
    attributes: tuple[str, ...]


HTTP = ("http.request.method", "http.response.status_code", "server.address")

SPANS: dict[str, SpanKind] = {
    "call": SpanKind(
        "server",
        "A call of the API, from the caller's trace where it sends one.",
        (
            "call",
            "http.request.method",
            "http.route",
            "http.response.status_code",
            *OPERATION,
        ),
    ),
    "start": SpanKind(
        "producer", "The start of an operation; every delivery is below it.", OPERATION
    ),
    "step": SpanKind(
        "consumer",
        "One delivery of a message to a step.",
        (
            *OPERATION,
            "step",
            "attempt",
            "outcome",
            "code",
            "messaging.system",
            "messaging.destination.name",
            "messaging.message.id",
            "delivery",
        ),
    ),
    "bury": SpanKind(
        "consumer",
        "A message taken from a dead-letter queue.",
        (*OPERATION, "step", "reason", "messaging.message.id"),
    ),
    "sweep": SpanKind("internal", "One run of a timer.", ("kind", "started", "failed", "outcome")),
    "graph": SpanKind(
        "client",
        "One request to Microsoft Graph; its address without ids and queries.",
        (*HTTP, "url.template", "request_id", "retry_after", "outcome"),
    ),
    "vault": SpanKind("client", "One request to Key Vault.", (*HTTP, "entity", "outcome")),
    "storage": SpanKind(
        "client", "One request to Table or Blob storage.", (*HTTP, "entity", "outcome")
    ),
    "sign-in": SpanKind(
        "client", "One request to the token endpoint, as the product.", (*HTTP, "outcome")
    ),
    "devops": SpanKind("client", "One request to Azure DevOps.", (*HTTP, "outcome")),
    "send": SpanKind(
        "producer",
        "A message sent to a queue or topic.",
        ("messaging.system", "messaging.destination.name", "messaging.message.id", "outcome"),
    ),
}
