"""Errors that end up as an AMQP error on the wire."""


class AmqpError(Exception):
    """A refusal: *condition* is an AMQP or Service Bus error condition."""

    def __init__(self, condition: str, description: str) -> None:
        super().__init__(f"{condition}: {description}")
        self.condition = condition
        self.description = description


class DecodeError(AmqpError):
    """The peer's bytes are not AMQP 1.0."""

    def __init__(self, description: str) -> None:
        super().__init__("amqp:decode-error", description)


class FramingError(AmqpError):
    """The peer's frame has an impossible size or kind."""

    def __init__(self, description: str) -> None:
        super().__init__("amqp:connection:framing-error", description)
