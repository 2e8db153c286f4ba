"""``python -m deploy permissions | doctor | next``: for people, from a checkout."""

import argparse
import importlib
import sys

COMMANDS = {
    "permissions": ("permissions", "grant what only an administrator of the tenant can give"),
    "doctor": ("doctor", "look at a deployment, and say what is wrong and what to do"),
    "next": ("next_steps", "say what is left to do after azd provision"),
}


def main(arguments: list[str] | None = None) -> int:
    given_all = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m deploy")
    commands = parser.add_subparsers(dest="command", required=True)
    # Only what is asked for is imported: azd's hook runs where nothing is installed.
    wanted = next((word for word in given_all if word in COMMANDS), "")
    for name, (module, about) in COMMANDS.items():
        made = commands.add_parser(name, help=about)
        if name == wanted:
            loaded = importlib.import_module(f"deploy.{module}")
            made.description = loaded.__doc__
            loaded.add_arguments(made)
            made.set_defaults(run=loaded.run)
    given = parser.parse_args(given_all)
    return int(given.run(given))


if __name__ == "__main__":
    sys.exit(main())
