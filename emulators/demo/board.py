"""The live view: every connection's conditions as they stand."""

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

ORDER = (
    "Registered",
    "Consented",
    "RoleAssigned",
    "CredentialReady",
    "Verified",
    "Discovered",
    "HandedOver",
)
MARKS = {"True": "[green]done[/]", "False": "[red]stopped[/]", "Unknown": "[yellow]waiting[/]"}
HELD = "[magenta]approval[/]"
PENDING = "APPROVAL_PENDING"


def board(connections: dict[str, dict[str, Any] | None], seconds: float) -> RenderableType:
    """A row for each connection, and below what the last one to move says."""
    shown = Table(title=f"{seconds:5.1f} s", title_justify="left", min_width=100)
    shown.add_column("connection")
    for aspect in ORDER:
        shown.add_column(aspect)
    for name, connection in connections.items():
        known = conditions(connection)
        shown.add_row(name, *(_mark(known.get(aspect)) for aspect in ORDER))
    return Group(shown, _latest(connections))


def conditions(connection: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
    return {c["type"]: c for c in (connection or {}).get("conditions", [])}


def waits_for_approval(connection: dict[str, Any] | None) -> bool:
    return any(
        condition["status"] == "False" and condition["reason"] == PENDING
        for condition in conditions(connection).values()
    )


def ended(connection: dict[str, Any] | None) -> bool:
    """Whether nothing of it is going on any more."""
    operations = (connection or {}).get("operations", [])
    return bool(operations) and all(o["state"] != "running" for o in operations)


def _mark(condition: dict[str, Any] | None) -> str:
    if condition is None:
        return "[dim]...[/]"
    if condition["status"] == "False" and condition["reason"] == PENDING:
        return HELD
    return MARKS[condition["status"]]


def _latest(connections: dict[str, dict[str, Any] | None]) -> str:
    moved = [
        (condition["since"], name, condition["message"])
        for name, connection in connections.items()
        for condition in conditions(connection).values()
    ]
    if not moved:
        return ""
    _, name, message = max(moved)
    return f"[dim]{name}: {message}[/]"
