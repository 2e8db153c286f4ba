"""``python -m deploy permissions | doctor``: for people, from a checkout."""

import argparse
import sys
from typing import Any

from deploy import permissions

COMMANDS: dict[str, tuple[Any, str]] = {
    "permissions": (permissions, "grant what only an administrator of the tenant can give"),
}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (module, about) in COMMANDS.items():
        made = commands.add_parser(name, help=about, description=module.__doc__)
        module.add_arguments(made)
    given = parser.parse_args(arguments)
    return int(COMMANDS[given.command][0].run(given))


if __name__ == "__main__":
    sys.exit(main())
