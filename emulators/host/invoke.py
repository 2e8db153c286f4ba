"""Runs one invocation: decode, call, check the return value, encode."""

import asyncio
import contextvars
import functools
import inspect
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol

import azure.functions as func
from azure.functions.meta import Datum

from emulators.host import logs
from emulators.host.context import Call, Context
from emulators.host.function import Function

log = logging.getLogger("host.invocation")


@dataclass(frozen=True)
class Outcome:
    """What came back; *value* is the encoded ``$return``."""

    ok: bool
    value: Datum | None = None
    error: str = ""


class Dispatcher(Protocol):
    """The two dispatch cores: the library's converters, and Microsoft's worker library."""

    async def invoke(self, function: Function, call: Call) -> Outcome: ...


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
