"""What Azure must know before a deployment starts: names, scopes, conditions and lists of loops.

Bicep's own errors for these are BCP120 and BCP178.
"""

from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.source import BicepFile, Declaration, Repository

KNOWN_AT_START = {"id", "name", "type", "apiVersion"}
"""Of a resource; everything else of it, and every output of a module, is known once it is made."""


def check(repository: Repository) -> Iterator[Finding]:
    for file in repository.bicep.values():
        made = {found.name: found for found in file.of("resource") + file.of("module")}
        late = {name: found for name, found in made.items() if not found.existing}
        for declaration in made.values():
            for what, node in _early(declaration):
                for name in sorted(_late(file, node, late)):
                    message = (
                        f"{what} of {declaration.name} needs {name}, known only once it is made"
                    )
                    yield Finding(file.path, tree.line(node), "start-value", message)


def _early(declaration: Declaration) -> Iterator[tuple[str, tree.Node]]:
    for name in ("name", "scope"):
        if (node := tree.at(declaration.body, name)) is not None:
            yield f"the {name}", node
    for node in tree.walk(declaration.node):
        if node.type == "for_statement":
            yield "a loop", tree.parts(node)[1]
        elif node.type == "if_statement":
            yield "the condition", tree.parts(node)[0]


def _late(file: BicepFile, node: tree.Node, late: dict[str, Declaration]) -> set[str]:
    """Return what is read too late, also through variables."""
    found = {
        f"{root}.{names[0]}"
        for _, root, names in tree.chains(node)
        if root in late and names and not _early_enough(late[root], names)
    }
    for inner in tree.walk(node):
        if inner.type == "identifier":
            variable = file.named("var", tree.text(inner))
            if variable is not None and variable.node != node:
                found |= _late(file, tree.parts(variable.node)[-1], late)
    return found


def _early_enough(declaration: Declaration, names: list[str]) -> bool:
    return declaration.kind == "resource" and names[0] in KNOWN_AT_START
