"""Marks are found wherever pytest would, without a run."""

from pathlib import Path

from tests.requirements import collect, entries
from tests.requirements.report import missing, pages, unknown

MODULE = """
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.requirement("X-01")]
CASES = [pytest.param(1, marks=pytest.mark.diagnosis("PERM_KIND"))]


@pytest.mark.requirement("D-15", "X-03")
@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.diagnosis("INPUT_MISSING:x"))])
async def test_one(x):
    pass


@pytest.mark.requirement("N-01")
class TestMany:
    @pytest.mark.requirement("Z-99")
    def test_two(self):
        pass


@pytest.mark.diagnosis(CODE)
def test_three():
    pass
"""


def test_marks_of_modules_classes_tests_and_parameters(tmp_path: Path):
    folder = tmp_path / "tests"
    (folder / "unit").mkdir(parents=True)
    (folder / "unit" / "test_some.py").write_text(MODULE)
    (folder / "unit" / "helpers.py").write_text(MODULE)  # pytest does not collect it
    marks = collect(folder)
    path = "tests/unit/test_some.py"
    assert marks.found["requirement"] == {
        "X-01": [path],
        "D-15": [f"{path}::test_one"],
        "X-03": [f"{path}::test_one"],
        "N-01": [f"{path}::TestMany"],
        "Z-99": [f"{path}::TestMany::test_two"],
    }
    assert marks.found["diagnosis"] == {
        "PERM_KIND": [path],
        "INPUT_MISSING": [f"{path}::test_one"],
    }
    assert unknown(marks) == [
        f"{path}::test_three: diagnosis: write the names out as strings",
        f"{path}::TestMany::test_two: requirement Z-99",
    ]
    assert "D-15" not in missing(marks)["requirement"]
    assert "D-16" in missing(marks)["requirement"]
    requirements, diagnosis = pages(marks).values()
    assert f"| `{path}::test_one` |" in next(
        line for line in requirements.splitlines() if line.startswith("| `D-15`")
    )
    assert next(
        line for line in diagnosis.splitlines() if line.startswith("| `EMPTY_403`")
    ).endswith("| none |")


def test_the_lists_are_whole():
    groups = {"D": 40, "M": 38, "A": 17, "N": 24, "X": 21}
    names = [entry.name for entry in entries("ids.yaml")]
    assert names == [f"{group}-{n:02}" for group in groups for n in range(1, groups[group] + 1)]
    codes = entries("codes.yaml")
    assert all(len(code.texts) == 3 for code in codes)
    assert {code.texts[0] for code in codes} == {"error", "warning", "info"}
    assert len({code.name for code in codes}) == 46 + 32
