"""The product's own forms of a sheet: environment variables, and files of its configuration."""

import json
from collections.abc import Callable

from shared.handover.merging import joined
from shared.handover.model import Line, Sheet
from shared.model.profile import Profile

ENVIRONMENT = "env"


def offered(profile: Profile) -> dict[str, str]:
    """Forms in which this product's sheet can be had, and their media types."""
    forms = {"json": "application/json", "markdown": "text/markdown"}
    if any(output.env for output in profile.outputs):
        forms[ENVIRONMENT] = "text/plain"
    return forms | {output.file: "application/json" for output in profile.outputs if output.file}


def environment(made: Sheet, vault_reference: Callable[[str, str], str]) -> str:
    """A line for each environment variable.

    What is in the vault is referred to in the form of App Service and Functions, without a
    version: the reference then follows what is written next. Source: App Service, "Use Key Vault
    references as app settings".
    """
    rows = [
        f"# {made.title}, connection {made.connection}",
        "# Values stay in Key Vault; references have no version, so they follow each new one.",
    ]
    rows += [f"{x.env}={_setting(x, vault_reference)}" for x in made.lines if x.env]
    return "\n".join(rows) + "\n"


def _setting(line: Line, vault_reference: Callable[[str, str], str]) -> str:
    kept = line.secret or line.stored
    if kept is None:
        return line.value or ""
    return f"@Microsoft.KeyVault(SecretUri={vault_reference(kept.name, '')})"


def settings_file(made: Sheet, name: str) -> str:
    """The fragment of the product's file of that name, as JSON; no secret is in it."""
    fragments = [line.merge for line in made.lines if line.file == name and line.merge]
    return json.dumps(joined(fragments), indent=2, ensure_ascii=False) + "\n"
