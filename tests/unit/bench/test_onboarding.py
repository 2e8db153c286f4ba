"""The figure about onboarding, from laps and spans that are made up."""

import pytest

from bench.local_cloud import LATENCY, Lap, onboarding
from bench.spans import INVOCATION, Span


def test_the_wall_time_is_held_against_the_round_trips() -> None:
    laps = [
        Lap(wall=6.0, requests=80, start=0.0, end=6.0),
        Lap(wall=9.0, requests=80, start=10.0, end=19.0),
        Lap(wall=5.0, requests=80, start=20.0, end=25.0),
    ]
    spans = [Span(kind=INVOCATION, start=1.0, end=3.0, function="registration")]
    figure = onboarding(laps, spans)
    assert figure.ratio == pytest.approx(6.0 / (80 * LATENCY))
    assert figure.verdict == "met"
    assert figure.details["where the time of the median one goes"] == {
        "between steps": 4.0,
        "own work": 2.0,
    }
