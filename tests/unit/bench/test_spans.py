"""Where time goes: shares of one onboarding sum up to its wall time."""

import pytest

from bench.spans import BETWEEN, INVOCATION, OWN, Span, by_step, hops, shares


def span(kind: str, start: float, end: float, function: str = "consent") -> Span:
    return Span(kind=kind, start=start, end=end, function=function)


SPANS = [
    span(INVOCATION, 1, 7),
    span("graph", 2, 4),
    span("graph", 3, 5),
    span("storage", 4, 6),
    span("queue", 6, 6.5),
    span(INVOCATION, 8, 9, "roles"),
]


def test_shares_sum_up_and_count_overlaps_once() -> None:
    found = shares(SPANS, 0, 10)
    assert found == {BETWEEN: 3, OWN: 2.5, "graph": 3, "storage": 1, "queue": 0.5}
    assert sum(found.values()) == 10


def test_shares_are_cut_at_both_ends() -> None:
    assert shares(SPANS, 3, 4.5) == {"graph": 1.5}


def test_nothing_at_all_is_time_between_steps() -> None:
    assert shares([], 0, 2) == {BETWEEN: 2}


def test_a_hop_lasts_from_the_send_to_the_next_invocation() -> None:
    assert hops(SPANS, ("consent", "roles", "credentials")) == {"roles": pytest.approx(1.5)}


def test_a_repeated_step_counts_its_first_invocation_and_the_last_send_before() -> None:
    again = [span("queue", 5, 7.5), span(INVOCATION, 20, 21, "roles"), span("queue", 9, 10)]
    assert hops([*SPANS, *again], ("consent", "roles")) == {"roles": pytest.approx(0.5)}


def test_steps_are_told_apart() -> None:
    other = span("vault", 1, 7, "roles")
    assert by_step([*SPANS, other], 0, 10) == {
        "consent": {OWN: 1.5, "graph": 3, "storage": 1, "queue": 0.5},
        "roles": {OWN: 1},
    }


def test_invocations_of_one_step_are_summed_up() -> None:
    twice = [span(INVOCATION, 0, 1), span(INVOCATION, 2, 4), span("token", 3, 4)]
    assert by_step(twice, 0, 10) == {"consent": {OWN: 2, "token": 1}}
