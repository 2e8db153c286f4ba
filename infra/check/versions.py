"""API versions: those that exist, one for each type, no preview without a reason."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra.check.finding import Finding
from infra.check.source import Repository

LIST = Path(__file__).with_name("versions.json")
"""Versions of the types used here, since 2023, or 2018 where there are few.

Source: Microsoft's index of the types that Bicep knows (Azure/bicep-types-az), August 2026."""

PREVIEWS = {
    "Microsoft.Insights/diagnosticSettings@2021-05-01-preview": (
        "Azure has no other version that takes groups of categories"
    ),
}


@cache
def known() -> dict[str, list[str]]:
    found: dict[str, str] = json.loads(LIST.read_text("utf-8"))
    return {kind: versions.split() for kind, versions in found.items()}


def check(repository: Repository) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for file in repository.bicep.values():
        for resource in file.of("resource"):
            kind, _, version = resource.target.partition("@")
            if version not in known().get(kind, [version]):
                message = f"{kind} has no version {version}; the newest is {known()[kind][-1]}"
                yield Finding(file.path, resource.line, "api-version", message)
            if version.endswith("-preview") and resource.target not in PREVIEWS:
                message = f"{resource.target} is a preview; infra/check/versions.py has the reasons"
                yield Finding(file.path, resource.line, "api-version", message)
            first = seen.setdefault(resource.type, resource.target)
            if resource.target != first:
                message = f"{resource.target}, elsewhere {first}"
                yield Finding(file.path, resource.line, "api-version", message)
