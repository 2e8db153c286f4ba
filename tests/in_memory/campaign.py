"""How much of a campaign is run: all of it by ``make soak``, every third case otherwise."""

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

STRIDE = 1 if os.environ.get("KEYTURN_SOAK") else 3


def chosen(cases: Sequence[T], *, after_effect: bool) -> Sequence[T]:
    """Other cases before an effect than after it: of two neighbours mostly one is tried."""
    return cases[int(after_effect) % STRIDE :: STRIDE]
