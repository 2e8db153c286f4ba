"""One call of a function, and the ``context`` argument it gets."""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func
from azure.functions.meta import Datum

from emulators.host.function import Function


@dataclass(frozen=True)
class Call:
    """What the host sends a worker for one invocation."""

    data: Datum | None
    metadata: Mapping[str, Datum] = field(default_factory=dict)
    trace_parent: str = ""
    trace_state: str = ""
    retry_count: int = 0
    max_retry_count: int = 0
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


class Trace(func._abc.TraceContext):  # noqa: SLF001 - the abstract classes have no public name
    """W3C trace context of an invocation."""

    def __init__(self, parent: str, state: str) -> None:
        self._parent, self._state = parent, state

    @property
    def trace_parent(self) -> str:
        return self._parent

    @property
    def trace_state(self) -> str:
        return self._state

    @property
    def attributes(self) -> dict[str, str]:
        return {}


class Retry(func._abc.RetryContext):  # noqa: SLF001 - the abstract classes have no public name
    """Where an invocation stands in its retry policy."""

    def __init__(self, count: int, limit: int) -> None:
        self._count, self._limit = count, limit

    @property
    def retry_count(self) -> int:
        return self._count

    @property
    def max_retry_count(self) -> int:
        return self._limit

    @property
    def exception(self) -> Any:  # the host hands over none for a Python function
        return None


class Context(func.Context):
    """The ``context`` argument."""

    local = threading.local()

    def __init__(self, function: Function, call: Call) -> None:
        self._function, self._call = function, call

    @property
    def invocation_id(self) -> str:
        return self._call.id

    @property
    def thread_local_storage(self) -> Any:  # declared as a class, meant as an object
        return self.local

    @property
    def function_name(self) -> str:
        return self._function.name

    @property
    def function_directory(self) -> str:
        return self._function.directory

    @property
    def trace_context(self) -> Trace:
        return Trace(self._call.trace_parent, self._call.trace_state)

    @property
    def retry_context(self) -> Retry:
        return Retry(self._call.retry_count, self._call.max_retry_count)
