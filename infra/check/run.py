"""All rules over one working tree."""

from pathlib import Path

from infra.check import (
    azd,
    clouds,
    flex,
    hardening,
    models,
    modules,
    names,
    network,
    page,
    parameters,
    queues,
    roles,
    settings,
    sides,
    start,
    symbols,
    telemetry,
    topology,
    versions,
    workflows,
)
from infra.check.finding import Finding
from infra.check.source import Repository

RULES = [
    azd,
    clouds,
    flex,
    hardening,
    modules,
    network,
    page,
    parameters,
    queues,
    roles,
    settings,
    sides,
    start,
    symbols,
    telemetry,
    topology,
    versions,
    workflows,
]


def check(root: Path) -> list[Finding]:
    """Return every finding, sorted by place."""
    repository = Repository(root)
    if not repository.bicep:
        return [Finding("infra", 1, "syntax", "there is no Bicep file")]
    if broken := sorted(symbols.syntax(repository)):
        return broken  # the other rules would only report what follows from it
    found = {finding for rule in RULES for finding in rule.check(repository)}
    if not models.missing():
        found.update(names.check(repository))
    return sorted(found)


def skipped() -> list[str]:
    """Say which rules did not run, and what would make them."""
    if missing := models.missing():
        install = "pip install -r infra/check/requirements.txt"
        return [f"property names, because {', '.join(missing)} is not installed ({install})"]
    return []
