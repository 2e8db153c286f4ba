"""What Keyturn costs a month, from counted operations and assumed prices (docs/costs.md).

Rounded up on purpose: each execution is taken to be billed alone and for a second at least, and
free grants count once for both apps.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from croniter import croniter  # type: ignore[import-untyped]  # has no types

from release.locks import ROOT

OPERATIONS = Path(__file__).with_name("operations.json")
PRICES = Path(__file__).with_name("prices.toml")
PAGE = ROOT / "docs" / "costs.md"
SIZES = (10, 500, 10_000)
DAYS = 365.25 / 12
MEMORY = 2.0  # GB of an instance: frontMemoryMB and workerMemoryMB of infra/main.bicep
LEAST = 1.0  # seconds that one execution is billed for at least
PER_MESSAGE = 3  # operations of Service Bus: send, receive, complete
TELEMETRY = 1.5e-6  # GB of each execution and of each call that it makes
LEDGER = 2e-5  # GB of tables for each connection: rows, and a year of its history
ACCOUNTS = 1e-3  # GB of blobs for each connection: thousands of accounts, compressed
A_MONTH = {
    "verification": DAYS,
    "discovery": DAYS,
    "rotation": DAYS / 120,  # secrets live 180 days, and are replaced at two thirds
    "look": 1.0,
}
"""How often a connection has each operation in a month."""


class Measured(msgspec.Struct, frozen=True):
    """What one operation took: calls by kind, and seconds of executions."""

    counts: dict[str, int]
    seconds: float


class Report(msgspec.Struct, frozen=True):
    """What ``python -m bench.operations`` wrote."""

    measured: str
    operations: dict[str, Measured]


def report(file: Path = OPERATIONS) -> Report:
    return msgspec.json.decode(file.read_bytes(), type=Report)


def prices(file: Path = PRICES) -> dict[str, Any]:
    return tomllib.loads(file.read_text("utf-8"))


def schedules(root: Path = ROOT) -> dict[str, str]:
    """Default schedules of the timers, by the timer's name."""
    bicep = (root / "infra" / "main.bicep").read_text("utf-8")
    found = re.findall(r"^param (\w+)Schedule string = '([^']+)'", bicep, re.MULTILINE)
    return {f"{name}_due": schedule for name, schedule in found}


def runs(schedule: str) -> float:
    """How often a month a timer fires (six fields, seconds first)."""
    start, day = 1_767_225_600.0, 86_400.0
    times = croniter(schedule, start - 1, second_at_beginning=True, day_or=False)
    count = 0
    while times.get_next(float) < start + day:
        count += 1
    return count * DAYS


def usage(found: Report, connections: int) -> tuple[Counter[str], float]:
    """Calls of each kind in a month, and gigabyte-seconds."""
    often = {name: times * connections for name, times in A_MONTH.items()}
    often |= {name: runs(schedule) for name, schedule in schedules().items()}
    total, seconds = Counter[str](), 0.0
    for name, times in often.items():
        each = found.operations[name]
        for kind, count in each.counts.items():
            total[kind] += round(count * times)
        seconds += max(each.seconds, LEAST * each.counts["execution"]) * times
    return total, seconds * MEMORY


def bill(found: Report, price: Mapping[str, Any], connections: int) -> dict[str, float]:
    """Dollars a month by service."""
    total, gigabyte_seconds = usage(found, connections)
    functions, bus, logs = price["functions"], price["servicebus"], price["logs"]
    blobs, tables = price["blobs"], price["tables"]
    paid = max(0, gigabyte_seconds - functions["free_gigabyte_seconds"])
    executions = max(0, total["execution"] - functions["free_executions"])
    messages = max(0, total["message"] * PER_MESSAGE - bus["free_operations"])
    written = max(0, sum(total.values()) * TELEMETRY - logs["free_gigabytes"])
    return {
        "Functions": paid * functions["gigabyte_second"]
        + executions / 1e6 * functions["million_executions"],
        "Service Bus": bus["month"] + messages / 1e6 * bus["million_operations"],
        "Key Vault": total["vault"] / 1e4 * price["keyvault"]["ten_thousand_operations"],
        "Tables": total["table"] / 1e4 * tables["ten_thousand_operations"]
        + connections * LEDGER * tables["gigabyte"],
        "Blobs": total["blob read"] / 1e4 * blobs["ten_thousand_reads"]
        + total["blob write"] / 1e4 * blobs["ten_thousand_writes"]
        + connections * ACCOUNTS * blobs["gigabyte"],
        "Logs and traces": written * logs["gigabyte"],
        "Alerts": alerts(price["alerts"]),
    }


def alerts(price: Mapping[str, Any], root: Path = ROOT) -> float:
    """Dollars a month for rules that ask the logs, and for those that watch queues."""
    modules = root / "infra" / "modules"
    rules = (modules / "query-alerts.bicep").read_text("utf-8").count("frequency: 'PT")
    queues = len(json.loads((root / "infra" / "queues.json").read_text("utf-8"))["queues"])
    return rules * float(price["query_rule"]) + (queues + 1) * float(price["metric_series"])


BEGIN, END = "<!-- costs: written by `make generate` -->", "<!-- end of costs -->"


def written(text: str) -> str:
    """The page with its tables as they have to be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return "\n".join([before + BEGIN, *_tables(report(), prices()), END]) + after


def _tables(found: Report, price: Mapping[str, Any]) -> Iterator[str]:
    bills = [bill(found, price, size) for size in SIZES]
    yield (
        f"In {price['currency']} a month, {price['region']}, prices as assumed on "
        f"{price['dated']}:\n"
    )
    yield "| | " + " | ".join(f"{size:,} connections" for size in SIZES) + " |"
    yield "|---|" + "---:|" * len(SIZES)
    for service in bills[0]:
        yield f"| {service} | " + " | ".join(f"{each[service]:,.2f}" for each in bills) + " |"
    yield "| **all** | " + " | ".join(f"**{sum(each.values()):,.0f}**" for each in bills) + " |"
    each = " | ".join(f"{sum(b.values()) / s:,.2f}" for b, s in zip(bills, SIZES, strict=True))
    yield f"| each connection | {each} |"
    yield f"\nWhat one operation takes, counted on the local cloud on {found.measured}:\n"
    kinds = ("execution", "message", "table", "blob read", "blob write", "vault")
    yield "| operation | " + " | ".join(kinds) + " | seconds | a month |"
    yield "|---|" + "---:|" * (len(kinds) + 2)
    times = {**A_MONTH, **{name: runs(each) for name, each in schedules().items()}}
    for name, measured in found.operations.items():
        counts = " | ".join(str(measured.counts.get(kind, 0)) for kind in kinds)
        yield f"| {name} | {counts} | {measured.seconds:.1f} | {_often(name, times)} |"
    yield "\n| price | USD | source |\n|---|---:|---|"
    for service, entries in price.items():
        if isinstance(entries, dict):
            for name, value in entries.items():
                if name != "source":
                    words = name.replace("_", " ")
                    yield f"| {service}, {words} | {_plain(value)} | <{entries['source']}> |"


def _often(name: str, times: Mapping[str, float]) -> str:
    if name not in times:
        return "once"
    if name.endswith("_due"):
        return f"{times[name]:,.0f}"
    return f"{times[name]:.2f} each"


def _plain(value: float) -> str:
    """Every digit, and no exponent."""
    return f"{value:,.8f}".rstrip("0").rstrip(".")


def main() -> int:
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
