"""What our code adds to a cold start: import of the whole app against the library alone."""

import asyncio
import sys
from pathlib import Path

from bench.figures import Figure, Goal, Sample

PAIRS = 25
APP, LIBRARY = "function_app", "azure.functions"
PROGRAM = "import time; began = time.perf_counter(); import {}; print(time.perf_counter() - began)"
ROOT = Path(__file__).parent.parent


async def measure() -> list[Figure]:
    """Fresh processes, one of each in turn, so that both meet the same machine."""
    for module in (APP, LIBRARY):  # bytecode is written, and files are in memory
        await seconds(module)
    pairs = [(await seconds(APP), await seconds(LIBRARY)) for _ in range(PAIRS)]
    return [
        Figure(
            name="import of the app",
            sample=Sample(APP, "s", tuple(app for app, _ in pairs)),
            base=Sample(LIBRARY, "s", tuple(library for _, library in pairs)),
            goal=Goal(at_most=1.3),
        )
    ]


async def seconds(module: str) -> float:
    """How long a new interpreter takes to import a module."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM.format(module),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"importing {module} failed")
    return float(said)
