"""Sudden losses of accounts."""

from datetime import UTC, datetime

import pytest

from shared.model.accounts import Source, Summary
from shared.planning.discovery_guard import doubted, is_doubt

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def source(accounts: int, status: str = "complete", *, id_: str = "g1", reason: str = "") -> Source:
    return Source(
        kind="group", id=id_, name="Staff", status=status, accounts=accounts, reason=reason
    )


def run(*sources: Source) -> Summary:
    return Summary(
        operation="o",
        connection="c",
        state="succeeded",
        mode="groups",
        started=NOW,
        sources=sources,
    )


@pytest.mark.parametrize(
    ("before", "after", "doubt"),
    [
        (20, 0, True),
        (20, 9, True),
        (20, 10, False),  # half, not more
        (10, 0, True),
        (9, 0, False),  # too few to alarm anybody
        (1000, 501, False),
        (1000, 499, True),
        (20, 25, False),
    ],
)
def test_a_large_loss_is_doubted(before: int, after: int, *, doubt: bool) -> None:
    (checked,) = doubted([source(after)], [run(source(before))])
    assert is_doubt(checked) == doubt
    assert (checked.status == "failed") == doubt
    assert checked.accounts == after


def test_a_source_that_was_never_read_is_believed() -> None:
    assert doubted([source(0)], [run(source(20, id_="g2"))]) == [source(0)]
    assert doubted([source(0)], []) == [source(0)]


def test_the_newest_reading_counts() -> None:
    assert doubted([source(0)], [run(source(2)), run(source(20))]) == [source(0)]


def test_a_source_that_failed_tells_nothing_of_its_size() -> None:
    failed = source(0, "failed", reason="GRAPH_REFUSED: no")
    (checked,) = doubted([source(0)], [run(failed), run(source(20))])
    assert is_doubt(checked)
    assert doubted([failed], [run(source(20))]) == [failed]


def test_what_was_doubted_once_is_believed_then() -> None:
    first = doubted([source(1)], [run(source(20))])
    assert doubted([source(1)], [run(*first), run(source(20))]) == [source(1)]
