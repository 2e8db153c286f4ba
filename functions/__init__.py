"""Everything that the host can call: HTTP, timers, one queue trigger per step, watchers."""

import importlib
import pkgutil

import azure.functions as func

from functions import dead_letters, queues, steps, timers
from functions.http_api import blueprint as http_blueprint


def load(app: func.FunctionApp) -> None:
    """Register every function; a step is found by being a module of `functions.steps`."""
    declare_steps()
    for blueprint in (
        http_blueprint(),
        *timers.blueprints(),
        *queues.blueprints(),
        *dead_letters.blueprints(),
    ):
        app.register_functions(blueprint)


def declare_steps() -> None:
    """Import every module of `functions.steps`, which fills `shared.step.STEPS`."""
    for module in pkgutil.iter_modules(steps.__path__):
        importlib.import_module(f"{steps.__name__}.{module.name}")
