"""What must not leave with the telemetry although an error's text may quote it."""

import re

_ADDRESS = re.compile(r"[^\s@<>()\[\]{}'\"=,;:/]+@[^\s@<>()\[\]{}'\"=,;:/]+")

LONGEST = 1000
"""Characters of a text; what is longer is somebody's answer, and no sentence of ours."""


def scrubbed(text: str) -> str:
    """Without user principal names and mail addresses, and not too long."""
    kept = text[:LONGEST]
    return _ADDRESS.sub("<address>", kept) if "@" in kept else kept
