"""The hand-over sheet: what a person enters into the product, under the product's own labels."""

from collections.abc import Callable
from typing import Any

from shared.errors import NeedsHuman
from shared.model.connection import Connection, Value
from shared.model.directory import Tenant
from shared.model.profile import Output, Profile, fill
from shared.planning.templates import template_values


class VaultReference(Value, frozen=True, omit_defaults=False):
    """Where the secret is, in place of its value."""

    vault: str  # URL of that version
    name: str
    version: str
    key_id: str


class Line(Value, frozen=True):
    """One field of the product: a value, or where to fetch it."""

    name: str
    label: str
    value: str | None = None
    secret: VaultReference | None = None
    replaces: str = ""  # the guide's step that this line makes needless


class Sheet(Value, frozen=True, omit_defaults=False):
    """Everything to enter, in the order of the product's form."""

    connection: str
    profile: str
    title: str
    lines: tuple[Line, ...]


def sheet(
    profile: Profile,
    connection: Connection,
    tenant: Tenant,
    vault_reference: Callable[[str, str], str],
) -> Sheet:
    """Fill the profile's outputs; raises `NeedsHuman` naming all that must not be empty."""
    values = _values(profile, connection, tenant)
    secret = _reference(connection, vault_reference)
    lines: list[Line] = []
    empty: list[str] = []
    for output in profile.outputs:
        line = _line(output, values, secret)
        if line is not None:
            lines.append(line)
        elif not output.optional:
            empty.append(output.name)
    if empty:
        raise NeedsHuman(
            "OUTPUT_EMPTY",
            f"The hand-over sheet has no value for {', '.join(empty)}.",
            "Wait until onboarding has succeeded; if it has ended otherwise, follow the remedy of "
            "its condition first.",
        )
    return Sheet(
        connection=connection.spec.name,
        profile=profile.id,
        title=profile.title,
        lines=tuple(lines),
    )


def _line(output: Output, values: dict[str, str], secret: VaultReference | None) -> Line | None:
    common: dict[str, Any] = {
        "name": output.name,
        "label": output.label,
        "replaces": output.replaces,
    }
    if output.secret:
        return Line(secret=secret, **common) if secret else None
    value = fill(output.value, values)
    return Line(value=value, **common) if value.strip() else None


def _values(profile: Profile, connection: Connection, tenant: Tenant) -> dict[str, str]:
    """Inputs that were not given are empty; a sheet has no date, it is made anew when asked."""
    credential = connection.credential
    return {
        **{f"inputs.{name}": "" for name in profile.inputs},
        **template_values(connection.spec, tenant, connection.facts, today=""),
        "secret.key_id": credential.key_id if credential else "",
    }


def _reference(
    connection: Connection, vault_reference: Callable[[str, str], str]
) -> VaultReference | None:
    credential = connection.credential
    if credential is None:
        return None
    return VaultReference(
        vault=vault_reference(credential.vault_name, credential.vault_version),
        name=credential.vault_name,
        version=credential.vault_version,
        key_id=credential.key_id,
    )


def markdown(made: Sheet) -> str:
    """The sheet for people, ready to be pasted into a ticket."""
    rows = [
        f"# {_plain(made.title)}",
        "",
        f"Connection {_code(made.connection)}. Enter these values into the product.",
        "",
        "| Field | Value | Replaces |",
        "| --- | --- | --- |",
    ]
    for line in made.lines:
        if line.secret is not None:
            value = (
                f"secret {_code(line.secret.name)}, version {_code(line.secret.version)}, "
                f"in Key Vault: {_code(line.secret.vault)}"
            )
        else:
            value = _code(line.value or "")
        rows.append(f"| {_plain(line.label)} | {value} | {_plain(line.replaces)} |")
    return "\n".join(rows) + "\n"


def _plain(text: str) -> str:
    """*text* as prose of a table: nothing in it is taken for markup."""
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in text)


def _code(text: str) -> str:
    """*text* as a code span, fenced by more backticks than it holds in a row."""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")
