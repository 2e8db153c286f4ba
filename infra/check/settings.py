"""App settings: each app has those that its code reads, and no others; the template has all."""

import re
from collections.abc import Iterator

from infra.check import reading, tree
from infra.check.finding import Finding
from infra.check.source import BicepFile, Repository

TEMPLATE = "local.settings.json.template"
LOCAL_ONLY = {"FUNCTIONS_WORKER_RUNTIME"}  # Flex knows the runtime from functionAppConfig
TUNING_ONLY = {"KEYTURN_PACE", "KEYTURN_SCAN_SLICE"}  # times, which have defaults
CLOUD_ONLY = re.compile(r"APPLICATIONINSIGHTS_|AZURE_CLIENT_ID$|PYTHON_ENABLE_OPENTELEMETRY$")
OURS = "KEYTURN_"
# The host resolves the %SETTING% of every function, also of those that are disabled in an app,
# and reports them as broken when it is missing (azure-functions-host issue 10346).
HOST_RESOLVES = re.compile(r"KEYTURN_[A-Z]+_SCHEDULE")
CONNECTIONS = {"AzureWebJobsStorage", "ServiceBus", "KEYTURN_STORAGE"}

Place = tuple[str, int]


def check(repository: Repository) -> Iterator[Finding]:
    apps: dict[str, dict[str, Place]] = {}
    for file in repository.bicep.values():
        for app, name, place in _apps(repository, file):
            apps.setdefault(app, {})[name] = place
    if not apps:
        yield Finding("infra/main.bicep", 1, "app-settings", "no app has settings")
        return
    everything = {name: place for found in apps.values() for name, place in found.items()}
    yield from _template(repository, everything)
    for name, (path, line) in everything.items():
        if name in CONNECTIONS:
            message = f"{name} is a connection string; use {name}__… with an identity"
            yield Finding(path, line, "app-settings", message)
    for app, needed in reading.of_apps(repository.root).items():
        yield from _needed(app, apps.get(app, {}), needed)


def _needed(app: str, given: dict[str, Place], needed: dict[str, Place]) -> Iterator[Finding]:
    for name, (path, line) in needed.items():
        if not _set(name, given) and name not in TUNING_ONLY:
            message = f"{name} is read here, and not set on the app {app}"
            yield Finding(path, line, "app-settings", message)
    for name, (path, line) in given.items():
        ours = name.startswith(OURS) and not HOST_RESOLVES.fullmatch(name)
        if ours and not {name, _prefix(name)} & needed.keys():
            message = f"{name} is set on the app {app}, whose code does not read it"
            yield Finding(path, line, "app-settings", message)


def _template(repository: Repository, deployed: dict[str, Place]) -> Iterator[Finding]:
    template = (repository.json(TEMPLATE) or {}).get("Values", {})
    for name, (path, line) in deployed.items():
        if not CLOUD_ONLY.match(name) and not {name, _prefix(name)} & template.keys():
            yield Finding(path, line, "app-settings", f"{name} is not in {TEMPLATE}")
    for name in template.keys() - LOCAL_ONLY:
        if not _set(name, deployed):
            line = repository.line_of(TEMPLATE, f'"{name}"')
            yield Finding(TEMPLATE, line, "app-settings", f"{name} is set on no app in Bicep")


def _prefix(name: str) -> str:
    return name.partition("__")[0]


def _set(name: str, deployed: dict[str, Place]) -> bool:
    return any(name in {known, _prefix(known)} for known in deployed)


def _apps(repository: Repository, file: BicepFile) -> Iterator[tuple[str, str, Place]]:
    """Yield app, setting and place, followed through module parameters and variables."""
    for resource in file.of("resource"):
        name = tree.at(resource.body, "name")
        node = tree.at(resource.body, "properties")
        # The type has other names too, such as that of the sign-in.
        if resource.type != "Microsoft.Web/sites/config" or tree.literal(name) != "appsettings":
            continue
        if node is None:
            continue
        for caller, module in repository.callers(file.path):
            for setting, place in _names(file, node):
                yield module.name, setting, place
            given = tree.at(module.body, "params.settings")
            if given is not None:
                for setting, place in _names(caller, given):
                    yield module.name, setting, place


def _names(file: BicepFile, node: tree.Node) -> Iterator[tuple[str, Place]]:
    """Yield what an expression sets: objects, variables, and both merged by `union(...)`."""
    for inner in tree.walk(node):
        if inner.type == "object_property" and (name := tree.key(inner)) is not None:
            yield name, (file.path, tree.line(inner))
    for inner in [node, *_arguments(node)]:
        variable = file.named("var", tree.text(inner)) if inner.type == "identifier" else None
        if variable is not None:
            yield from _names(file, tree.parts(variable.node)[-1])


def _arguments(node: tree.Node) -> list[tree.Node]:
    """Return what is merged by `union(...)`."""
    inner = tree.parts(node)
    if node.type != "call_expression" or tree.text(inner[0]) != "union":
        return []
    return tree.parts(inner[1])
