"""Everything that the host can call: HTTP, timers, one queue trigger per step, watchers."""

import azure.functions as func

from functions import checkup, queues, steps, timers
from functions.http_api import blueprint as http_blueprint


def load(app: func.FunctionApp) -> None:
    """Register every function; a step is found by being a module of `functions.steps`."""
    alone = (http_blueprint(), checkup.blueprint())
    for blueprint in (*alone, *timers.blueprints(), *queues.blueprints()):
        app.register_functions(blueprint)


def declare_steps() -> None:
    """Import every step, which fills `shared.step.STEPS`."""
    for queue in steps.queues():
        steps.declared(queue)
