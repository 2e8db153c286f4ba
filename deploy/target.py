"""Which deployment is meant: what azd wrote down about it, or what is given by hand."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

APPS = ("front", "worker")

LINE = re.compile(r'^([A-Za-z_][A-Za-z0-9_]*)="?(.*?)"?$')


class Unclear(Exception):
    """What was given does not say enough; the text says what to give."""


@dataclass(frozen=True)
class Target:
    """One deployment, as the outputs of `infra/main.bicep` name it."""

    values: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.values.get("AZURE_ENV_NAME") or "keyturn"

    @property
    def tenant_id(self) -> str:
        return self.required("AZURE_TENANT_ID")

    @property
    def authority(self) -> str:
        return (self.values.get("KEYTURN_AUTHORITY") or "https://login.microsoftonline.com").rstrip(
            "/"
        )

    @property
    def graph(self) -> str:
        return (self.values.get("KEYTURN_GRAPH") or "https://graph.microsoft.com/v1.0").rstrip("/")

    @property
    def api_client_id(self) -> str:
        return self.values.get("KEYTURN_API_CLIENT_ID", "")

    def principal(self, app: str) -> str:
        """Object id of an app's managed identity; empty before anything is provisioned."""
        return self.values.get(f"KEYTURN_{app.upper()}_PRINCIPAL_ID", "")

    def url(self, app: str) -> str:
        return self.values.get(f"KEYTURN_{app.upper()}_URL", "").rstrip("/")

    def required(self, name: str) -> str:
        if value := self.values.get(name):
            return value
        raise Unclear(
            f"{name} is not known. Run this in the checkout where `azd provision` ran, name its "
            f"environment with --environment, or set {name} (`azd env get-value {name}` shows it)."
        )


def find(
    environment: str = "",
    *,
    folder: Path = Path(),
    variables: Mapping[str, str] | None = None,
) -> Target:
    """What azd keeps of the environment, with environment variables over it.

    azd keeps it in `.azure/<environment>/.env`; without a name its default environment is meant.
    """
    given = dict(os.environ if variables is None else variables)
    name = environment or given.get("AZURE_ENV_NAME") or _default(folder / ".azure")
    if not re.fullmatch(r"[A-Za-z0-9._-]{0,64}", name):
        raise Unclear(f"{name!r} is no name of an azd environment")
    file = folder / ".azure" / name / ".env"
    kept = _read(file) if name and file.is_file() else {}
    if environment and not kept:
        raise Unclear(f"there is no azd environment {environment} here ({file})")
    return Target({**kept, **given, **({"AZURE_ENV_NAME": name} if name else {})})


def _default(folder: Path) -> str:
    file = folder / "config.json"
    if not file.is_file():
        return ""
    match = re.search(r'"defaultEnvironment"\s*:\s*"([^"]*)"', file.read_text("utf-8"))
    return match[1] if match else ""


def _read(file: Path) -> dict[str, str]:
    found = (LINE.match(line.strip()) for line in file.read_text("utf-8").splitlines())
    return {match[1]: match[2] for match in found if match}
