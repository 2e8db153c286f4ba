"""azure.yaml: services that can be deployed, and hooks that exist."""

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
MODULE = re.compile(r"python3? -m ([\w.]+)")
SCRIPT = re.compile(r"\S+\.(?:sh|ps1|py)\b")


def check(repository: Repository) -> Iterator[Finding]:
    text = (repository.root / AZD).read_text("utf-8") if repository.exists(AZD) else ""
    content: dict[str, Any] = yaml.safe_load(text) or {}
    services: dict[str, Any] = content.get("services", {})
    yield from _tagged(repository, set(services))
    for message, word in _services(repository, services):
        yield Finding(AZD, repository.line_of(AZD, word), "azd-service", message)
    for hooks in (content.get("hooks", {}), *(s.get("hooks", {}) for s in services.values())):
        for name, hook in hooks.items():
            line = repository.line_of(AZD, f"{name}:")
            for message in _hook(repository, name, hook):
                yield Finding(AZD, line, "azd-hook", f"{name}: {message}")


def _services(repository: Repository, services: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, service in services.items():
        for key, wanted in (("language", "python"), ("host", "function")):
            if service.get(key) != wanted:
                yield f"{name}: {key} is {wanted}", f"  {name}:"
        folder = repository.root / str(service.get("project", ""))
        if missing := [needed for needed in NEEDED if not (folder / needed).is_file()]:
            yield f"{name}: {folder.name} has no {', '.join(missing)}", f"  {name}:"


def _hook(repository: Repository, name: str, hook: Any) -> Iterator[str]:
    if name not in HOOKS:
        yield "azd knows no such hook"
    variants = hook if isinstance(hook, list) else [hook]
    for variant in variants:
        forms = [variant[key] for key in ("posix", "windows") if key in variant] or [variant]
        for form in forms:
            run = str(form.get("run", ""))
            if not run:
                yield "has nothing to run"
            for script in SCRIPT.findall(run):
                if not (repository.root / script).is_file():
                    yield f"{script} does not exist"
            for module in MODULE.findall(run):
                path = repository.root / module.replace(".", "/")
                if not (path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()):
                    yield f"python -m {module} finds no such module"


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
