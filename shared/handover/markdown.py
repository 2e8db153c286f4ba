"""The sheet for people, ready to be pasted into a ticket."""

import json
from datetime import datetime

from shared.handover.model import Line, Sheet, VaultReference


def markdown(made: Sheet) -> str:
    rows = [
        f"# {plain(made.title)}",
        "",
        f"Connection {code(made.connection)}. Enter these values into the product.",
    ]
    if made.facts == "partial":
        rows += [
            "",
            "The vendor's guide leaves gaps: compare the fields with your version of the product.",
        ]
    rows += ["", "| Field | Value | Replaces |", "| --- | --- | --- |"]
    rows += [_row(line) for line in made.lines if not line.file]
    for line in made.lines:
        if line.file:
            rows += _file(line)
    rows += _listed("When it is done", _taking_over(made))
    rows += _listed("For a person to do", [plain(step.what) for step in made.steps])
    rows += _listed(
        "Must hold first", [f"{code(p.id)}: {plain(p.about)}" for p in made.preconditions]
    )
    rows += _listed(
        "To know",
        [plain(n.about) + (f" ({plain(n.replaces)})" if n.replaces else "") for n in made.notes],
    )
    swaps = [
        f"{'Taken' if s.taken else 'Offered'}: {code(s.use)} instead of {code(s.instead_of)} "
        f"(differs from the vendor): {plain(s.reason)}"
        for s in made.swaps
    ]
    return "\n".join(rows + _listed("Narrower permissions", swaps)) + "\n"


def _taking_over(made: Sheet) -> list[str]:
    """Whom to tell that the product uses the secret, and until when the one before works."""
    known, rows = made.taking_over, []
    if known is None:
        return []
    if known.former_until is not None:
        rows.append(f"The secret before this one works until {_moment(known.former_until)}.")
    if known.by:
        rows.append(f"{plain(known.by)} has said that the product uses this one.")
        return rows
    body = json.dumps({"version": known.version})
    then = ": the secret before it is removed then" if known.former_until else ""
    rows.append(
        f"Say so as soon as the product signs in with these values{then}. "
        f"{code(f'POST {known.url}')} with {code(body)}, or a message of the kind "
        f"{code('acknowledge')} in the queue {code('provisioning')}."
    )
    return rows


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _row(line: Line) -> str:
    if line.secret is not None:
        form = line.secret.form
        what = f"certificate with its private key ({form})" if form else "secret"
        value = f"{what} {_where(line.secret)}"
    else:
        value = code(line.value or "")
        if line.stored is not None:
            value += f", also {_where(line.stored)}"
    name = code(line.env) if line.env == line.label else plain(line.label)
    if line.env and line.env != line.label:
        name += f" ({code(line.env)})"
    return f"| {name} | {value} | {plain(line.replaces)} |"


def _where(kept: VaultReference) -> str:
    hint = f", the one that starts with {code(kept.hint)}" if kept.hint else ""
    if kept.thumbprint:
        hint = f", thumbprint {code(kept.thumbprint)}"
    until = f", until {_moment(kept.expires)}" if kept.expires else ""
    return f"{code(kept.name)}, version {code(kept.version)}{hint}{until}, in Key Vault: " + code(
        kept.vault
    )


def _file(line: Line) -> list[str]:
    body = json.dumps(line.merge, indent=2, ensure_ascii=False).splitlines()
    replaces = f" ({plain(line.replaces)})" if line.replaces else ""
    # Indented, as a fence could end where a value has one.
    return ["", f"Merge into {code(line.file)}{replaces}:", "", *(f"    {row}" for row in body)]


def _listed(title: str, items: list[str]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {item}" for item in items)] if items else []


def plain(text: str) -> str:
    """*text* as prose: nothing in it is taken for markup."""
    one_line = " ".join(text.split())
    return "".join(f"\\{c}" if c in "\\`*_[]<>|#" else c for c in one_line)


def code(text: str) -> str:
    """*text* as a code span, fenced by more backticks than it holds in a row."""
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}".replace("|", "\\|")
