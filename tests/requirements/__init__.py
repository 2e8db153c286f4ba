"""Which test proves which requirement, and which one shows which diagnosis.

The markers `requirement` and `diagnosis` are read from the source, without importing any test.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

TESTS = Path(__file__).parents[1]
MARKERS = ("requirement", "diagnosis")
Places = dict[str, list[str]]
"""Where each name is marked: ``path::test``, or the path for marks of a whole module."""


@dataclass(frozen=True)
class Entry:
    """A requirement (`texts`: what, source) or a code (`texts`: level, meaning, remedy)."""

    name: str
    group: str
    texts: tuple[str, ...]


@dataclass
class Marks:
    """All marks of the tests, by marker; `computed` are those whose names only a run would tell."""

    found: dict[str, Places] = field(default_factory=lambda: {name: {} for name in MARKERS})
    computed: list[str] = field(default_factory=list)

    def add(self, marker: str, names: list[str], place: str) -> None:
        for name in names:
            places = self.found[marker].setdefault(name, [])
            if place not in places:
                places.append(place)


def entries(file: str) -> list[Entry]:
    """Everything in `ids.yaml` or `codes.yaml`, in the order of the file."""
    text = Path(__file__).with_name(file).read_text("utf-8")
    return [
        Entry(name, group, tuple(texts))
        for group, members in yaml.safe_load(text).items()
        for name, texts in members.items()
    ]


def collect(folder: Path = TESTS) -> Marks:
    """The marks in every test module below *folder*."""
    marks = Marks()
    for file in sorted(folder.rglob("test_*.py")):
        path = file.relative_to(folder.parent).as_posix()
        _read(ast.parse(file.read_text("utf-8")), path, marks)
    return marks


def _read(node: ast.AST, place: str, marks: Marks) -> None:
    """Marks of a module or class go to it as a whole, those of a test's decorators to the test."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = f"{place}::{child.name}"
            for decorator in child.decorator_list:
                _marks(decorator, inner, marks)
            if isinstance(child, ast.ClassDef):
                _read(child, inner, marks)
        else:
            _marks(child, place, marks)


def _marks(node: ast.AST, place: str, marks: Marks) -> None:
    for call in _calls(node):
        marker = ast.unparse(call.func).rpartition(".")[2]
        names = [arg.value for arg in call.args if isinstance(arg, ast.Constant)]
        if not names or len(names) < len(call.args):
            marks.computed.append(f"{place}: {marker}")
        marks.add(marker, [str(name).partition(":")[0] for name in names], place)


def _calls(node: ast.AST) -> Iterator[ast.Call]:
    wanted = tuple(f"pytest.mark.{marker}" for marker in MARKERS)
    for child in ast.walk(node):
        if isinstance(child, ast.Call) and ast.unparse(child.func) in wanted:
            yield child
