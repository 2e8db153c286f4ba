"""`python -m infra.check [FOLDER]`: one line a finding, exit status 1 if there is any.

`python -m infra.check --write` writes the table of parameters into docs/deployment.md.
"""

import sys
from pathlib import Path

from infra.check import page
from infra.check.run import check, skipped
from infra.check.source import Repository

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str]) -> int:
    if arguments == ["--write"]:
        page.write(Repository(ROOT))
        return 0
    root = Path(arguments[0]) if arguments else ROOT
    findings = check(root)
    for finding in findings:
        sys.stdout.write(f"{finding}\n")
    for reason in skipped():
        sys.stderr.write(f"skipped: {reason}\n")
    sys.stderr.write(f"infra: {len(findings)} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
