"""``python -m shared.profile``: work on profiles.

lint FILE...     say what is wrong with profiles; exit code 1 if any of it is an error
names ANSWER...  take a tenant's names of permissions over into the linter's list
"""

import sys
from collections.abc import Callable
from pathlib import Path


def lint(files: list[Path]) -> int:
    from shared.profile.lint import lint_file

    found = [(file, finding) for file in files for finding in lint_file(file)]
    for file, finding in found:
        sys.stdout.write(finding.shown(str(file)) + "\n")
    return 1 if any(finding.level == "error" for _, finding in found) else 0


def names(answers: list[Path]) -> int:
    from shared.profile.lint.refresh import refresh_file

    for answer in answers:
        try:
            refresh_file(answer.read_bytes())
        except (OSError, ValueError) as problem:
            sys.stderr.write(f"{answer}: {problem}\n")
            return 1
    return 0


COMMANDS: dict[str, Callable[[list[Path]], int]] = {"lint": lint, "names": names}


def main(arguments: list[str]) -> int:
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None or not arguments[1:]:
        sys.stderr.write(__doc__ or "")
        return 2
    return command([Path(argument) for argument in arguments[1:]])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
