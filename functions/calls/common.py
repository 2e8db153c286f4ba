"""What many calls have in common."""

from typing import Any

PAGING: dict[str, dict[str, Any]] = {
    "limit": {"type": "integer", "minimum": 1},
    "after": {"type": "string"},
}

BODY_FAULTS = (400, 413, 415, 422)
"""Of calls that take a body."""
