"""Runs one invocation: decode, call, check the return value, encode."""

import asyncio
import contextvars
import functools
import inspect
import logging
import os
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import azure.functions as func
from azure.functions.meta import Datum

from emulators.host import logs
from emulators.host.function import Function

log = logging.getLogger("host.invocation")


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


@dataclass(frozen=True)
class Outcome:
    """What came back; *value* is the encoded ``$return``."""

    ok: bool
    value: Datum | None = None
    error: str = ""


class Dispatcher(Protocol):
    """The two dispatch cores: the library's converters, and Microsoft's worker library."""

    async def invoke(self, function: Function, call: Call) -> Outcome: ...


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


def _threads() -> int:
    asked = os.environ.get("PYTHON_THREADPOOL_THREAD_COUNT")
    return int(asked) if asked else min(32, (os.cpu_count() or 1) + 4)


class Converters:
    """Dispatch core on the public converters of azure-functions."""

    def __init__(self) -> None:
        self._registry = func.get_binding_registry()
        self._pool = ThreadPoolExecutor(_threads(), thread_name_prefix="function")

    async def invoke(self, function: Function, call: Call) -> Outcome:
        """Run the handler; never raises for errors of function, decoding or return rules."""
        with logs.invocation(function.name, call.id):
            try:
                return Outcome(ok=True, value=await self._run(function, call))
            except Exception as error:
                log.exception("invocation failed")
                return Outcome(ok=False, error=repr(error))

    async def _run(self, function: Function, call: Call) -> Datum | None:
        arguments = {function.argument: self._decode(function, call)}
        if function.wants_context:
            arguments["context"] = Context(function, call)
        run = functools.partial(function.handler, **arguments)
        if inspect.iscoroutinefunction(function.handler):
            result = await run()
        else:
            context = contextvars.copy_context()
            loop = asyncio.get_running_loop()
            result = await loop.run_in_executor(self._pool, context.run, run)
        return self._encode(function, result)

    def _decode(self, function: Function, call: Call) -> Any:
        wanted = function.annotations.get(function.argument)
        if wanted in (str, bytes):
            raw = call.data.value if call.data is not None else b""
            text = raw.encode() if isinstance(raw, str) else raw
            return text.decode() if wanted is str else text
        converter = self._registry.get(function.kind)
        return converter.decode(call.data, trigger_metadata=call.metadata)

    def _encode(self, function: Function, result: Any) -> Datum | None:
        binding = function.returns
        if binding is None:
            if result is not None:
                raise RuntimeError(
                    f"function {function.name!r} without a $return binding"
                    " returned a non-None value"
                )
            return None
        if not isinstance(result, (func.HttpResponse, str)):
            raise TypeError(
                'unable to encode outgoing TypedData: unsupported type "http"'
                f" for Python type {type(result).__name__}"
            )
        encoded: Datum = self._registry.get(binding["type"]).encode(result, expected_type=None)
        return encoded
