"""The refusals of Service Bus, as AMQP errors."""

from emulators.servicebus.amqp.errors import AmqpError

VENDOR = "com.microsoft:"


def message_lock_lost() -> AmqpError:
    return AmqpError(
        VENDOR + "message-lock-lost",
        "The lock supplied is invalid. Either the lock expired, or the message has already been "
        "removed from the queue.",
    )


def session_lock_lost() -> AmqpError:
    return AmqpError(
        VENDOR + "session-lock-lost",
        "The session lock was lost. Request a new session receiver.",
    )


def session_cannot_be_locked(session_id: str) -> AmqpError:
    return AmqpError(
        VENDOR + "session-cannot-be-locked",
        f"The requested session '{session_id}' cannot be accepted. "
        "It may be locked by another receiver.",
    )


def message_not_found(sequence: int) -> AmqpError:
    return AmqpError(
        VENDOR + "message-not-found",
        f"Failed to lock or cancel the message with sequence number {sequence}.",
    )


def entity_not_found(path: str) -> AmqpError:
    return AmqpError("amqp:not-found", f"The messaging entity '{path}' could not be found.")


def not_allowed(description: str) -> AmqpError:
    return AmqpError("amqp:not-allowed", description)


def timed_out() -> AmqpError:
    return AmqpError(VENDOR + "timeout", "No session became available in time.")
