"""Timers: a schedule for each kind of work that falls due."""

from collections.abc import Iterator

import azure.functions as func

from shared import bootstrap
from shared.messages import RESUME

SWEEPS = {
    "rotate": "KEYTURN_ROTATE_SCHEDULE",
    "verify": "KEYTURN_VERIFY_SCHEDULE",
    "discover": "KEYTURN_DISCOVER_SCHEDULE",
    "import": "KEYTURN_IMPORT_SCHEDULE",
    "retire": "KEYTURN_RETIRE_SCHEDULE",
    "prestage": "KEYTURN_PRESTAGE_SCHEDULE",
    "token": "KEYTURN_TOKEN_SCHEDULE",
    RESUME: "KEYTURN_RESUME_SCHEDULE",
}
"""Kind of work and the setting that holds its schedule (NCRONTAB)."""


def blueprints() -> Iterator[func.Blueprint]:
    return (_timer(kind, setting) for kind, setting in SWEEPS.items())


def _timer(kind: str, setting: str) -> func.Blueprint:
    blueprint = func.Blueprint()

    @blueprint.function_name(name=f"{kind}_due")
    @blueprint.timer_trigger(arg_name="timer", schedule=f"%{setting}%", run_on_startup=False)
    async def handle(timer: func.TimerRequest) -> None:
        from functions.sweeps import sweep  # indexing does without
        from shared import telemetry

        ctx = await bootstrap.context()
        if timer.past_due:
            telemetry.event("sweep.late", kind=kind)
        await sweep(ctx, kind)

    return blueprint
