"""The deployment package against what a remote build would install: size, and cold import.

Both are built from the same lock file in one run. *Cold* means that the system has been told to
forget the contents of the files: an instance that starts reads them from a mounted package.
"""

import asyncio
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from bench.figures import Figure, Goal, Sample
from release import archive, package
from release.package import SITE, Facts, Target

STARTS = 7
MB = 1e6
TIMED = "import time; began = time.perf_counter(); {}; print(time.perf_counter() - began)"
INDEX = "import function_app; function_app.app.get_functions()"
SDKS = (
    "msgraph", "msgraph_core", "kiota_authentication_azure", "azure.identity.aio",
    "azure.keyvault.secrets.aio", "azure.servicebus.aio", "azure.data.tables.aio",
    "azure.storage.blob.aio", "msgraph.generated.applications.applications_request_builder",
    "msgraph.generated.models.o_data_errors.o_data_error",
)  # fmt: skip
WORK = f"{INDEX}; import {', '.join(SDKS)}"
"""What happens until the first message is worked on."""


async def measure(folder: Path) -> list[Figure]:
    whole, cut = Target(folder / "whole"), Target(folder / "package")
    before = await asyncio.to_thread(package.build, whole, trim=False)
    after = await asyncio.to_thread(package.build, cut)
    compiled = folder / "compiled"
    await asyncio.to_thread(shutil.copytree, whole.app, compiled)
    await _seconds(compiled, WORK, write=True)  # as an installer compiles what it installs
    found = [*_sizes(before, after)]
    for name, program in (("until indexed", INDEX), ("until the first message", WORK)):
        found += await _starts(name, program, whole.app, compiled, cut.app)
    return found


def _sizes(before: Facts, after: Facts) -> list[Figure]:
    kinds: list[tuple[str, str, Callable[[Facts], float], float]] = [
        ("compressed", "MB", lambda facts: facts.packed / MB, 0.5),
        ("unpacked", "MB", lambda facts: facts.unpacked / MB, 0.5),
        ("files", "", lambda facts: facts.files, 0.25),
    ]
    return [
        Figure(
            name=f"package, {kind}",
            sample=Sample("trimmed, with bytecode", unit, (of(after),)),
            base=Sample("everything, as sources", unit, (of(before),)),
            goal=Goal(at_most=goal),
        )
        for kind, unit, of, goal in kinds
    ]


async def _starts(
    name: str, program: str, sources: Path, compiled: Path, cut: Path
) -> list[Figure]:
    """Fresh processes, one of each in turn, so that all meet the same machine."""
    rounds = [
        [await _cold(app, program) for app in (cut, sources, compiled)] for _ in range(STARTS)
    ]
    ours, plain, cached = (tuple(column) for column in zip(*rounds, strict=True))
    sample = Sample("package", "s", ours)
    return [
        Figure(
            name=f"cold start {name}",
            sample=sample,
            base=Sample("everything, as sources", "s", plain),
            goal=Goal(at_most=0.8),
        ),
        Figure(
            name=f"cold start {name}, both compiled",
            sample=sample,
            base=Sample("everything, compiled", "s", cached),
        ),
    ]


async def _cold(app: Path, program: str) -> float:
    await asyncio.to_thread(_forget, app)
    return await _seconds(app, program)


def _forget(app: Path) -> None:
    """Tell the system that the files' contents are not needed in memory."""
    for file in archive.files(app):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


async def _seconds(app: Path, program: str, *, write: bool = False) -> float:
    """How long an interpreter takes that has the package, and nothing else, to import from."""
    environment = {"PYTHONPATH": f"{app / SITE}{os.pathsep}{app}"}
    if not write:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # the mounted package cannot be written to
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", TIMED.format(program),
        cwd=app, env=environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"the package in {app} cannot be imported")
    return float(said)
