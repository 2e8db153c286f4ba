"""The arithmetic and the table of the measurements; nothing is measured here."""

import pytest

from bench.figures import Figure, Goal, Sample, notes, number, table

RATIO = Figure(
    name="import of the app",
    sample=Sample("app", "s", (3.0, 1.0, 2.0)),
    base=Sample("library", "s", (1.0, 9.0, 1.6)),
    goal=Goal(at_most=1.3),
)


def test_a_ratio_is_that_of_the_medians() -> None:
    assert RATIO.ratio == 2.0 / 1.6


def test_even_samples_have_a_median_between_two_figures() -> None:
    assert Sample("x", "s", (4.0, 1.0, 2.0, 3.0)).median == 2.5


@pytest.mark.parametrize(
    ("goal", "ratio", "met"),
    [
        (Goal(at_most=1.3), 1.3, True),
        (Goal(at_most=1.3), 1.31, False),
        (Goal(at_least=0.5), 0.5, True),
        (Goal(at_least=0.5), 0.49, False),
        (Goal(at_least=0.5, at_most=2), 3, False),
    ],
)
def test_goals_include_their_bounds(goal: Goal, ratio: float, met: bool) -> None:  # noqa: FBT001 - a case
    assert goal.met(ratio) is met


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.02567, "0.0257"), (1.2571, "1.26"), (12.34, "12.3"), (9426.4, "9426")],
)
def test_numbers_have_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_the_document_keeps_raw_figures_goal_and_verdict() -> None:
    document = RATIO.document()
    assert document["ratio"] == 1.25
    assert (document["goal"], document["met"]) == ("<= 1.30", True)
    assert document["sample"] == {"what": "app", "unit": "s", "median": 2.0, "raw": [3.0, 1.0, 2.0]}


def test_the_table_aligns_its_columns() -> None:
    missed = Figure(
        name="x", sample=RATIO.sample, base=RATIO.base, goal=Goal(at_least=2), details={}
    )
    free = Figure(name="y", sample=RATIO.sample, base=RATIO.base)
    heading, first, second, third = table([RATIO, missed, free]).splitlines()
    assert first.split()[:8] == ["import", "of", "the", "app", "1.25", "<=", "1.30", "met"]
    assert "missed" in second
    assert free.verdict == ""
    column = heading.index("ratio")
    assert {line[column : column + 4] for line in (first, second, third)} == {"1.25"}
    assert first.endswith("app: 2.00 s (n=3)  library: 1.60 s (n=3)")


def test_notes_show_nested_details_below_the_name() -> None:
    figure = Figure(
        name="onboarding",
        sample=RATIO.sample,
        base=RATIO.base,
        details={"requests": [93], "steps": {"consent": {"graph": 0.3, "vault": 0.1}}},
    )
    assert notes([RATIO, figure]).splitlines() == [
        "",
        "onboarding",
        "  requests: [93]",
        "  steps:",
        "    consent: graph 0.3, vault 0.1",
    ]
