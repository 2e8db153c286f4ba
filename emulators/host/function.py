"""A function as the host sees it after indexing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

HTTP, TIMER, SERVICE_BUS = "httpTrigger", "timerTrigger", "serviceBusTrigger"


@dataclass(frozen=True)
class RetryPolicy:
    """Retry of a timer function; a limit of -1 means for ever, intervals are seconds."""

    strategy: str
    max_retry_count: int
    delay: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0


@dataclass(frozen=True)
class Function:
    """One function: its handler and its bindings, as the worker reports them to the host."""

    name: str
    handler: Callable[..., Any]
    bindings: tuple[Mapping[str, Any], ...]
    directory: str = ""
    retry: RetryPolicy | None = None
    annotations: Mapping[str, Any] = field(default_factory=dict)
    wants_context: bool = False

    @property
    def trigger(self) -> Mapping[str, Any]:
        return next(b for b in self.bindings if str(b["type"]).endswith("Trigger"))

    @property
    def kind(self) -> str:
        return str(self.trigger["type"])

    @property
    def argument(self) -> str:
        return str(self.trigger["name"])

    @property
    def returns(self) -> Mapping[str, Any] | None:
        """The ``$return`` binding, which only HTTP functions have."""
        return next((b for b in self.bindings if b["name"] == "$return"), None)
