"""Every kind of mistake that the linter knows, one at a time; what is built in has none."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.model.profile import Profile
from shared.profile import FOLDER, catalogue, parse
from shared.profile.__main__ import main
from shared.profile.lint import lint, lint_file

SAMPLE = """
schema: connector-profile/v1
id: sample
title: Sample
sources: [a vendor's guide]
features:
  reading: {default: true, about: reads}
inputs:
  lifetime: {type: duration, default: P180D, max: P730D}
registration: {display_name: "Sample ${connection}"}
permissions:
  - {kind: application, when: [reading], names: [User.Read.All]}
credential: {lifetime: "${inputs.lifetime}"}
outputs:
  - {name: client_id, label: Id, value: "${app.client_id}"}
  - {name: client_secret, label: Secret, value: "${secret.value}", secret: true}
"""
MISTAKES = yaml.safe_load(Path(__file__).with_name("mistakes.yaml").read_text("utf-8"))


def with_keys(more: Mapping[str, Any]) -> Profile:
    return parse(yaml.safe_dump({**yaml.safe_load(SAMPLE), **more}, sort_keys=False))


def test_the_sample_itself_is_right():
    assert lint(parse(SAMPLE)) == []


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_found(mistake):
    found = [finding.shown("sample.yaml") for finding in lint(with_keys(mistake["keys"]))]
    assert any(line.startswith(f"sample.yaml: {mistake['finding']}") for line in found), found


def test_outputs_that_never_stand_together_may_share_a_name():
    more = """
outputs:
  - {name: a, value: "${app.client_id}", vault_name: same, when: [reading]}
  - {name: b, value: "${app.object_id}", vault_name: Same, when: ["!reading"]}
"""
    assert lint(with_keys(yaml.safe_load(more))) == []


@pytest.mark.parametrize("name", catalogue())
def test_built_in_profiles_have_no_error(name):
    assert [found for found in lint_file(FOLDER / f"{name}.yaml") if found.level == "error"] == []


def test_a_file_that_cannot_be_read_is_one_finding(tmp_path: Path):
    file = tmp_path / "sample.yaml"
    assert [finding.code for finding in lint_file(file)] == ["PROFILE_INVALID"]
    file.write_text(SAMPLE + "colour: red\n")
    message = "f: PROFILE_INVALID: Object contains unknown field `colour`"
    assert [finding.shown("f") for finding in lint_file(file)] == [message]


def test_a_file_is_called_after_its_profile(tmp_path: Path):
    file = tmp_path / "other.yaml"
    file.write_text(SAMPLE)
    assert [(found.code, found.path) for found in lint_file(file)] == [("PROFILE_INVALID", "id")]


def test_the_command_fails_for_errors_and_prints_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    good, bad = tmp_path / "sample.yaml", tmp_path / "bad.yaml"
    good.write_text(SAMPLE)
    bad.write_text(SAMPLE.replace("id: sample", "id: bad").replace("User.Read.", "Users.Read."))
    assert main(["lint", str(good)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["lint", str(good), str(bad)]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{bad}: permissions[0].names[0]: PERM_UNKNOWN: no application ")
    assert line.endswith("; did you mean User.Read.All?")
    assert main(["lint"]) == 2
    assert main(["mend", str(good)]) == 2
    assert "lint FILE..." in capsys.readouterr().err


@pytest.mark.slow
def test_functions_never_read_the_list_of_names():
    code = (
        "import sys, function_app; from shared.profile import catalogue;"
        "[catalogue()[name] for name in catalogue()];"
        "print([m for m in sys.modules if m.startswith('shared.profile.lint')])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert run.stdout.strip() == "[]"
