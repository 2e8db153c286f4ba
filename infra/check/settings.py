"""App settings: Bicep, the local template and the code name the same ones."""

import re
from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.source import BicepFile, Repository

TEMPLATE = "local.settings.json.template"
LOCAL_ONLY = {"FUNCTIONS_WORKER_RUNTIME"}  # Flex knows the runtime from functionAppConfig
TUNING_ONLY = {"KEYTURN_PACE", "KEYTURN_SCAN_SLICE"}  # times, which have defaults
CLOUD_ONLY = re.compile(r"APPLICATIONINSIGHTS_|AZURE_CLIENT_ID$|PYTHON_ENABLE_OPENTELEMETRY$")
READ_BY_CODE = re.compile(r"KEYTURN_[A-Z][A-Z_]*[A-Z](?:__[A-Za-z]+)?")
CONNECTIONS = {"AzureWebJobsStorage", "ServiceBus", "KEYTURN_STORAGE"}

Place = tuple[str, int]


def check(repository: Repository) -> Iterator[Finding]:
    deployed = {
        name: place for file in repository.bicep.values() for name, place in _apps(repository, file)
    }
    if not deployed:
        yield Finding("infra/main.bicep", 1, "app-settings", "no app has settings")
        return
    template = (repository.json(TEMPLATE) or {}).get("Values", {})
    for name, (path, line) in deployed.items():
        if name in CONNECTIONS:
            message = f"{name} is a connection string; use {name}__… with an identity"
            yield Finding(path, line, "app-settings", message)
        if not CLOUD_ONLY.match(name) and not {name, _prefix(name)} & template.keys():
            yield Finding(path, line, "app-settings", f"{name} is not in {TEMPLATE}")
    for name in template.keys() - LOCAL_ONLY:
        if not _set(name, deployed):
            line = repository.line_of(TEMPLATE, f'"{name}"')
            yield Finding(TEMPLATE, line, "app-settings", f"{name} is set on no app in Bicep")
    for name, (path, line) in _code(repository).items():
        if not _set(name, deployed) and name not in TUNING_ONLY:
            yield Finding(path, line, "app-settings", f"{name} is set on no app in Bicep")


def _prefix(name: str) -> str:
    return name.partition("__")[0]


def _set(name: str, deployed: dict[str, Place]) -> bool:
    return any(name in {known, _prefix(known)} for known in deployed)


def _apps(repository: Repository, file: BicepFile) -> Iterator[tuple[str, Place]]:
    """Yield the settings of each app, followed through module parameters and variables."""
    for resource in file.of("resource"):
        named = tree.at(resource.body, "name")
        if resource.type == "Microsoft.Web/sites/config" and named is not None:
            if "appsettings" not in tree.text(named):
                continue  # of another kind, such as that of the sign-in
            node = tree.at(resource.body, "properties")
            if node is not None:
                yield from _names(repository, file, node)


def _names(repository: Repository, file: BicepFile, node: tree.Node) -> Iterator[tuple[str, Place]]:
    for inner in tree.walk(node):
        if inner.type == "object_property" and (name := tree.key(inner)) is not None:
            yield name, (file.path, tree.line(inner))
    for inner in [node, *_arguments(node)]:
        if inner.type != "identifier":
            continue
        if (variable := file.named("var", tree.text(inner))) is not None:
            yield from _names(repository, file, tree.parts(variable.node)[-1])
        elif file.named("param", tree.text(inner)) is not None:
            for caller, module in repository.callers(file.path):
                given = tree.at(module.body, f"params.{tree.text(inner)}")
                if given is not None:
                    yield from _names(repository, caller, given)


def _arguments(node: tree.Node) -> list[tree.Node]:
    """Return what is merged by `union(...)`."""
    inner = tree.parts(node)
    if node.type != "call_expression" or tree.text(inner[0]) != "union":
        return []
    return tree.parts(inner[1])


def _code(repository: Repository) -> dict[str, Place]:
    """Return the settings that the deployed code names, with the first place of each."""
    found: dict[str, Place] = {}
    sources = [repository.root / "function_app.py"]
    for folder in ("functions", "shared"):
        sources += sorted((repository.root / folder).rglob("*.py"))
    for source in sources:
        if not source.is_file():
            continue
        path = source.relative_to(repository.root).as_posix()
        for number, line in enumerate(source.read_text("utf-8").splitlines(), 1):
            for name in READ_BY_CODE.findall(line):
                found.setdefault(name, (path, number))
    return found
