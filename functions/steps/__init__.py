"""One file per step; a module here is all it takes to have a queue and its trigger."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.step import Step

QUEUES = {"accept": "provisioning"}
"""Modules whose queue, a public contract, has another name."""


def queues() -> Iterator[str]:
    """The queue of every step, by the names of the files: none is imported."""
    for module in pkgutil.iter_modules(__path__):
        yield QUEUES.get(module.name, module.name.replace("_", "-"))


def declared(queue: str) -> "Step":
    """The step that consumes *queue*, imported when it is first needed."""
    from shared.step import STEPS  # indexing does without

    if queue not in STEPS:
        module = {name: module for module, name in QUEUES.items()}.get(queue, queue)
        importlib.import_module(f"{__name__}.{module.replace('-', '_')}")
    return STEPS[queue]
