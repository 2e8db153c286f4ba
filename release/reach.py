"""Which generated modules of Microsoft's Graph SDK the product can reach.

The SDK has a module for each path and each type of Graph, and imports them inside the methods that
need them. So the question is which methods can run, and it is answered by name: a method is
reachable when a reachable class has it and the product mentions its name. That finds too much
rather than too little, except for two kinds, which are left out because of how the adapters use
the SDK (`shared.adapters.graph_client`), and which tests/release/test_reach.py holds them to:

- a builder's own ``get``, ``post``, … send and parse; the adapters only ask a builder for a
  request (``to_get_request_information`` and the like) and read the answer as bytes;
- a model's deserialisers import every type that Graph has; only errors are parsed by the SDK.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SDK = "msgraph"
SENDING = frozenset({"get", "post", "patch", "put", "delete"})
PARSING = frozenset({"create_from_discriminator_value", "get_field_deserializers"})
PARSED = (f"{SDK}.generated.models.o_data_errors.o_data_error",)
ALWAYS = frozenset({"__init__", "__post_init__", "serialize"})
"""Methods that nobody calls by their name."""


@dataclass
class Module:
    """What a module imports: when it is imported itself, and in each of its methods."""

    name: str
    imports: dict[str | None, set[str]] = field(default_factory=dict)


class Imports(ast.NodeVisitor):
    """Collects imports by outermost function; annotations' imports do not run."""

    def __init__(self, module: Module, package: str) -> None:
        self._module, self._package = module, package
        self._function: str | None = None

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) != "TYPE_CHECKING":
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        outer, self._function = self._function, self._function or node.name
        self.generic_visit(node)
        self._function = outer

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - same

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._note(imported(node, self._package))

    def visit_Import(self, node: ast.Import) -> None:
        self._note([alias.name for alias in node.names])

    def _note(self, names: Iterable[str]) -> None:
        self._module.imports.setdefault(self._function, set()).update(names)


def imported(node: ast.ImportFrom, package: str) -> list[str]:
    """Every module that the statement may mean: the one named, and one for each name."""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1] if node.level else []
    module = ".".join([*base, *([node.module] if node.module else [])])
    return [module, *(f"{module}.{alias.name}" for alias in node.names)]


class Reach:
    """The modules of the SDK below *site* that can be reached from the product's sources."""

    def __init__(self, site: Path, sources: Iterable[Path]) -> None:
        self._site = site
        self._modules: dict[str, Module] = {}
        self._parsed = set(PARSED)
        self._names = set(ALWAYS)
        for tree in (ast.parse(source.read_bytes()) for source in sources):
            self._read(tree)

    def _read(self, tree: ast.Module) -> None:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                self._names.add(node.attr)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                self._add(imported(node, ""))
            elif isinstance(node, ast.Import):
                self._add(alias.name for alias in node.names)

    def files(self) -> set[Path]:
        """Paths relative to *site*, until nothing new is found."""
        before = -1
        while before != len(self._modules) + len(self._parsed):
            before = len(self._modules) + len(self._parsed)
            for module in list(self._modules.values()):
                self._follow(module)
        return {self._file(name).relative_to(self._site) for name in self._modules}

    def _follow(self, module: Module) -> None:
        for function, names in module.imports.items():
            if function in PARSING:
                if module.name in self._parsed:
                    self._add(names)
                    self._parsed |= names & self._modules.keys()
            elif function is None or self._runs(module, function):
                self._add(names)

    def _runs(self, module: Module, function: str) -> bool:
        if function in SENDING and module.name.endswith("_request_builder"):
            return False
        return function in self._names

    def _add(self, names: Iterable[str]) -> None:
        for name in names:
            if name.split(".", 1)[0] != SDK or name in self._modules:
                continue
            if self._file(name).is_file():
                self._modules[name] = self._parse(name)
            self._add([name.rpartition(".")[0]])

    def _parse(self, name: str) -> Module:
        file, module = self._file(name), Module(name)
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        Imports(module, package).visit(ast.parse(file.read_bytes()))
        return module

    def _file(self, name: str) -> Path:
        path = self._site / name.replace(".", "/")
        inside = path / "__init__.py"
        return inside if inside.is_file() else path.with_suffix(".py")
