"""``python -S imports.py APP``: print every import of the app's own code that nothing answers.

Run with the package alone on the path; imports inside functions, which only a later call would
meet, are looked at as well.
"""

import ast
import importlib
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

FOLDERS = ("functions", "shared")


def wanted(app: Path) -> set[tuple[str, str]]:
    """Modules, and names of them."""
    found = {("function_app", "")}
    for source in (file for folder in FOLDERS for file in (app / folder).rglob("*.py")):
        for node in running(ast.parse(source.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {(alias.name, "") for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found |= {(node.module, alias.name) for alias in node.names}
    return found


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Everything but what only a type checker sees."""
    yield node
    for each in ast.iter_child_nodes(node):
        if not (isinstance(each, ast.If) and ast.unparse(each.test) == "TYPE_CHECKING"):
            yield from running(each)


def missing(module: str, name: str) -> bool:
    try:
        found = importlib.import_module(module)
        if name and not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")
    except ImportError:
        return True
    return False


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # a generated deprecated class warns when it is imported
    asked = sorted(wanted(Path(sys.argv[1])))
    print(len(asked), [each for each in asked if missing(*each)])  # noqa: T201 - read by the test
