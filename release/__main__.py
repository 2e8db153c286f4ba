"""``python -m release``: build the deployment package, and judge what goes into it."""

import argparse
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path

from release import audit, licences, package
from release.locks import PRODUCT, ROOT, pins
from release.site import named

REPORT = package.BUILD / "licences.md"
SERVICE = "KEYTURN_OSV_URL"


def main(arguments: list[str] | None = None) -> int:
    given = parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = given.run
    return run(given)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m release", description=__doc__)
    commands = made.add_subparsers(required=True)
    built = commands.add_parser("package", help="build the deployment package")
    built.add_argument("--folder", type=Path, default=package.BUILD, help="where it is put")
    built.add_argument(
        "--deployable",
        action="store_true",
        help="fail unless this Python is the one that the apps run in Azure",
    )
    built.set_defaults(run=_package)
    audited = commands.add_parser("audit", help="fail for known vulnerabilities")
    audited.add_argument(
        "--require",
        action="store_true",
        default=os.environ.get("GITHUB_ACTIONS") == "true",
        help="fail, too, when the service cannot be reached; always so in GitHub Actions",
    )
    audited.add_argument(
        "--service", default=os.environ.get(SERVICE, audit.OSV), help="another OSV service"
    )
    audited.set_defaults(run=_audit)
    licensed = commands.add_parser("licences", help="fail for a licence that is not allowed")
    licensed.add_argument("--report", type=Path, default=REPORT, help="where the table is put")
    licensed.set_defaults(run=_licences)
    return made


def _package(given: argparse.Namespace) -> int:
    try:
        if given.deployable:
            package.require_deployable()
    except package.WrongPython as error:
        return _failed(str(error))
    target = package.Target(given.folder.resolve())
    facts = package.build(target)
    _say(
        f"{target.zip}: {facts.packed / 1e6:.1f} MB, unpacked {facts.unpacked / 1e6:.1f} MB in"
        f" {facts.files} files, for Python {facts.python}\nsha256 {facts.sha256}"
    )
    return 0


def _audit(given: argparse.Namespace) -> int:
    try:
        allowed, wanted = audit.entries(), audit.locked()
        found = audit.ask(wanted, given.service)
    except audit.Unreachable as error:
        if given.require:
            return _failed(f"audit: {error}")
        sys.stderr.write(
            f"SKIPPED: known vulnerabilities were not looked for. {error}\n"
            "Where the service must be reached, run: python -m release audit --require\n"
        )
        return 0
    except (audit.AuditFailed, audit.BadEntry) as error:
        return _failed(f"audit: {error}")
    wrong = audit.problems(found, allowed, datetime.now(UTC).date())
    _say(
        f"audit: {len(wanted)} versions, {len(found)} known vulnerabilities, {len(wrong)} problems"
    )
    return _failed("\n".join(wrong)) if wrong else 0


def _licences(given: argparse.Namespace) -> int:
    policy, shipped = licences.Policy.read(), {pin.name for pin in pins(ROOT / PRODUCT)}
    known = {pin.name for pin in audit.locked()}
    here = [each for each in distributions() if named(each) in known]
    found = sorted({licences.licence(each, policy, shipped) for each in here})
    given.report.parent.mkdir(parents=True, exist_ok=True)
    given.report.write_text(licences.report(found), "utf-8")
    wrong = [each for each in found if not each.allowed]
    _say(f"licences: {len(found)} distributions, {len(wrong)} not allowed; {given.report}")
    lines = [f"{each.name} {each.version}: {each.expression or 'unknown'}" for each in wrong]
    remedy = "read the licence; then add it to release/licences.toml, or use something else"
    return _failed("\n".join([*lines, remedy])) if wrong else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _failed(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
