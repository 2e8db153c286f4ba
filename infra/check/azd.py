"""azure.yaml: services that can be deployed, and hooks that exist."""

import posixpath
import re
from collections.abc import Iterator
from typing import Any

import yaml

from infra.check import tree
from infra.check.finding import Finding
from infra.check.source import Repository

AZD = "azure.yaml"
# Microsoft's page "Customize your Azure Developer CLI workflows using command and event hooks".
STEPS = ("build", "deploy", "down", "package", "provision", "publish", "restore", "up")
HOOKS = {before + step for before in ("pre", "post") for step in STEPS}
NEEDED = ("host.json", "requirements.txt", "function_app.py")
BUILT = "build/"
"""Folders below it are made by a hook, from the files of the repository."""

MODULE = re.compile(r"python3? -m ([\w.]+)")
TARGET = re.compile(r"\bmake ([a-z][\w-]*)")
SCRIPT = re.compile(r"\S+\.(?:sh|ps1|py)\b")


def check(repository: Repository) -> Iterator[Finding]:
    text = (repository.root / AZD).read_text("utf-8") if repository.exists(AZD) else ""
    content: dict[str, Any] = yaml.safe_load(text) or {}
    services: dict[str, Any] = content.get("services", {})
    yield from _tagged(repository, set(services))
    for message, word in _services(repository, services, content.get("hooks", {})):
        yield Finding(AZD, repository.line_of(AZD, word), "azd-service", message)
    for hooks in (content.get("hooks", {}), *(s.get("hooks", {}) for s in services.values())):
        for name, hook in hooks.items():
            line = repository.line_of(AZD, f"{name}:")
            for message in _hook(repository, name, hook):
                yield Finding(AZD, line, "azd-hook", f"{name}: {message}")


def _services(
    repository: Repository, services: dict[str, Any], hooks: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    for name, service in services.items():
        for key, wanted in (("language", "python"), ("host", "function")):
            if service.get(key) != wanted:
                yield f"{name}: {key} is {wanted}", f"  {name}:"
        project = posixpath.normpath(str(service.get("project", "")))
        built = project.startswith(BUILT)
        folder = repository.root / ("" if built else project)
        if missing := [needed for needed in NEEDED if not (folder / needed).is_file()]:
            yield f"{name}: {project} has no {', '.join(missing)}", f"  {name}:"
        if built and "prepackage" not in hooks:
            yield f"{name}: no prepackage hook builds {project}", f"  {name}:"


def _hook(repository: Repository, name: str, hook: Any) -> Iterator[str]:
    if name not in HOOKS:
        yield "azd knows no such hook"
    for variant in hook if isinstance(hook, list) else [hook]:
        for form in [variant[key] for key in ("posix", "windows") if key in variant] or [variant]:
            yield from _run(repository, str(form.get("run", "")))


def _run(repository: Repository, run: str) -> Iterator[str]:
    if not run:
        yield "has nothing to run"
    for script in SCRIPT.findall(run):
        if not (repository.root / script).is_file():
            yield f"{script} does not exist"
    for target in TARGET.findall(run):
        if target not in make_targets(repository):
            yield f"there is no make {target}"
    for module in MODULE.findall(run):
        path = repository.root / module.replace(".", "/")
        if not (path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()):
            yield f"python -m {module} finds no such module"


def make_targets(repository: Repository) -> set[str]:
    """Return the commands of the Makefile."""
    makefile = repository.root / "Makefile"
    text = makefile.read_text("utf-8") if makefile.is_file() else ""
    return set(re.findall(r"^([a-z][\w-]*):", text, re.MULTILINE))


def _tagged(repository: Repository, services: set[str]) -> Iterator[Finding]:
    """Azd finds the app of a service by its tag."""
    tags = dict(_tags(repository))
    for tag in tags.keys() - services:
        path, line = tags[tag]
        yield Finding(path, line, "azd-service", f"{AZD} has no service {tag}")
    for service in services - tags.keys():
        line = repository.line_of(AZD, f"  {service}:")
        yield Finding(AZD, line, "azd-service", f"no app has the tag azd-service-name {service}")


def _tags(repository: Repository) -> Iterator[tuple[str, tuple[str, int]]]:
    for file in repository.bicep.values():
        for node in tree.walk(file.root):
            if node.type != "object_property" or tree.key(node) != "azd-service-name":
                continue
            value = tree.value(node)
            if (tag := tree.literal(value)) is not None:
                yield tag, (file.path, tree.line(node))
            for caller, module in repository.callers(file.path):
                given = tree.at(module.body, f"params.{tree.text(value)}")
                if (tag := tree.literal(given)) is not None and given is not None:
                    yield tag, (caller.path, tree.line(given))
