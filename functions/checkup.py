"""The timer by which each app looks at what it needs, and leaves a note of what it found.

Both apps run it, each under its own identity. The worker answers no HTTP: this is how others learn
whether it works (`GET /api/health`, `python -m deploy doctor`), and that it runs at all.
"""

import azure.functions as func
import msgspec

from shared import bootstrap
from shared.context import Context

EVERY_TEN_MINUTES = "20 */10 * * * *"


def blueprint() -> func.Blueprint:
    made = func.Blueprint()

    @made.function_name(name="checkup")
    @made.timer_trigger(arg_name="timer", schedule=EVERY_TEN_MINUTES, run_on_startup=False)
    async def handle(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host passes it
        await note(await bootstrap.context())

    return made


async def note(ctx: Context) -> None:
    """Look, and leave what was found where the other app reads it."""
    from shared.checkup import look  # indexing does without

    report = await look(ctx)
    data = {"report": msgspec.to_builtins(report)}
    await ctx.ledger.mark(f"checkup.{ctx.app or 'worker'}", report.at, data)
