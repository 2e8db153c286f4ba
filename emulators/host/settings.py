"""Application settings, and how bindings refer to them (``%NAME%`` and ``connection``)."""

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emulators.host.errors import HostStartError

log = logging.getLogger("host.settings")

FORBIDDEN = "CONTAINER_NAME"
PLACEHOLDER = re.compile("%([^%]*)%")


def load(file: Path | None, environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Merge ``Values`` of a local.settings.json with the environment; the environment wins."""
    values = _values(file) if file is not None else {}
    check(values)
    values.update(os.environ if environment is None else environment)
    if values.pop(FORBIDDEN, None):  # of the machine, for example a development container
        log.warning("%s of the environment is hidden from the app", FORBIDDEN)
    return values


def check(values: Mapping[str, str]) -> None:
    """Refuse what would make a worker believe that it runs elsewhere."""
    if values.get(FORBIDDEN):
        raise HostStartError(
            f"{FORBIDDEN} is set: workers would believe they run on Linux Consumption; remove it"
        )


def _values(file: Path) -> dict[str, str]:
    try:
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise HostStartError(f"settings file {file} cannot be read: {error}") from error
    if document.get("IsEncrypted"):
        raise HostStartError(f"settings file {file} is encrypted, which only Core Tools can read")
    values = document.get("Values") or {}
    wrong = [name for name, value in values.items() if not isinstance(value, str)]
    if wrong:
        raise HostStartError(f"settings file {file}: not a string: {', '.join(sorted(wrong))}")
    return dict(values)


@dataclass(frozen=True)
class Connection:
    """Where a Service Bus trigger connects: a connection string, or a namespace and an identity."""

    connection_string: str | None = None
    namespace: str | None = None
    client_id: str | None = None


class Settings(Mapping[str, str]):
    """Settings as the host resolves them; ``A:B`` and ``A__B`` are the same name."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.replace(":", "__"): value for name, value in values.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.replace(":", "__")]

    def __iter__(self):  # type: ignore[no-untyped-def] # noqa: ANN204 - Mapping declares the type
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def resolve(self, text: str) -> str:
        """Replace each ``%NAME%``; a missing setting or a lone ``%`` is an error."""
        if text.count("%") % 2:
            raise HostStartError(f"The '%' in '{text}' does not have a closing '%'.")

        def value(match: re.Match[str]) -> str:
            found = self.get(match[1])
            if not found:
                raise HostStartError(f"'%{match[1]}%' does not resolve to a value.")
            return found

        return PLACEHOLDER.sub(value, text)

    def connection(self, name: str) -> Connection:
        """Find the connection called *name*: a connection string or a ``NAME__...`` section."""
        name = self.resolve(name)
        if "endpoint=" in name.lower():
            raise HostStartError("connection must name a setting, not hold a connection string")
        for prefix in (f"AzureWebJobs{name}", name):
            if text := self.get(prefix):
                return Connection(connection_string=text)
            if namespace := self.get(f"{prefix}__fullyQualifiedNamespace"):
                return Connection(namespace=namespace, client_id=self.get(f"{prefix}__clientId"))
        raise HostStartError(f"Service Bus connection '{name}' does not exist")

    def disabled(self, function: str) -> bool:
        """Whether a setting disables the function; both spellings of the setting count."""
        names = (f"AzureWebJobs.{function}.Disabled", f"AzureWebJobs_{function}_Disabled")
        return any(self.get(name, "").lower() in {"true", "1"} for name in names)
