"""Each national cloud has its own endpoints, and the code knows them."""

from collections.abc import Iterator

from infra.check.finding import Finding
from infra.check.network import CLOUDS
from infra.check.source import Repository

# Names that `environment().name` has in Bicep.
NAMES = {"AzureCloud", "AzureUSGovernment", "AzureChinaCloud"}
KEYS = {"graph", "authority", "zones"}
KNOWN_BY = "shared/settings.py"


def check(repository: Repository) -> Iterator[Finding]:
    content = repository.json(CLOUDS) or {}
    for name in sorted(NAMES ^ content.keys()):
        yield Finding(CLOUDS, 1, "cloud", f"the clouds are {', '.join(sorted(NAMES))}: {name}")
    known = (repository.root / KNOWN_BY).read_text("utf-8") if repository.exists(KNOWN_BY) else ""
    for name, cloud in content.items():
        line = repository.line_of(CLOUDS, f'"{name}"')
        if cloud.keys() != KEYS:
            yield Finding(CLOUDS, line, "cloud", f"{name}: the keys are {', '.join(sorted(KEYS))}")
        for key in ("graph", "authority"):
            url = str(cloud.get(key, ""))
            host = url.removeprefix("https://").partition("/")[0]
            if not url.startswith("https://") or url.endswith("/") or f'"{host}"' not in known:
                message = f"{name}: {key} {url} is no endpoint that {KNOWN_BY} knows"
                yield Finding(CLOUDS, repository.line_of(CLOUDS, url), "cloud", message)
