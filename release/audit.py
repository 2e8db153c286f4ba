"""Known vulnerabilities of every locked dependency, asked of OSV by pip-audit.

OSV (https://osv.dev) is asked rather than PyPI's own interface, because a mirror of PyPI answers
404 there, which pip-audit takes for "not on PyPI" and passes over. Whatever could not be asked
about is a failure here.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from release.locks import LOCKS, ROOT, Pin, pins

ALLOWED = Path(__file__).with_suffix(".toml")
OSV = "https://api.osv.dev/v1/query"
NO_ANSWER = ("NameResolutionError", "ConnectTimeout", "ReadTimeout", "ConnectionError",
             "ProxyError", "Could not connect")  # fmt: skip
"""How pip-audit's messages show that the service was not reached, as opposed to refusing."""


class Unreachable(Exception):
    """The service of known vulnerabilities did not answer; nothing is known."""


class AuditFailed(Exception):
    """pip-audit itself failed; the text is its own."""


class BadEntry(Exception):
    """An entry of the allow-list is incomplete."""


@dataclass(frozen=True, order=True)
class Known:
    """One vulnerability of one pinned version; *ids* holds its names in all catalogues."""

    pin: str
    ids: tuple[str, ...]
    fixed: tuple[str, ...] = ()

    def __str__(self) -> str:
        remedy = f"fixed in {', '.join(self.fixed)}: make lock" if self.fixed else "not fixed yet"
        return f"{self.pin} has {', '.join(self.ids)}, {remedy}"


@dataclass(frozen=True)
class Entry:
    """A vulnerability that is let pass before the day *expires*."""

    id: str
    reason: str
    expires: date


def entries(file: Path = ALLOWED) -> list[Entry]:
    """The allow-list; raises `BadEntry` where one lacks its id, its reason or its date."""
    return [_entry(each) for each in tomllib.loads(file.read_text("utf-8")).get("allowed", [])]


def _entry(found: dict[str, object]) -> Entry:
    id_, reason, expires = (found.get(key) for key in ("id", "reason", "expires"))
    if not (isinstance(id_, str) and id_ and isinstance(reason, str) and reason.strip()):
        raise BadEntry(f"audit.toml: an entry needs an id and a reason: {found}")
    if not isinstance(expires, date):
        raise BadEntry(f"audit.toml: {id_} needs `expires`, a date such as 2027-01-31")
    return Entry(id_, reason, expires)


def problems(found: Iterable[Known], allowed: Sequence[Entry], today: date) -> list[str]:
    """What fails the check: what is not allowed, what is no longer, and what nobody needs."""
    known = sorted(set(found))
    live = {entry.id for entry in allowed if today < entry.expires}
    texts = [str(each) for each in known if not live & set(each.ids)]
    for entry in allowed:
        if today >= entry.expires:
            texts.append(f"audit.toml: {entry.id} was allowed until {entry.expires} only")
        elif not any(entry.id in each.ids for each in known):
            texts.append(f"audit.toml: nothing has {entry.id} any more; remove the entry")
    return texts


def locked(root: Path = ROOT) -> list[Pin]:
    """Every version that any Python on any machine would be given."""
    found = {(pin.name, pin.version): pin for lock in LOCKS for pin in pins(root / lock)}
    return [found[key] for key in sorted(found)]


def ask(wanted: Sequence[Pin], service: str = OSV) -> list[Known]:
    """What the *service* knows; raises `Unreachable` or `AuditFailed`."""
    found: list[Known] = []
    rest = list(wanted)
    while rest:  # pip-audit takes one version of a name at a time
        first = {pin.name: pin for pin in reversed(rest)}
        found += _ask(sorted(first.values()), service)
        rest = [pin for pin in rest if first[pin.name] != pin]
    return sorted(found)


def _ask(wanted: Sequence[Pin], service: str) -> list[Known]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text("".join(f"{pin}\n" for pin in wanted), "utf-8")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(file), "--no-deps"]
        command += ["--disable-pip", "--progress-spinner", "off", "--format", "json", "--strict"]
        command += ["--vulnerability-service", "osv", "--osv-url", service]
        command += ["--cache-dir", folder, "--timeout", "20"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if not done.stdout.startswith("{"):
        raise _failure(done.stderr, service)
    answered = json.loads(done.stdout)["dependencies"]
    missed = {str(pin) for pin in wanted} - {f"{e['name']}=={e.get('version')}" for e in answered}
    if missed:
        raise AuditFailed(f"nothing was said of {', '.join(sorted(missed))}")
    return [
        Known(f"{each['name']}=={each['version']}", (v["id"], *v["aliases"]), (*v["fix_versions"],))
        for each in answered
        for v in each["vulns"]
    ]


def _failure(text: str, service: str) -> Exception:
    lines = text.strip().splitlines() or ["pip-audit said nothing"]
    if any(word in text for word in NO_ANSWER):
        return Unreachable(f"{urlsplit(service).hostname} cannot be reached: {lines[-1]}")
    return AuditFailed(lines[-1])
