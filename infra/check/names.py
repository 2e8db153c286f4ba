"""Property names of resources, and of what is read from them, against the models."""

import difflib
from collections.abc import Iterator

from infra.check import models, tree
from infra.check.finding import Finding
from infra.check.source import BicepFile, Declaration, Repository


def check(repository: Repository) -> Iterator[Finding]:
    for file in repository.bicep.values():
        for resource in file.of("resource"):
            shape = _shape(resource)
            if shape is None:
                message = f"no model is known for {resource.type}; add it to infra/check/models.py"
                yield Finding(file.path, resource.line, "resource-type", message)
            elif not resource.existing:
                yield from _object(file, resource.body, shape)
        yield from _reads(file)


def _shape(resource: Declaration) -> models.Shape | None:
    named = f"{resource.type}/{tree.literal(tree.at(resource.body, 'name'))}"
    return models.resource(named if named in models.MODELS else resource.type)


def _object(file: BicepFile, node: tree.Node, shape: models.Shape) -> Iterator[Finding]:
    """Compare one object; lists and expressions are looked into, computed keys are not."""
    if node.type != "object":
        for inner in tree.parts(node):
            yield from _object(file, inner, shape)
        return
    for name, pair, value in tree.properties(node):
        if name not in shape:
            yield Finding(file.path, tree.line(pair), "property-name", _unknown(name, shape))
        elif (inner_shape := _inside(shape[name], value)) is not None:
            yield from _object(file, value, inner_shape)


def _inside(found: models.Shape | models.Model | None, value: tree.Node) -> models.Shape | None:
    if not isinstance(found, models.Model):
        return found
    given = tree.properties(value) if value.type == "object" else iter(())
    literals = {name: tree.literal(node) or "" for name, _, node in given}
    return found.shape(literals) or None


def _unknown(name: str, shape: models.Shape) -> str:
    near = difflib.get_close_matches(name, list(shape), 1)
    return f"{name} does not exist" + (f"; did you mean {near[0]}?" if near else "")


def _reads(file: BicepFile) -> Iterator[Finding]:
    """`resource.properties.a.b` has to exist as well."""
    resources: dict[str, Declaration] = {found.name: found for found in file.of("resource")}
    for node, root, names in tree.chains(file.root):
        resource = resources.get(root)
        shape = _shape(resource) if resource is not None else None
        for name in names:
            if not shape:
                break
            if name not in shape:
                yield Finding(file.path, tree.line(node), "property-name", _unknown(name, shape))
                break
            found = shape[name]
            shape = found.shape({}) if isinstance(found, models.Model) else found
