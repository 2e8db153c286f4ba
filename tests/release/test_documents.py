"""What the documents name is there: proofs, commands, calls, files."""

import ast
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from functions.calls import CALLS
from functions.http.openapi import document
from release.locks import ROOT

DOCS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
THREATS = ROOT / "docs" / "threat-model.md"
PROOF = re.compile(r"`((?:tests|infra|\.github|azure\.yaml)[\w./-]*)(::\w+|: [^`]+)?`")


@cache
def defined(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def wrong(text: str) -> list[str]:
    """Proofs of a text that are not where it says."""
    return [file + rest for file, rest in PROOF.findall(text) if not holds(ROOT / file, rest)]


def holds(path: Path, rest: str) -> bool:
    if not path.is_file():
        return False
    if rest.startswith("::"):
        return rest[2:] in defined(path)
    return rest[2:] in path.read_text("utf-8")


def test_every_proof_of_the_threat_model_is_there() -> None:
    text = THREATS.read_text("utf-8")
    assert len(PROOF.findall(text)) > 30
    assert wrong(text) == []


def test_every_stolen_thing_has_its_proofs() -> None:
    sections = re.split(r"^### ", THREATS.read_text("utf-8"), flags=re.MULTILINE)[1:]
    assert len(sections) >= 11
    for section in sections:
        assert PROOF.search(section), section.splitlines()[0]


@pytest.mark.parametrize(
    "text",
    [
        "`tests/release/test_nothing.py`",
        "`tests/release/test_documents.py::test_that_is_not_there`",
        "`infra/main.bicep: param nothing string`",
    ],
)
def test_a_proof_that_is_gone_is_noticed(text: str) -> None:
    assert wrong(text) == [text.strip("`")]


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))


@cache
def served() -> frozenset[tuple[str, str]]:
    """Methods and paths of the API, with ``*`` for each parameter."""
    return frozenset(
        (method.upper(), _pattern(path))
        for path, methods in document(CALLS)["paths"].items()
        for method in methods
    )


def _pattern(path: str) -> str:
    """A path without its query, variables of a shell and parameters being ``*``."""
    plain = re.sub(r"[$]?{[^}]*}|[$]\w+", "*", path.partition("?")[0])
    return plain.removeprefix("/api")


def known(method: str, path: str) -> bool:
    """Whether the API has the call; a name in its place is a parameter."""
    asked = _pattern(path).strip("/").split("/")
    return any(
        method == its and len(asked) == len(parts := pattern.strip("/").split("/"))
        and all(p in ("*", a) for p, a in zip(parts, asked, strict=True))
        for its, pattern in served()
    )  # fmt: skip


METHOD = "GET|POST|PUT|PATCH|DELETE"
CALL = re.compile(rf"(?:`|call |-X |--request )({METHOD}) \"?((?:[$]\w+)?/api/[^\s`\"']*)")
AZD = ("up", "down", "provision", "deploy", "package", "env", "auth", "config", "pipeline")
OUTPUT = re.compile(r"azd env get-value (\w+)")


MAKE = re.compile(r"(?:^|`|\s)make ([a-z]+)\b(?=[` \n,.)]|$)")
MODULE = re.compile(r"python -m ([a-z_.]*[a-z_])")


def unknown(text: str) -> list[str]:
    """Commands, calls and outputs of a text that do not exist."""
    shell = code(text)
    return [
        *(f"make {each}" for each in MAKE.findall(shell) if each not in targets()),
        *(f"azd {each}" for each in re.findall(r"\bazd ([a-z]+)", shell) if each not in AZD),
        *(f"python -m {each}" for each in MODULE.findall(shell) if not importable(each)),
        *(f"{m} {p}" for m, p in CALL.findall(text) if not known(m, re.sub(r"^[$]\w+", "", p))),
        *(each for each in OUTPUT.findall(text) if not in_environment(each)),
    ]


def in_environment(name: str) -> bool:
    """Whether `azd` has it: an output of the deployment, or a parameter that was set."""
    infra = ROOT / "infra"
    output = f"output {name} " in (infra / "main.bicep").read_text("utf-8")
    return output or f"${{{name}" in (infra / "main.parameters.json").read_text("utf-8")


def importable(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def code(text: str) -> str:
    """What is set as code: blocks, and between single backticks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`[^`\n]+`", rest)])


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_command_and_call_of_a_document_exists(page: Path) -> None:
    assert unknown(page.read_text("utf-8")) == []


def test_the_runbook_has_commands_for_everything_that_happens() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text("utf-8")
    assert len(CALL.findall(text)) > 15 and len(OUTPUT.findall(text)) >= 3
    for heading in ("dead-lettered", "leaked", "vault", "tenant", "Upgrade", "Uninstall"):
        assert re.search(rf"^## .*{heading}", text, flags=re.MULTILINE), heading


@pytest.mark.parametrize(
    "text",
    [
        "`make nothing`",
        "`GET /api/nothing`",
        "`DELETE /api/health`",
        '```sh\ncall POST "/api/connections/$name/nothing"\n```',
        "```sh\nazd destroy\n```",
        "`python -m nothing.here`",
        "`azd env get-value KEYTURN_NOTHING`",
    ],
)
def test_what_does_not_exist_is_noticed(text: str) -> None:
    assert len(unknown(text)) == 1


LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]+)?\)")


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for file, anchor in LINK.findall(page.read_text("utf-8")):
        if "://" in file:
            continue
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), file
        if anchor and target.suffix == ".md":
            assert anchor[1:] in anchors(target), file + anchor


def anchors(page: Path) -> set[str]:
    """Headings as a link names them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
