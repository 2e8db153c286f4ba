"""What one file passes to another: module files, parameters, outputs."""

from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.source import BicepFile, Declaration, Repository

MAIN = "infra/main.bicep"
REGISTRIES = ("br:", "br/", "ts:", "ts/")


def check(repository: Repository) -> Iterator[Finding]:
    for file in repository.bicep.values():
        for module in file.of("module"):
            if not module.target.startswith(REGISTRIES):
                yield from _module(repository, file, module)
        yield from _outputs(repository, file)
        if file.path != MAIN and not repository.callers(file.path):
            yield Finding(file.path, 1, "module-file", "no module declaration uses this file")


def _module(repository: Repository, file: BicepFile, module: Declaration) -> Iterator[Finding]:
    target = repository.bicep.get(file.beside(module.target))
    if target is None:
        message = f"{module.target} does not exist"
        yield Finding(file.path, module.line, "module-file", message)
        return
    given = dict(arguments(module))
    wanted = {param.name: param for param in target.of("param")}
    for name, node in given.items():
        if name not in wanted:
            message = f"{target.path} has no parameter {name}"
            yield Finding(file.path, tree.line(node), "module-parameter", message)
    for name, param in wanted.items():
        if param.required and name not in given:
            message = f"{module.name} does not set parameter {name} of {target.path}"
            yield Finding(file.path, module.line, "module-parameter", message)


def arguments(module: Declaration) -> Iterator[tuple[str, tree.Node]]:
    """Yield the parameters that a module declaration sets."""
    params = tree.at(module.body, "params")
    if params is not None and params.type == "object":
        for name, _, node in tree.properties(params):
            yield name, node


def _outputs(repository: Repository, file: BicepFile) -> Iterator[Finding]:
    targets = {module.name: file.beside(module.target) for module in file.of("module")}
    for node, name, names in tree.chains(file.root):
        target = repository.bicep.get(targets.get(name, ""))
        if target is None or not names:
            continue
        if names[0] not in {"outputs", "name"}:
            message = f"a module has outputs, not {names[0]}"
            yield Finding(file.path, tree.line(node), "module-output", message)
        elif len(names) > 1 and target.named("output", names[1]) is None:
            message = f"{target.path} has no output {names[1]}"
            yield Finding(file.path, tree.line(node), "module-output", message)
