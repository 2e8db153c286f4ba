"""The checker passes on the repository, and finds each seeded mistake in a copy of it."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.check import models
from infra.check.run import check
from tests.infra.mutation import Mutation
from tests.infra.mutations import MUTATIONS, NAME_MUTATIONS
from tests.infra.mutations_network import NETWORK_MUTATIONS
from tests.infra.mutations_repository import REPOSITORY_MUTATIONS, TELEMETRY_MUTATIONS

ROOT = Path(__file__).resolve().parents[2]
FILES = [
    ".github/workflows/ci.yml",
    ".github/workflows/deploy.yml",
    "Makefile",
    "azure.yaml",
    "deploy/__init__.py",
    "deploy/__main__.py",
    "docs/deployment.md",
    "function_app.py",
    "host.json",
    "local.settings.json.template",
    "requirements.txt",
]
FOLDERS = ["infra", "functions", "shared"]
SEEDS = [*MUTATIONS, *NETWORK_MUTATIONS, *TELEMETRY_MUTATIONS, *REPOSITORY_MUTATIONS]
SEEDED: dict[Path, str] = {}
needs_models = pytest.mark.skipif(
    bool(models.missing()), reason="needs infra/check/requirements.txt, as `make check` installs it"
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    for name in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__", "check")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def copy(whole: Path) -> Iterator[Path]:
    """The copy, which is as it was again after the test."""
    SEEDED.clear()
    yield whole
    for path, text in SEEDED.items():
        path.write_text(text, "utf-8")


def test_repository_has_no_findings():
    assert [str(finding) for finding in check(ROOT)] == []


def seed(folder: Path, mutation: Mutation) -> None:
    path = folder / mutation.file
    before = path.read_text("utf-8")
    assert mutation.old in before, "the mutation no longer fits the file"
    SEEDED[path] = before
    path.write_text(before.replace(mutation.old, mutation.new, 1), "utf-8")


@pytest.mark.parametrize("mutation", SEEDS, ids=lambda mutation: mutation.name)
def test_seeded_mistake_is_found(copy: Path, mutation: Mutation):
    seed(copy, mutation)
    found = {(finding.rule, finding.path) for finding in check(copy)}
    assert (mutation.rule, mutation.found_in or mutation.file) in found


@needs_models
@pytest.mark.parametrize("mutation", NAME_MUTATIONS, ids=lambda mutation: mutation.name)
def test_seeded_name_is_found(copy: Path, mutation: Mutation):
    seed(copy, mutation)
    found = {(finding.rule, finding.path) for finding in check(copy)}
    assert (mutation.rule, mutation.file) in found


def test_every_rule_has_a_mutation():
    """Rules whose name is computed come from one table each and are seeded by that name."""
    sources = sorted((ROOT / "infra" / "check").glob("*.py"))
    calls = [
        node
        for source in sources
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Finding"
    ]
    rules = {call.args[2].value for call in calls if isinstance(call.args[2], ast.Constant)}
    assert len(rules) > 20
    assert rules - {mutation.rule for mutation in [*SEEDS, *NAME_MUTATIONS]} == set()


@pytest.mark.parametrize("broken", [False, True])
def test_command_line(copy: Path, *, broken: bool):
    if broken:
        seed(copy, MUTATIONS[2])
    command = [sys.executable, "-m", "infra.check", str(copy)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    line = "infra/main.bicep:" if broken else ""
    assert (done.returncode, done.stdout.startswith(line)) == (int(broken), True), done.stderr
    assert bool(done.stdout) is broken


def test_nothing_to_check_is_a_finding(tmp_path: Path):
    assert [finding.message for finding in check(tmp_path)] == ["there is no Bicep file"]
