"""The hand-over sheet: what a person, or the product itself, takes over."""

from shared.handover.forms import environment, offered, settings_file
from shared.handover.markdown import markdown
from shared.handover.model import (
    Line,
    OpenPrecondition,
    Remark,
    Sheet,
    StepForPerson,
    SwapLine,
    VaultReference,
)
from shared.handover.sheet import sheet

__all__ = [
    "Line",
    "OpenPrecondition",
    "Remark",
    "Sheet",
    "StepForPerson",
    "SwapLine",
    "VaultReference",
    "environment",
    "markdown",
    "offered",
    "settings_file",
    "sheet",
]
