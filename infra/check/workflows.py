"""GitHub workflows: nothing unpinned, no stored secret, no right or text that need not be there."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from infra.check.azd import MODULE, TARGET, make_targets
from infra.check.finding import Finding
from infra.check.source import Repository

FOLDER = ".github/workflows"
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
SECRET = re.compile(r"\bsecrets\s*[.\[]\s*['\"]?(?!GITHUB_TOKEN\b)(\w+)")
# What nobody outside can put words into. Everything else reaches a script through `env:`.
HARMLESS = re.compile(
    r"\s*(matrix\.[\w-]+|runner\.\w+|github\.(sha|run_id|run_number|run_attempt|workspace))\s*"
)
UNTRUSTED = {
    "pull_request_target": "runs with our rights on what strangers propose",
    "workflow_run": "runs with our rights after what strangers propose",
}
WRITES = {"id-token"}
"""Rights to write that a job may have: a token by which Azure knows it, in place of a secret."""

SIGN_IN = re.compile(r"azd auth login|az login")


def check(repository: Repository) -> Iterator[Finding]:
    for path in sorted((repository.root / FOLDER).glob("*.y*ml")):
        place, text = path.relative_to(repository.root).as_posix(), path.read_text("utf-8")
        try:
            workflow = yaml.safe_load(text)
        except yaml.YAMLError:
            workflow = None
        if not isinstance(workflow, dict) or not isinstance(workflow.get("jobs"), dict):
            yield Finding(place, 1, "workflow-syntax", "this is no workflow")
            continue
        lines = text.splitlines()
        for rule, word, message in _workflow(repository, workflow, text):
            line = next((number for number, found in enumerate(lines, 1) if word in found), 1)
            yield Finding(place, line, rule, message)


def _workflow(
    repository: Repository, workflow: dict[Any, Any], text: str
) -> Iterator[tuple[str, str, str]]:
    triggers = workflow.get(True, workflow.get("on", {}))  # YAML takes `on` for a truth value
    names = {triggers} if isinstance(triggers, str) else set(triggers)
    for name in sorted(names & UNTRUSTED.keys()):
        yield "workflow-trigger", name, f"{name} {UNTRUSTED[name]}"
    for name in SECRET.findall(text):
        message = f"secrets.{name}: sign in with a federated credential"
        yield "workflow-secret", name, message
    given = workflow.get("permissions")
    if given is None or _writes(given):
        message = "the workflow grants nothing by itself (permissions: {}); each job says what"
        yield "workflow-permissions", "permissions", message
    for name, job in workflow["jobs"].items():
        yield from _job(repository, name, job, names)


def _writes(permissions: Any) -> set[str]:
    """Return what may be written; a word stands for everything."""
    if isinstance(permissions, str):
        return set() if permissions == "read-all" else {permissions}
    return {scope for scope, right in (permissions or {}).items() if right == "write"}


def _job(
    repository: Repository, name: str, job: dict[str, Any], triggers: set[str]
) -> Iterator[tuple[str, str, str]]:
    writes = _writes(job.get("permissions"))
    for scope in sorted(writes - WRITES):
        message = f"{name} may write {scope}, which no step needs"
        yield "workflow-permissions", scope, message
    if "timeout-minutes" not in job and "uses" not in job:
        yield "workflow-timeout", f"  {name}:", f"{name} may run for six hours: timeout-minutes"
    if "id-token" in writes and "environment" not in job:
        message = f"{name} signs in to Azure and has no environment, whose rules say who may"
        yield "workflow-environment", f"  {name}:", message
    if "id-token" in writes and "pull_request" in triggers:
        message = f"{name} signs in to Azure for whoever proposes a change"
        yield "workflow-trigger", "pull_request", message
    if "uses" in job:
        yield from _uses(job)
    for step in job.get("steps", []):
        yield from _uses(step)
        yield from _run(repository, str(step.get("run", "")))
        yield from _signs_in(name, step, writes)


def _uses(step: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    used = step.get("uses")
    if used is None or str(used).startswith("./"):
        return
    if not PINNED.fullmatch(str(used)):
        message = f"{used} is whatever its owner makes of it; give the id of the commit"
        yield "workflow-pin", str(used), message
    keeps = (step.get("with") or {}).get("persist-credentials") is not False
    if keeps and str(used).startswith("actions/checkout@"):
        message = "checkout leaves a token behind: persist-credentials: false"
        yield "workflow-checkout", str(used), message


def _run(repository: Repository, script: str) -> Iterator[tuple[str, str, str]]:
    for expression in EXPRESSION.findall(script):
        if not HARMLESS.fullmatch(expression):
            message = f"{expression.strip()} becomes part of the script; pass it through env"
            yield "workflow-injection", expression, message
    for target in TARGET.findall(script):
        if target not in make_targets(repository):
            yield "workflow-command", f"make {target}", f"there is no make {target}"
    for module in MODULE.findall(script):
        path = repository.root / module.replace(".", "/")
        ours = (repository.root / module.partition(".")[0]).is_dir()
        if ours and not (path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()):
            yield "workflow-command", module, f"python -m {module} finds no such module"


def _signs_in(name: str, step: dict[str, Any], writes: set[str]) -> Iterator[tuple[str, str, str]]:
    used, given = str(step.get("uses", "")), step.get("with") or {}
    login = used.startswith("azure/login@")
    if (login or SIGN_IN.search(str(step.get("run", "")))) and "id-token" not in writes:
        message = f"{name} signs in without id-token: write, so with a stored secret or not at all"
        yield "workflow-secret", used if login else "login", message
    wanted = {"client-id", "tenant-id", "subscription-id"}
    if login and not wanted <= given.keys():
        message = f"azure/login takes {', '.join(sorted(wanted))} of a federated credential"
        yield "workflow-secret", used, message
