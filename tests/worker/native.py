"""Microsoft's own worker library as index and dispatch core; one app per process.

The package is imported lazily: it is installed by a separate step (its metadata asks for Python
3.13, though it works on 3.11). Its entry is private, so the version is pinned.
"""

import asyncio
import json
import os
import subprocess
import sys
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulators.host import __main__ as host
from emulators.host import logs
from emulators.host.context import Call
from emulators.host.errors import HostStartError
from emulators.host.function import Function
from emulators.host.invoke import Outcome

ROOT = Path(__file__).resolve().parents[2]


class Bag:
    """A stand-in for a generated protobuf class: any attributes."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class BindingInfo(Bag):
    """Directions and data types of a binding, as in the protobuf of the worker."""

    undefined, out, inout = 0, 1, 2


setattr(BindingInfo, "in", 0)  # "in" is a keyword


def load(folder: Path) -> list[Any]:
    """Index *folder* exactly as the worker does; raises the errors of production."""
    from azure_functions_runtime import handle_event
    from azure_functions_runtime.bindings.meta import load_binding_registry
    from azure_functions_runtime.utils import threadpool

    sys.path.append(str(folder))
    os.environ.setdefault("AzureWebJobsScriptRoot", str(folder))
    handle_event.protos = types.SimpleNamespace(
        BindingInfo=BindingInfo,
        RpcFunctionMetadata=type("RpcFunctionMetadata", (Bag,), {}),
        RpcRetryOptions=type("RpcRetryOptions", (Bag,), {}),
    )
    load_binding_registry()
    threadpool.start_threadpool_executor()
    handle_event.load_function_metadata(str(folder), "ci")
    found = handle_event._metadata_result or []  # noqa: SLF001 - there is no public entry
    if found:
        file = Path(sys.modules["function_app"].__file__ or "").resolve()
        assert file.parent == folder.resolve(), f"another function_app was indexed: {file}"
    return list(found)


@dataclass(frozen=True)
class Indexed:
    """What the worker tells the host of one function."""

    name: str
    bindings: Sequence[Mapping[str, Any]]

    @property
    def trigger(self) -> Mapping[str, Any]:
        return next(b for b in self.bindings if b["type"].endswith("Trigger"))

    @property
    def data_type(self) -> str | None:
        return self.trigger.get("dataType")


class IndexingError(Exception):
    """The worker refuses the app; the text is its own."""


def index(folder: Path, timeout: float = 60.0) -> dict[str, Indexed]:
    """Index *folder* in a subprocess: the library keeps the app in module globals."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.worker.native", "index", str(folder)],
        cwd=folder,  # first on sys.path, or the bundle at the repository's root would be found
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    return read_index(done)


def read_index(done: subprocess.CompletedProcess[str]) -> dict[str, Indexed]:
    """What ``index DIR`` printed; raises `IndexingError` with the worker's words."""
    if done.returncode:
        raise IndexingError(done.stderr.strip())
    entries = json.loads(done.stdout.splitlines()[-1])
    return {name: Indexed(name, bindings) for name, bindings in entries.items()}


class Native:
    """Dispatch core on the library's protobuf-free entry."""

    ids: dict[str, str] = {}  # noqa: RUF012 - filled by index_for_host, one app per process

    async def invoke(self, function: Function, call: Call) -> Outcome:
        from azure_functions_runtime import native_invocation

        with logs.invocation(function.name, call.id):
            ok, value, _outputs, error, _trace = await native_invocation.invocation_request_native(
                call.id,
                self.ids[function.name],
                [(function.argument, _datum(call.data))],
                {name: _datum(value) for name, value in call.metadata.items()},
                trace_parent=call.trace_parent,
                trace_state=call.trace_state,
                retry_count=call.retry_count,
                max_retry_count=call.max_retry_count,
            )
        return Outcome(ok=ok, value=value, error=error or "")


def _datum(value: Any) -> Any:
    """The same value in the library's own class."""
    from azure_functions_runtime.bindings.datumdef import Datum

    if value is None:
        return None
    inner = value.value
    if isinstance(inner, dict):
        inner = {
            name: {k: _datum(v) for k, v in each.items()}
            if isinstance(each, dict)
            else _datum(each)
            for name, each in inner.items()
        }
    return Datum(inner, value.type)


def index_for_host(folder: Path) -> list[Function]:
    """An index for our host, made by the library."""
    try:
        found = load(folder)
    except Exception as error:
        raise HostStartError(str(error)) from error
    Native.ids = {entry.name: entry.function_id for entry in found}
    return [
        Function(
            name=entry.name,
            handler=lambda: None,
            bindings=tuple(json.loads(text) for text in entry.raw_bindings),
            directory=str(folder),
        )
        for entry in found
    ]


def main(arguments: list[str]) -> int:
    """``index DIR`` prints the index as JSON; anything else runs our host on this core."""
    if arguments[:1] == ["index"]:
        asyncio.set_event_loop(asyncio.new_event_loop())
        found = load(Path(arguments[1]))
        entries = {f.name: [json.loads(text) for text in f.raw_bindings] for f in found}
        print(json.dumps(entries))  # noqa: T201 - read by index()
        return 0
    return host.main(arguments, index_for_host, Native)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
