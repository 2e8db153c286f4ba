"""A dependency whose licence is unknown or not allowed fails the check."""

from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from release import licences
from release.__main__ import main
from release.licences import Policy

POLICY = Policy(frozenset({"MIT", "Apache-2.0", "BSD-3-Clause"}), {"MIT License": "MIT"}, {})


def distribution(folder: Path, *lines: str) -> Distribution:
    place = folder / "thing-1.dist-info"
    place.mkdir()
    (place / "METADATA").write_text("\n".join(("Metadata-Version: 2.4", "Name: Thing",
                                               "Version: 1", *lines, "")))  # fmt: skip
    return PathDistribution(place)


OSI = "Classifier: License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("lines", "expression", "allowed"),
    [
        (("License-Expression: MIT",), "MIT", True),
        (("License-Expression: mit",), "MIT", True),
        (("License-Expression: MIT OR GPL-3.0-only",), "MIT OR GPL-3.0-only", True),
        (("License-Expression: MIT AND GPL-3.0-only",), "MIT AND GPL-3.0-only", False),
        (("License-Expression: GPL-3.0-only",), "GPL-3.0-only", False),
        (("License-Expression: (MIT OR GPL-3.0-only) AND Apache-2.0",), None, True),
        (("License: MIT License",), "MIT", True),
        (("License: MIT", f"{OSI}Mystery License"), "MIT", True),
        (("License: All rights reserved", f"{OSI}MIT License"), "MIT", True),
        ((f"{OSI}MIT License", f"{OSI}Mystery License"), "", False),
        (("License: Copyright me\n        Do what you want",), "", False),
        (("License: Mystery",), "", False),
        ((), "", False),
        (("License-Expression: Apache-2.0 WITH LLVM-exception",), None, False),
    ],
)
def test_what_a_distribution_says_decides(
    tmp_path: Path, lines: tuple[str, ...], expression: str | None, *, allowed: bool
) -> None:
    found = licences.licence(distribution(tmp_path, *lines), POLICY)
    assert found.allowed is allowed
    assert expression is None or found.expression == expression


def test_a_package_that_says_nothing_is_decided_by_hand(tmp_path: Path) -> None:
    policy = Policy(POLICY.allowed, {}, {"thing": "BSD-3-Clause"})
    assert licences.licence(distribution(tmp_path), policy).allowed


def test_the_policy_names_licences_that_exist() -> None:
    policy = Policy.read()
    words = {*policy.allowed, *policy.words.values(), *policy.packages.values()}
    assert licences.SPDX.unknown_license_keys(" AND ".join(sorted(words))) == []


def test_the_command_writes_the_report_and_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["licences", "--report", str(tmp_path / "build" / "licences.md")]) == 0
    report = (tmp_path / "build" / "licences.md").read_text()
    assert "| msgraph-sdk | " in report and "| package |" in report and "| development |" in report
    assert "0 not allowed" in capsys.readouterr().out


def test_the_command_fails_for_what_is_not_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    less = Policy(frozenset({"Apache-2.0"}), {}, {})
    monkeypatch.setattr(Policy, "read", lambda: less)
    assert main(["licences", "--report", str(tmp_path / "licences.md")]) == 1
    assert "msgraph-sdk" in capsys.readouterr().err
    assert "not allowed" in (tmp_path / "licences.md").read_text()
