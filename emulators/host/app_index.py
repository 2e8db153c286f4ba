"""Imports the app and indexes its functions, as a worker does inside its 10 second limit."""

import importlib
import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import azure.functions as func
from azure.functions.decorators.function_app import DecoratorApi, FunctionRegister

from emulators.host import rules
from emulators.host.errors import HostStartError
from emulators.host.function import TIMER, Function, RetryPolicy

ENTRY = "function_app"
LIMIT = 10.0
"""Worker initialisation limit of the Azure host (WorkerProcessCountOptions), in seconds."""


def index(folder: Path, limit: float = LIMIT) -> list[Function]:
    """Import ``function_app`` from *folder* and index it; any broken rule is a HostStartError."""
    folder = folder.resolve()
    if str(folder) not in sys.path:
        sys.path.append(str(folder))  # last, as in Azure: installed packages shadow the app
    started = time.monotonic()
    with _alarm(limit):
        module = _import(folder)
        functions = index_app(_only_app(module), str(folder))
        _refuse_unregistered(folder, _only_app(module))
    took = time.monotonic() - started
    if took > limit:
        raise HostStartError(f"indexing took {took:.1f} s, the limit of a worker is {limit:g} s")
    return functions


def index_app(app: FunctionRegister, folder: str = "") -> list[Function]:
    """Index one app object; `get_functions` can be called only once for each app."""
    try:
        found = app.get_functions()
    except ValueError as error:
        raise HostStartError(str(error)) from error
    if not found:
        raise HostStartError("No job functions found: the app has no functions")
    functions = [_function(each, folder) for each in found]
    broken = [
        text
        for function in functions
        for check in (rules.check_names, rules.check_served)
        for text in check(function.name, function.bindings)
    ]
    broken += [
        f"function {function.name}: a retry policy works on timers only, not on {function.kind}"
        for function in functions
        if function.retry is not None and function.kind != TIMER
    ]
    if broken:
        raise HostStartError("; ".join(broken))
    return functions


def _function(found: Any, folder: str) -> Function:
    name, handler = found.get_function_name(), found.get_user_function()
    bindings = tuple(json.loads(text) for text in found.get_raw_bindings())
    annotations, context = rules.check_signature(name, handler, bindings)
    return Function(
        name=name,
        handler=handler,
        bindings=bindings,
        directory=folder,
        retry=_retry(found),
        annotations=annotations,
        wants_context=context,
    )


def _retry(found: Any) -> RetryPolicy | None:
    if found.get_setting("retry_policy") is None:
        return None
    values = found.get_settings_dict("retry_policy")
    return RetryPolicy(
        strategy=str(values["strategy"]),
        max_retry_count=int(values["max_retry_count"]),
        delay=_interval(values.get("delay_interval")),
        minimum=_interval(values.get("minimum_interval")),
        maximum=_interval(values.get("maximum_interval")),
    )


def _interval(text: str | None) -> float:
    """Seconds of ``HH:MM:SS``, parsed as the worker does."""
    if not text:
        return 0.0
    at = datetime.strptime(text, "%H:%M:%S")  # noqa: DTZ007 - a duration has no zone
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second).total_seconds()


def _import(folder: Path) -> ModuleType:
    if not (folder / f"{ENTRY}.py").is_file():
        raise HostStartError(f"{ENTRY}.py is missing in {folder}")
    try:
        module = importlib.import_module(ENTRY)
    except ImportError as error:
        raise HostStartError(
            f"Cannot find module. Please check the requirements.txt file: {error}."
            f" sys.path: {' '.join(sys.path)}"
        ) from error
    except HostStartError:
        raise
    except Exception as error:
        raise HostStartError(f"importing {ENTRY} failed: {error!r}") from error
    if Path(str(module.__file__)).resolve().parent != folder:
        raise HostStartError(f"another {ENTRY} comes first on sys.path: {module.__file__}")
    return module


def _only_app(module: ModuleType) -> FunctionRegister:
    apps = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    if not apps:
        raise HostStartError("Could not find top level function app instances")
    if len(apps) > 1:
        raise HostStartError(
            f"More than one {type(apps[0]).__name__} or other top level function app"
            " instances are defined"
        )
    return apps[0]


def _refuse_unregistered(folder: Path, app: FunctionRegister) -> None:
    """A Blueprint that nobody registers is silently never indexed in Azure."""
    registered = {id(builder) for builder in app._function_builders}  # noqa: SLF001 - no public way
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file is None or folder not in Path(file).resolve().parents:
            continue
        for name, value in vars(module).items():
            if isinstance(value, func.Blueprint) and not _builders(value) <= registered:
                raise HostStartError(
                    f"Blueprint {name} of {module.__name__} is declared but never registered"
                )


def _builders(blueprint: DecoratorApi) -> set[int]:
    return {id(builder) for builder in blueprint._function_builders}  # noqa: SLF001 - no public way


@contextmanager
def _alarm(limit: float) -> Iterator[None]:
    """Interrupt an import that never ends; possible on the main thread only."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise HostStartError(f"indexing takes longer than the {limit:g} s a worker has")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
