"""``python -m deploy permissions``: what only an administrator of the tenant can give.

Prints all that it will do and why, asks, and does it. What is there already is left alone, so it
may be repeated, interrupted, and run by another person than the one who deploys.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Sequence

from deploy import grants, people, target
from deploy.directory import Refused, signed_in
from deploy.registration import Registration
from deploy.section import Section
from shared.model.caller import Role
from shared.planning.identities import IDENTITIES

DONE, FAILED, DECLINED = 0, 1, 2

HEAD = """Tenant {tenant}, deployment {name}. What this will do there:

"""

TOKENS = """
Tokens that the apps hold already keep their old permissions for up to a day; restarting both apps
gives them new ones. `python -m deploy doctor` shows whether everything works.
"""

NEXT = """
Callers can sign in once the API knows its registration:

    azd env set KEYTURN_API_CLIENT_ID {client_id}
    azd provision
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--environment", default="", help="azd environment; its default one if not")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and stop")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--prune", action="store_true", help="take superfluous permissions away")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PERMISSION",
        help="leave this permission out; may be repeated",
    )
    for role in Role:
        name = role.name.lower()
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="WHO",
            help=f"give a person or application the role {role.value}; may be repeated",
        )


def run(given: argparse.Namespace) -> int:
    try:
        found = target.find(given.environment)
        return asyncio.run(_run(found, given, sys.stdout.write, _ask))
    except (Refused, target.Unclear) as problem:
        sys.stderr.write(f"\n{problem}\n")
        return FAILED


async def _run(
    found: target.Target,
    given: argparse.Namespace,
    say: Callable[[str], object],
    ask: Callable[[], bool],
) -> int:
    _known(given.without)
    async with signed_in(found) as client:
        registration = Registration(client, found)
        roles = {role: getattr(given, role.name.lower()) for role in Role}
        planned = await grants.sections(client, found, without=given.without, prune=given.prune)
        planned += [await registration.plan()]
        planned += [await people.plan(client, registration, roles)]
        say(HEAD.format(tenant=found.tenant_id, name=found.name))
        if len(planned) == 2:
            say("No identities yet: run this again after `azd provision`.\n\n")
        say("\n".join(section.text() for section in planned))
        if not any(section.changes for section in planned):
            say("\nEverything is as it should be.\n")
        elif given.dry_run:
            say("\nNothing was done (--dry-run).\n")
            return DONE
        elif not (given.yes or ask()):
            say("\nNothing was done.\n")
            return DECLINED
        else:
            await _make(planned, say)
            say(TOKENS)
        if registration.client_id != found.api_client_id:
            say(NEXT.format(client_id=registration.client_id))
    return DONE


async def _make(planned: Sequence[Section], say: Callable[[str], object]) -> None:
    say("\n")
    for section in planned:
        for change in section.changes:
            await change.make()
            say(f"done: {change.what}\n")


def _ask() -> bool:
    if not sys.stdin.isatty():
        sys.stderr.write("\nNobody is there to be asked: add --yes to do it.\n")
        return False
    return input("\nDo this? [y/N] ").strip().lower() in ("y", "yes")


def _known(without: Sequence[str]) -> None:
    """A misspelt permission must not be granted after all."""
    known = {right.permission for rights in IDENTITIES.values() for right in rights}
    if unknown := sorted(set(without) - known):
        raise target.Unclear(
            f"--without {', '.join(unknown)}: no such permission is granted; "
            f"known: {', '.join(sorted(known))}"
        )
