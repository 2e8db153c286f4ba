"""Parameters of the deployment, and secrets in parameters and outputs."""

import re
from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.modules import MAIN
from infra.check.source import BicepFile, Declaration, Repository

PARAMETERS = "infra/main.parameters.json"
SECRET = re.compile(
    r"password|secret(?!s?(Officer|User))|connectionString|credential(?!WarningDays)"
    r"|(account|access|shared|primary|secondary|function|host|api)Key|sas(Token|Url|Uri)?$",
    re.IGNORECASE,
)
VARIABLE = re.compile(r"\$\{[A-Z][A-Z_]*(=[^}]*)?\}")
SCHEDULE = re.compile(r"[\d*/,\-]+( [\d*/,\-A-Za-z]+){5}")


def check(repository: Repository) -> Iterator[Finding]:
    yield from _entries(repository)
    for file in repository.bicep.values():
        for found in file.declarations:
            yield from _secret(file, found)
            yield from _schedule(file, found)
        for node in tree.walk(file.root):
            if node.type == "call_expression" and _lists_keys(node):
                message = f"{tree.text(tree.parts(node)[0])} reads a key; use an identity"
                yield Finding(file.path, tree.line(node), "secret", message)


def _entries(repository: Repository) -> Iterator[Finding]:
    """Each parameter without default has an entry, else azd prompts for it."""
    main = repository.bicep.get(MAIN)
    entries = (repository.json(PARAMETERS) or {}).get("parameters", {})
    params = {param.name: param for param in main.of("param")} if main is not None else {}
    for name, param in params.items():
        if param.required and name not in entries:
            message = f"{name} has no entry in {PARAMETERS}"
            yield Finding(MAIN, param.line, "parameter-entry", message)
    for name in entries.keys() - params.keys():
        line = repository.line_of(PARAMETERS, f'"{name}"')
        yield Finding(PARAMETERS, line, "parameter-entry", f"{MAIN} has no parameter {name}")
    for name in entries.keys() & params.keys():
        given, default = str(entries[name].get("value", "")), tree.literal(params[name].default)
        line = repository.line_of(PARAMETERS, f'"{name}"')
        if "$" not in given:
            continue  # said by whoever deploys
        if not VARIABLE.fullmatch(given):
            message = f"{name}: azd reads ${{VARIABLE}} or ${{VARIABLE=default}}, not {given}"
            yield Finding(PARAMETERS, line, "parameter-entry", message)
        elif default is not None and given != f"{given.partition('=')[0]}={default}}}":
            message = f"the default of {name} in {MAIN} is '{default}'"
            yield Finding(PARAMETERS, line, "parameter-entry", message)


def _secret(file: BicepFile, found: Declaration) -> Iterator[Finding]:
    if not SECRET.search(found.name) or "secure" in found.decorators:
        return
    if found.kind in {"param", "output"}:
        message = f"{found.kind} {found.name} looks like a secret and is not @secure()"
        yield Finding(file.path, found.line, "secret", message)


def _lists_keys(node: tree.Node) -> bool:
    name = tree.parts(tree.parts(node)[0])
    called = tree.text(name[-1] if name else tree.parts(node)[0])
    return called.startswith("list") and called[4:5].isupper()


def _schedule(file: BicepFile, found: Declaration) -> Iterator[Finding]:
    """The host wants six fields, seconds first."""
    if found.kind != "param" or not found.name.endswith("Schedule"):
        return
    default = tree.literal(tree.parts(found.node)[-1])
    if default is not None and not SCHEDULE.fullmatch(default):
        message = f"{found.name}: '{default}' is not six NCRONTAB fields"
        yield Finding(file.path, found.line, "schedule", message)
