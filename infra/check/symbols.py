"""Names within one file: syntax, undefined, unused and duplicate symbols, loaded JSON."""

from collections.abc import Iterator

from infra.check import tree
from infra.check.builtins import FUNCTIONS, NAMESPACES
from infra.check.finding import Finding
from infra.check.source import KINDS, BicepFile, Repository

LOADERS = {"loadJsonContent", "loadTextContent", "loadYamlContent", "loadFileAsBase64"}


def syntax(repository: Repository) -> Iterator[Finding]:
    """What the parser could not read."""
    for file in repository.bicep.values():
        yield from _syntax(file)


def check(repository: Repository) -> Iterator[Finding]:
    for file in repository.bicep.values():
        yield from _undefined(file)
        yield from _unused(file)
        yield from _duplicates(file)
        yield from _loaded(repository, file)


def _syntax(file: BicepFile) -> Iterator[Finding]:
    for node in tree.walk(file.root):
        if node.is_missing:
            yield Finding(file.path, tree.line(node), "syntax", f"{node.type} is missing")
        elif node.type == "ERROR":
            snippet = tree.text(node).strip().partition("\n")[0][:40]
            yield Finding(file.path, tree.line(node), "syntax", f"not Bicep: {snippet}")


def _undefined(file: BicepFile) -> Iterator[Finding]:
    known = {found.name for found in file.declarations if found.kind != "output"}
    for declaration in file.declarations:
        for node, called in references(declaration.node, frozenset()):
            name = tree.text(node)
            if name in NAMESPACES or name in (known | FUNCTIONS if called else known):
                continue
            if called is None:  # a loop or lambda variable
                continue
            what = "function" if called else "symbol"
            message = f"{what} {name} is not defined"
            yield Finding(file.path, tree.line(node), "undefined-symbol", message)


def references(node: tree.Node, local: frozenset[str]) -> Iterator[tuple[tree.Node, bool | None]]:
    """Yield identifiers used as values; with them True for a function, None for a local name."""
    inner = tree.parts(node)
    if node.type == "identifier":
        yield node, None if tree.text(node) in local else False
    elif node.type == "call_expression" and inner[0].type == "identifier":
        yield inner[0], True
        yield from _each(inner[1:], local)
    elif node.type == "object_property":
        inner = inner[1:] if node.children[0].type == "identifier" else inner
        yield from _each(inner, local)
    elif node.type == "for_statement":
        yield from _each(inner[1:2], local)
        yield from _each(inner[2:], local | _names(inner[0]))
    elif node.type == "lambda_expression":
        yield from _each(inner[1:], local | _names(inner[0]))
    elif node.type in {"type", "type_declaration"}:
        return
    elif node.type == "user_defined_function":
        yield from _each(
            inner[-1:], local | {tree.text(tree.parts(p)[0]) for p in tree.parts(inner[1])}
        )
    elif node.type in KINDS:
        yield from _each(inner[1:], local)
    else:
        yield from _each(inner, local)


def _each(nodes: list[tree.Node], local: frozenset[str]) -> Iterator[tuple[tree.Node, bool | None]]:
    for node in nodes:
        yield from references(node, local)


def _names(node: tree.Node) -> frozenset[str]:
    found = [node] if node.type == "identifier" else tree.parts(node)
    return frozenset(tree.text(name) for name in found)


def _unused(file: BicepFile) -> Iterator[Finding]:
    used = {
        tree.text(node)
        for declaration in file.declarations
        for node, called in references(declaration.node, frozenset())
        if called is False
    }
    for found in file.declarations:
        if found.name in used:
            continue
        if found.kind in {"param", "var"} or (found.kind == "resource" and found.existing):
            message = f"{found.kind} {found.name} is never used"
            yield Finding(file.path, found.line, "unused-symbol", message)


def _duplicates(file: BicepFile) -> Iterator[Finding]:
    seen: set[tuple[bool, str]] = set()
    for found in file.declarations:
        mark = (found.kind == "output", found.name)
        if mark in seen:
            message = f"{found.name} is declared twice"
            yield Finding(file.path, found.line, "duplicate-symbol", message)
        seen.add(mark)
    for node in tree.walk(file.root):
        if node.type != "object":
            continue
        names: set[str] = set()
        for name, pair, _ in tree.properties(node):
            if name in names:
                message = f"property {name} is given twice"
                yield Finding(file.path, tree.line(pair), "duplicate-symbol", message)
            names.add(name)


def _loaded(repository: Repository, file: BicepFile) -> Iterator[Finding]:
    """A loaded file exists, and has the keys that are read from it."""
    contents = {}
    for declaration in file.declarations:
        for node in tree.walk(declaration.node):
            if node.type != "call_expression" or tree.text(tree.parts(node)[0]) not in LOADERS:
                continue
            path = file.beside(tree.literal(tree.parts(tree.parts(node)[1])[0]) or "")
            if not repository.exists(path):
                message = f"{path} does not exist"
                yield Finding(file.path, tree.line(node), "loaded-file", message)
            elif declaration.kind == "var" and tree.parts(declaration.node)[-1] == node:
                contents[declaration.name] = (path, repository.json(path))
    for node, name, names in tree.chains(file.root):
        path, content = contents.get(name, ("", None))
        if isinstance(content, dict) and names and names[0] not in content:
            message = f"{names[0]} is not in {path}"
            yield Finding(file.path, tree.line(node), "loaded-file", message)
