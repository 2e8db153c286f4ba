"""Which settings the code of each app reads, found in its syntax trees.

An app runs the functions of some folders; a setting is its own when something there, or something
that it imports, names it. Within a module it counts by function: `shared.settings` reads for both.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

SETTING = re.compile(r"(KEYTURN_[A-Z][A-Z_]*[A-Z](?:__[A-Za-z]+)?)(?:%)?")
ROOTS = {
    "front": ("functions.http", "functions.calls", "functions.timers", "functions.sweeps"),
    "worker": ("functions.queues", "functions.steps"),
}
"""Apps, and the modules (with what is in them) that hold the functions they run."""

REGISTERS = "functions"
"""The package itself, which names the functions of both."""

FOLDERS = ("functions", "shared")
Place = tuple[str, int]


@dataclass(frozen=True)
class Module:
    """One module of the deployed code."""

    name: str
    path: str
    tree: ast.Module
    identifiers: frozenset[str] = field(default_factory=frozenset)

    @cached_property
    def imports(self) -> set[str]:
        found: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
                found.update(f"{node.module}.{alias.name}" for alias in node.names)
        return found

    @cached_property
    def settings(self) -> list[tuple[str, str, int]]:
        """The definition, the setting and the line of each mention."""
        return [
            (getattr(statement, "name", ""), found[1], node.lineno)
            for statement in self.tree.body
            for node in ast.walk(statement)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            if (found := SETTING.fullmatch(node.value.removeprefix("%"))) is not None
        ]


def of_apps(root: Path) -> dict[str, dict[str, Place]]:
    """Return, for each app, the settings that its code reads, with a place of each."""
    modules = {module.name: module for module in _modules(root)}
    found: dict[str, dict[str, Place]] = {}
    for app, roots in ROOTS.items():
        reached = _reached(modules, roots)
        settings = found.setdefault(app, {})
        for name in sorted(reached):
            for definition, setting, line in modules[name].settings:
                if not definition or _used(modules, reached, name, definition):
                    settings.setdefault(setting, (modules[name].path, line))
    return found


def _modules(root: Path) -> Iterator[Module]:
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            place = path.relative_to(root)
            parts = place.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield _module(name, place.as_posix(), path.read_text("utf-8"))


@cache
def _module(name: str, path: str, text: str) -> Module:
    tree = ast.parse(text)
    return Module(name, path, tree, _identifiers(tree.body))


def _identifiers(body: list[ast.stmt], leaving_out: str = "") -> frozenset[str]:
    """Return the names that code mentions, but not those in one definition."""
    found: set[str] = set()
    for statement in body:
        if leaving_out and getattr(statement, "name", "") == leaving_out:
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                found.add(node.id)
            elif isinstance(node, ast.Attribute):
                found.add(node.attr)
            elif isinstance(node, ast.alias):
                found.add(node.name)
    return frozenset(found)


def _reached(modules: dict[str, Module], roots: tuple[str, ...]) -> set[str]:
    waiting = [
        name
        for name in modules
        if any(name == root or name.startswith((f"{root}.", f"{root}_")) for root in roots)
    ]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached or name == REGISTERS:
            continue
        reached.add(name)
        waiting += [found for found in modules[name].imports if found in modules]
    return reached


def _used(modules: dict[str, Module], reached: set[str], name: str, definition: str) -> bool:
    for other in (modules[other] for other in reached - {name}):
        if f"{name}.{definition}" in other.imports:
            return True
        if name in other.imports and definition in other.identifiers:
            return True
    return definition in _identifiers(modules[name].tree.body, definition)
