"""What is the front door's and what is the worker's is not mixed up."""

from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.modules import arguments
from infra.check.source import Repository

OTHER = {"front": "worker", "worker": "front"}


def check(repository: Repository) -> Iterator[Finding]:
    for file in repository.bicep.values():
        for module in file.of("module"):
            for name, node in arguments(module):
                side = _side(name) or _side(module.name)
                if side is None:
                    continue
                for word in sorted(_words(node)):
                    if _side(word) == OTHER[side]:
                        message = (
                            f"{name} of {module.name} is given {word}, which is the other app's"
                        )
                        yield Finding(file.path, tree.line(node), "app-mixed", message)


def _side(name: str) -> str | None:
    return next((side for side in OTHER if name.startswith(side)), None)


def _words(node: tree.Node) -> set[str]:
    """Return the symbols of an expression and what is read of them."""
    kinds = {"identifier", "property_identifier"}
    return {tree.text(inner) for inner in tree.walk(node) if inner.type in kinds}
