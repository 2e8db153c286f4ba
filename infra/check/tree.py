"""Reading the syntax tree of tree-sitter-bicep, as objects of our own, made once for each text."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import tree_sitter
import tree_sitter_bicep

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A node of the tree; two are the same only if they are one."""

    type: str
    text: str
    line: int
    is_missing: bool
    children: tuple["Node", ...]
    parts: tuple["Node", ...]  # the named children without comments


@cache
def parse(source: bytes) -> Node:
    return _node(_PARSER.parse(source).root_node)


def _node(found: tree_sitter.Node) -> Node:
    pairs = [(child, _node(child)) for child in found.children]
    named = tuple(made for child, made in pairs if child.is_named and "comment" not in child.type)
    children = tuple(made for _, made in pairs)
    source = (found.text or b"").decode()
    return Node(found.type, source, found.start_point[0] + 1, found.is_missing, children, named)


def text(node: Node) -> str:
    return node.text


def line(node: Node) -> int:
    return node.line


def parts(node: Node) -> list[Node]:
    """Return the named children without comments."""
    return list(node.parts)


@cache
def walk(node: Node) -> tuple[Node, ...]:
    """Return the node and everything below it, in the order of the text."""
    return (node, *(inner for child in node.children for inner in walk(child)))


def literal(node: Node | None) -> str | None:
    """Return the value of a string without interpolation, or the text of a boolean or number."""
    if node is None:
        return None
    if node.type in {"boolean", "number"}:
        return text(node)
    if node.type != "string" or any(child.type == "interpolation" for child in node.children):
        return None
    return "".join(text(child) for child in parts(node))


def key(pair: Node) -> str | None:
    """Return the name of an object property; None if it is computed or a nested resource."""
    name = pair.children[0]
    if name.type == "identifier":
        return text(name)
    return literal(name) if name.type == "string" else None


def value(pair: Node) -> Node:
    return parts(pair)[-1]


def properties(node: Node) -> Iterator[tuple[str, Node, Node]]:
    """Yield name, pair and value of each property of an object, but not of the computed ones."""
    for pair in parts(node):
        if pair.type == "object_property" and (name := key(pair)) is not None:
            yield name, pair, value(pair)


def at(node: Node | None, path: str) -> Node | None:
    """Return the value at a dotted path of an object."""
    for name in path.split("."):
        if node is None or node.type != "object":
            return None
        node = next((found for given, _, found in properties(node) if given == name), None)
    return node


def body(node: Node) -> Node:
    """Return the object inside a declaration, also when it is wrapped in `for` or `if`."""
    inner = parts(node)[-1]
    return body(inner) if inner.type in {"for_statement", "if_statement"} else inner


def members(node: Node) -> tuple[Node, list[str]] | None:
    """Return root and names of `root.a.b`, through subscripts; None for other expressions."""
    if node.type == "identifier":
        return node, []
    inner = parts(node)
    if node.type == "member_expression":
        before = members(inner[0])
        return before and (before[0], [*before[1], text(inner[-1])])
    if node.type == "subscript_expression":
        return members(inner[0])
    return None


@cache
def chains(node: Node) -> tuple[tuple[Node, str, list[str]], ...]:
    """Return each outermost `root.a.b` below a node: the node, the root's name, the names."""
    if node.type == "member_expression" and (found := members(node)) is not None:
        inside = [parts(inner)[-1] for inner in walk(node) if inner.type == "subscript_expression"]
        own = (node, text(found[0]), found[1])
        return (own, *(chain for inner in inside for chain in chains(inner)))
    return tuple(chain for child in node.children for chain in chains(child))
