"""The campaign itself: it repeats, it notices, and its table in the documentation is fresh.

The bounded run and all the deliberate breakages are `make campaign`; here are samples of both.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.campaign.__main__ import BREACHED
from tests.campaign.matrix import PAGE, ROWS, page
from tests.campaign.mutations import MUTATIONS, is_caught

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.campaign", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.slow
@pytest.mark.requirement("X-03", "X-06")
def test_twenty_seeds_keep_every_promise() -> None:
    done = run("--seeds", "20", "--jobs", "1", "--bare")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.startswith("20 seeds, 40 connections")


@pytest.mark.slow
def test_a_seed_does_the_same_again() -> None:
    first, second = run("--replay", "7"), run("--replay", "7")
    assert first.stdout == second.stdout
    assert "7:" in first.stdout


@pytest.mark.slow
def test_a_replay_of_some_events_has_no_others() -> None:
    done = run("--replay", "7", "--only", "act:0:onboarding:product-0")
    assert "1 events" in done.stdout or "0 events" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", ["publish before verify", "one token proves a secret"])
def test_a_broken_ladder_is_noticed(tmp_path: Path, name: str) -> None:
    mutation = next(each for each in MUTATIONS if each.name == name)
    caught, said = is_caught(mutation, tmp_path, seeds=5)
    assert caught, said


def test_a_breakage_names_text_that_is_there_once() -> None:
    wrong = [
        (mutation.name, file)
        for mutation in MUTATIONS
        for file, there, _ in mutation.edits
        if (ROOT / file).read_text("utf-8").count(there) != 1
    ]
    assert not wrong
    assert len(MUTATIONS) >= 12
    assert BREACHED not in (0, 1)  # which other failures exit with


@pytest.mark.slow
@pytest.mark.requirement("X-03")
def test_every_crash_point_of_the_notes_recovers_and_the_page_says_so() -> None:
    assert [row.id for row in ROWS] == [f"C{number}" for number in range(1, 24)]
    assert PAGE.read_text("utf-8") == page(), "run: make generate"
