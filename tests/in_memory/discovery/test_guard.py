"""Sudden losses of accounts, and what a run may take away without asking."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.model.accounts import Summary
from shared.model.scan import Losses, SourceProgress
from shared.planning.discovery_guard import Limit, limit, why_held

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def source(name: str, *, kind: str = "group", **changes: Any) -> SourceProgress:
    key = name if kind == "entity" else f"{kind}/{name}"
    parts = {"key": key, "kind": kind, "id": name, "name": name, "state": "complete", "rows": 1}
    return SourceProgress(**(parts | changes))


def run(**counts: Any) -> Summary:
    return Summary(
        operation="o",
        connection="c",
        state="succeeded",
        mode="groups",
        started=NOW,
        snapshot="c/o",
        **counts,
    )


def held(losses: Losses, before: Summary, *read: SourceProgress, same: bool = True) -> str:
    return why_held(losses, read, [before], Limit(), same=same)


@pytest.mark.parametrize(
    ("lost", "before", "asks"),
    [
        (20, 20, True),
        (11, 20, True),
        (10, 20, False),  # half, not more
        (10, 10, True),
        (9, 9, False),  # too few to alarm anybody
        (499, 1000, False),
        (501, 1000, True),
        (500, 1_000_000, False),
        (501, 1_000_000, True),  # few of many, and still more than anybody removes at once
    ],
)
def test_many_accounts_or_a_large_share_of_them(lost: int, before: int, *, asks: bool) -> None:
    why = held(Losses(accounts=lost), run(accounts=before), source("user", kind="entity"))
    assert bool(why) == asks
    assert not asks or f"{lost} of {before} accounts" in why


def test_groups_that_vanish_are_weighed_like_accounts() -> None:
    why = held(Losses(entities={"group": 30}), run(entities={"group": 40}))
    assert why == "30 of 40 of kind group would go"


def test_links_come_and_go_by_the_thousand() -> None:
    assert held(Losses(links=5000), run(links=20_000)) == ""
    assert "15000 of 20000 links" in held(Losses(links=15_000), run(links=20_000))


def test_a_group_that_loses_most_of_its_members_though_these_are_in_others_too() -> None:
    staff = {"group/Staff": 15}
    losses = Losses(accounts=0, sources=staff, before={"group/Staff": 20})
    assert held(losses, run(accounts=100), source("Staff")) == "Staff would lose 15 of 20"
    losses = Losses(accounts=0, sources=staff, before={"group/Staff": 40})
    assert held(losses, run(accounts=100), source("Staff")) == ""


def test_the_first_run_takes_nothing_away() -> None:
    running = Summary(operation="o", connection="c", state="running", mode="groups", started=NOW)
    assert why_held(Losses(), [source("Staff")], [running], Limit(), same=True) == ""


def test_a_tenant_without_users_is_doubted_however_small() -> None:
    nobody = source("user", kind="entity", rows=0)
    assert "came back empty" in held(Losses(accounts=2), run(accounts=2), nobody)
    changes = source("user", kind="entity", rows=0, full=False)
    assert held(Losses(), run(accounts=2), changes) == ""


def test_another_search_is_a_persons_word() -> None:
    losses = Losses(accounts=20, links=50, entities={"group": 20})
    before = run(accounts=20, links=50, entities={"group": 20})
    assert held(losses, before, source("Staff"), same=False) == ""
    users = source("user", kind="entity")
    assert held(losses, before, users, same=False) == "20 of 20 accounts would go"


def test_the_limits_are_the_connections() -> None:
    assert limit({}) == Limit()
    allowed = limit({"removal_limit": 20, "removal_percent": 90})
    assert not allowed.exceeded(18, 20)
    assert allowed.exceeded(19, 20)
    assert allowed.exceeded(21, 1000)
