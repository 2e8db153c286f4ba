"""The files that are checked: Bicep declarations by name, and JSON."""

import json
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from infra.check import tree

KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
    "user_defined_function": "func",
    "type_declaration": "type",
}


@dataclass(frozen=True)
class Declaration:
    """One named declaration at the top of a file."""

    kind: str
    name: str
    node: tree.Node
    decorators: Mapping[str, tree.Node]  # the call of each, by its name

    @property
    def line(self) -> int:
        return tree.line(self.node)

    @property
    def target(self) -> str:
        """Type with version of a resource, path of a module."""
        return tree.literal(tree.parts(self.node)[1]) or ""

    @property
    def type(self) -> str:
        return self.target.partition("@")[0]

    @property
    def body(self) -> tree.Node:
        return tree.body(self.node)

    @property
    def existing(self) -> bool:
        return any(child.type == "existing" for child in self.node.children)

    def decorated(self, name: str) -> tree.Node | None:
        """Return the argument of a decorator."""
        call = self.decorators.get(name)
        arguments = tree.parts(tree.parts(call)[1]) if call is not None else []
        return arguments[0] if arguments else None

    @property
    def default(self) -> tree.Node | None:
        """The default of a parameter."""
        after = tree.parts(self.node)[2:]
        return after[0] if after else None

    @property
    def required(self) -> bool:
        """Whether a parameter has neither a default nor may be null."""
        after = tree.parts(self.node)[1:]
        return len(after) == 1 and not tree.text(after[0]).endswith("?")


@dataclass(frozen=True)
class BicepFile:
    """One Bicep file; `path` is relative to the repository, with forward slashes."""

    path: str
    root: tree.Node
    declarations: list[Declaration] = field(default_factory=list)

    def of(self, kind: str) -> list[Declaration]:
        return [found for found in self.declarations if found.kind == kind]

    def named(self, kind: str, name: str) -> Declaration | None:
        return next((found for found in self.of(kind) if found.name == name), None)

    def beside(self, path: str) -> str:
        """Return the repository path of a path written in this file."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.path), path))


class Repository:
    """The working tree under a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @cached_property
    def bicep(self) -> dict[str, BicepFile]:
        found = sorted((self.root / "infra").rglob("*.bicep"))
        return {file.path: file for file in (self._read(path) for path in found)}

    def _read(self, path: Path) -> BicepFile:
        root = tree.parse(path.read_text("utf-8-sig").encode())
        return BicepFile(path.relative_to(self.root).as_posix(), root, _declarations(root))

    def exists(self, path: str) -> bool:
        return (self.root / path).is_file()

    def json(self, path: str) -> Any:
        return json.loads((self.root / path).read_text("utf-8")) if self.exists(path) else None

    def line_of(self, path: str, word: str) -> int:
        """Return the first line of a file in which a word stands, else 1."""
        if not self.exists(path):
            return 1
        lines = (self.root / path).read_text("utf-8").splitlines()
        return next((number for number, line in enumerate(lines, 1) if word in line), 1)

    def callers(self, path: str) -> list[tuple[BicepFile, Declaration]]:
        """Return the module declarations that use a file."""
        return [
            (file, module)
            for file in self.bicep.values()
            for module in file.of("module")
            if file.beside(module.target) == path
        ]


def _declarations(root: tree.Node) -> list[Declaration]:
    found: list[Declaration] = []
    decorators: dict[str, tree.Node] = {}
    for node in tree.parts(root):
        if node.type == "decorators":
            decorators = {
                tree.text(tree.parts(call)[0]).removeprefix("sys."): call
                for decorator in tree.parts(node)
                for call in tree.parts(decorator)
                if call.type == "call_expression"
            }
            continue
        kind = KINDS.get(node.type)
        name = next((part for part in tree.parts(node) if part.type == "identifier"), None)
        if kind is not None and name is not None:
            found.append(Declaration(kind, tree.text(name), node, decorators))
        decorators = {}
    return found
