"""``python -m deploy next``: what is left to do after `azd provision`, which azd prints.

Needs nothing but Python itself, as azd runs it in whatever Python is there.
"""

import argparse
import sys

from deploy import target

TEXT = """
Keyturn is provisioned. What is left takes a Privileged Role Administrator of the tenant, who need
not be you: in this checkout, with its requirements installed (make setup) and `az login` done,

    .venv/bin/python -m deploy permissions --dry-run   # what it would grant, and why
    .venv/bin/python -m deploy permissions --approver <who> --operator <who>

{api}
Then see whether everything works:

    .venv/bin/python -m deploy doctor

Another machine needs these besides:

{values}
"""

SHUT = """Until the API knows its registration it answers nobody: the command ends with two lines
that tell it (azd env set KEYTURN_API_CLIENT_ID ..., azd provision).
"""

OPEN = """The API knows its registration, {client_id}.
"""

NAMES = (
    "AZURE_TENANT_ID",
    "KEYTURN_FRONT_PRINCIPAL_ID",
    "KEYTURN_WORKER_PRINCIPAL_ID",
    "KEYTURN_FRONT_URL",
    "KEYTURN_API_CLIENT_ID",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--environment", default="", help="azd environment; its default one if not")


def run(given: argparse.Namespace) -> int:
    try:
        found = target.find(given.environment)
    except target.Unclear as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    api = OPEN.format(client_id=found.api_client_id) if found.api_client_id else SHUT
    known = ((name, found.values.get(name, "")) for name in NAMES)
    values = "\n".join(f"    export {name}={value}" for name, value in known if value)
    sys.stdout.write(TEXT.format(api=api, values=values))
    return 0
