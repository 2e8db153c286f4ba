"""Discovery at scale: rows are judged by the tenant's truth, figures and the picture follow."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bench.scale.compared import figures
from bench.scale.plot import plotted
from bench.scale.results import Result, judged
from bench.scale.rounds import Digest, Report, Round
from bench.scale.shown import table
from emulators.graph.truth import summed

pytestmark = pytest.mark.unit

TRUTH = {
    "users": {"count": 2, "digest": "aa"},
    "memberships": {"count": 1, "digest": "bb"},
    "everyone": {"ids": "all"},
    "enabled": {"ids": "some"},
}


def report(seconds: float, found: dict[str, Any] | None = None, mib: int = 100) -> Report:
    rows = {"users": 2, "groups": 1, "memberships": 1}
    one = Round(seconds, seconds / 2, rows, {"http": 3, "body_bytes": 1})
    return Report((one, one, one), mib * 2**20, 0, found or {})


def result(users: int, **reports: Report) -> Result:
    return Result(
        users=users,
        groups=1,
        reports={name.replace("_", " "): each for name, each in reports.items()},
    )


def test_the_digest_is_the_emulators() -> None:
    digest = Digest()
    digest.add(["b", "a"])
    digest.add(["c"])
    assert digest.view() == summed("abc")
    assert digest.view() != summed("abd")


@pytest.mark.parametrize(
    ("client", "mode", "found"),
    [
        ("runs", "users", {"users": TRUTH["users"]}),
        ("runs", "all", {"users": TRUTH["users"], "memberships": TRUTH["memberships"]}),
        ("backstage", "all", {"users": {"ids": "some"}}),
        ("cartography", "all", {"users": {"ids": "all"}}),
    ],
)
def test_right_rows_have_a_time(client: str, mode: str, found: dict[str, Any]) -> None:
    right = report(1, found)
    assert judged(client, mode, right, TRUTH) == right
    wrong = judged(client, mode, report(1, found | {"users": {"ids": "", "count": 1}}), TRUTH)
    assert (wrong.rounds, wrong.outcome) == ((), "wrong rows: users")


def test_memberships_count_where_they_are_asked_for() -> None:
    found = {"users": TRUTH["users"], "memberships": {"count": 0, "digest": "00"}}
    assert judged("runs", "users", report(1, found), TRUTH).rounds
    assert judged("runs", "all", report(1, found), TRUTH).outcome == "wrong rows: memberships"


def test_ratios_against_the_floor_and_the_peer() -> None:
    one = result(
        10_000,
        floor_users=report(1),
        runs_users=report(1.4),
        runs_all=report(2),
        backstage_all=report(3),
        cartography_all=report(200),
    )
    made = {figure.name: figure for figure in figures({10_000: one})}
    assert made["10000 users, mode users: whole run, s"].verdict == "met"
    assert made["10000 users with groups: ahead of Backstage, s"].ratio == 1.5
    assert made["10000 users with groups: ahead of cartography, CPU s"].ratio == 100
    assert made["peak memory at 10000 accounts, of 256 MiB"].verdict == "met"


def test_the_cost_of_changes_follows_their_number_and_not_the_tenant() -> None:
    def after(seconds: float, written: int) -> Report:
        row = {"seconds": seconds, "calls": 4, "storage_requests": 30, "bytes_written": written}
        none = {"seconds": 0.5, "calls": 4, "storage_requests": 20, "bytes_written": 0}
        many = {"seconds": 3.5, "calls": 7, "storage_requests": 130, "bytes_written": 9 * written}
        more = {"first": 9.0, "changes": {"0": none, "100": row, "1000": many}}
        return Report((Round(1, 1, {}, {}),), more=more)

    known = {
        10_000: result(10_000, changes=after(0.5, 9000)),
        100_000: result(100_000, changes=after(1, 9000)),
        1_000_000: result(1_000_000, changes=after(1.5, 27_000)),
    }
    made = {figure.name: figure for figure in figures(known)}

    def told(name: str) -> tuple[float, str]:
        return made[name].ratio, made[name].verdict

    against = "100 changes in a tenant of 1000000 against one of"
    assert told(f"{against} 100000: seconds") == (1.5, "met")
    assert told(f"{against} 100000: bytes_written") == (3, "missed")
    assert told(f"{against} 100000: calls") == (1, "met")
    assert told(f"{against} 10000: seconds") == (3, "")  # where several come with each block
    beyond = "1000000 users: 1000 changes against 100, beyond a run without"
    assert told(f"{beyond}: seconds") == (3, "met")
    assert told(f"{beyond}: storage_requests") == (11, "missed")
    assert told(f"{beyond}: bytes_written") == (9, "met")
    assert f"{beyond}: calls" not in made  # a hundred need no more than none


def test_a_client_without_a_time_is_told_in_the_table() -> None:
    one = result(10_000, backstage_all=Report(outcome="skipped: no npm"), floor_all=report(1))
    shown = table({10_000: one})
    assert "skipped: no npm" in shown
    assert not list(figures({10_000: one}))


def test_the_picture_is_well_formed(tmp_path: Path) -> None:
    known = {size: result(size, runs_users=report(size / 1e5)) for size in (10_000, 100_000)}
    path = tmp_path / "plot.svg"
    assert plotted(known, path)
    texts = [each.text for each in ET.fromstring(path.read_text()).iter() if each.text]  # noqa: S314 - our own
    assert "100,000" in texts
    assert not plotted({10_000: known[10_000]}, tmp_path / "none.svg")
    assert not (tmp_path / "none.svg").exists()
