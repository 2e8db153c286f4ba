"""What the configuration says about entities; durations are in milliseconds."""

from collections.abc import Callable
from dataclasses import dataclass, field

from emulators.servicebus.broker.message import Message


@dataclass(frozen=True)
class QueueDefinition:
    """A queue, or the queue behind a subscription."""

    name: str
    lock_duration: int = 60_000
    max_delivery_count: int | None = 3  # None: a dead-letter queue has no limit
    time_to_live: int | None = 3_600_000
    dead_lettering_on_expiration: bool = False
    duplicate_window: int | None = None
    requires_session: bool = False
    forward_to: str = ""
    forward_dead_letters_to: str = ""


@dataclass(frozen=True)
class Rule:
    """A named condition of a subscription."""

    name: str
    matches: Callable[[Message], bool]


@dataclass(frozen=True)
class SubscriptionDefinition:
    """A subscription: its queue, and the rules of which any must match; none means all match."""

    queue: QueueDefinition
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class TopicDefinition:
    name: str
    time_to_live: int | None = 3_600_000
    duplicate_window: int | None = None
    subscriptions: tuple[SubscriptionDefinition, ...] = ()


@dataclass(frozen=True)
class NamespaceDefinition:
    queues: tuple[QueueDefinition, ...] = field(default=())
    topics: tuple[TopicDefinition, ...] = field(default=())
