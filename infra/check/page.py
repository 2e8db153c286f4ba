"""The table of parameters in docs/deployment.md, from the descriptions in main.bicep."""

from collections.abc import Iterator

from infra.check import tree
from infra.check.finding import Finding
from infra.check.modules import MAIN
from infra.check.parameters import PARAMETERS
from infra.check.source import Declaration, Repository

PAGE = "docs/deployment.md"
BEGIN = "<!-- parameters: written by `make generate` from infra/main.bicep -->"
END = "<!-- end of parameters -->"


def check(repository: Repository) -> Iterator[Finding]:
    for param in repository.bicep[MAIN].of("param") if MAIN in repository.bicep else ():
        if param.decorated("description") is None:
            message = f"parameter {param.name} has no @description"
            yield Finding(MAIN, param.line, "parameter-page", message)
    text = (repository.root / PAGE).read_text("utf-8") if repository.exists(PAGE) else ""
    if written(repository, text) != text:
        line = repository.line_of(PAGE, BEGIN)
        yield Finding(PAGE, line, "parameter-page", "differs from main.bicep: make generate")


def write(repository: Repository) -> None:
    """Put the table into the page."""
    path = repository.root / PAGE
    path.write_text(written(repository, path.read_text("utf-8")), "utf-8")


def written(repository: Repository, text: str) -> str:
    """Return the page with the table as it has to be."""
    before, mark, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end or MAIN not in repository.bicep:
        return f"{text}\n{BEGIN}\n{END}\n"
    entries = (repository.json(PARAMETERS) or {}).get("parameters", {})
    rows = [
        f"| `{param.name}` | {_default(param)} | {_variable(entries.get(param.name))} "
        f"| {_about(param)} |"
        for param in repository.bicep[MAIN].of("param")
    ]
    head = ["| parameter | default | `azd env set` | what it is |", "|---|---|---|---|"]
    return before + "\n".join([BEGIN, *head, *rows, END]) + after


def _default(param: Declaration) -> str:
    if param.default is None:
        return "asked for"
    if (literal := tree.literal(param.default)) is not None:
        return f"`{literal}`" if literal else "empty"
    return f"`{' '.join(tree.text(param.default).split())}`"


def _variable(entry: dict[str, str] | None) -> str:
    """Return the variable of azd's environment that an entry of the parameter file reads."""
    given = str((entry or {}).get("value", ""))
    return f"`{given[2:-1].partition('=')[0]}`" if given.startswith("${") else ""


def _about(param: Declaration) -> str:
    text = tree.literal(param.decorated("description")) or ""
    allowed = param.decorated("allowed")
    if allowed is None:
        return text.replace("|", "\\|")
    choices = ", ".join(f"`{tree.literal(item)}`" for item in tree.parts(allowed))
    return f"{text} One of {choices}.".replace("|", "\\|")
