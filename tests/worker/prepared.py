"""Runs commands in forks of one process that has imported everything heavy before.

Each command still has a process of its own, as the worker keeps its one app in module globals;
only the second of imports is paid once instead of with every command.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.emulators.host.process import environment

HEAVY = (
    "tests.worker.native",
    "azure_functions_runtime.handle_event",
    "azure_functions_runtime.bindings.meta",
    "azure_functions_runtime.utils.threadpool",
)


class Prepared:
    """A warm process that forks for each command."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self, module: str, arguments: Sequence[str], folder: Path
    ) -> subprocess.CompletedProcess[str]:
        """``python -m module arguments`` with *folder* as the current one."""
        wanted = {"module": module, "arguments": list(arguments), "folder": str(folder)}
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return subprocess.CompletedProcess([module, *arguments], **answer)


@contextmanager
def prepared() -> Iterator[Prepared]:
    with (
        tempfile.TemporaryDirectory() as empty,  # nothing to be imported from the current folder
        subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment({}),
            cwd=empty,
            text=True,
        ) as process,
    ):
        yield Prepared(process)
        assert process.stdin is not None
        process.stdin.close()


def serve() -> None:
    """Answer commands from standard input, one JSON line each."""
    for name in HEAVY:
        with suppress(ImportError):  # the worker library may be absent; its tests skip then
            importlib.import_module(name)
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_fork(json.loads(line))) + "\n")
        sys.stdout.flush()


def _fork(wanted: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            _become(wanted)
        _, status = os.waitpid(child, 0)
        texts = [(file.seek(0), file.read().decode())[1] for file in (out, err)]
    code = os.waitstatus_to_exitcode(status)
    return {"returncode": code, "stdout": texts[0], "stderr": texts[1]}


def _become(wanted: dict[str, Any]) -> None:
    """Run the command and end; nothing of the server's loop may go on in the child."""
    import traceback

    code = 1
    try:
        os.chdir(wanted["folder"])
        sys.path.insert(0, wanted["folder"])
        code = importlib.import_module(wanted["module"]).main(wanted["arguments"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - whatever it is, it belongs into the answer
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
