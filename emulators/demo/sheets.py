"""Prints what a person takes over into each product."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from emulators.demo.products import Product


def show(console: Console, product: Product, result: dict[str, Any]) -> None:
    """The sheet as people get it, and the environment where the product reads one."""
    console.rule(product.name)
    console.print(Markdown(result["sheet"]))
    if "env" in result:
        console.print(result["env"], soft_wrap=True, highlight=False)


def results(console: Console, found: dict[str, dict[str, Any]]) -> None:
    """One line for each connection: what it has, and until when."""
    table = Table(title="results", title_justify="left", min_width=100)
    for column in ("connection", "permissions", "role", "secret expires", "found", "took"):
        table.add_column(column, overflow="fold")
    for name, result in found.items():
        connection = result["connection"]
        runs = result["discoveries"]["discoveries"]
        accounts = str(runs[0]["accounts"]) if runs else "-"
        run = connection["operations"][0]
        took = datetime.fromisoformat(run["changed"]) - datetime.fromisoformat(run["started"])
        table.add_row(
            name,
            ", ".join(connection["granted"]) or "none",
            ", ".join(connection["roles"]) or "none",
            connection["credential"]["expires"][:10],
            accounts,
            f"{took.total_seconds():.0f} s",
        )
    console.print(table)
