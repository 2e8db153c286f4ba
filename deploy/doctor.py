"""``python -m deploy doctor``: looks at a deployment and says what is wrong and what to do.

From this machine: whether strangers get in, the API's registration, the permissions in the
directory. From the apps themselves: whatever they need, under their own identity and settings.
Ends with 0 when nothing is wrong. Changes nothing.
"""

import argparse
import asyncio
import os
import ssl
import sys
from collections.abc import AsyncIterator

import httpx

from deploy import door, grants, target, told
from deploy.directory import Refused, credential, signed_in
from deploy.findings import FAILED, OK, WARNING, Finding, summary
from deploy.registration import Registration
from deploy.section import Section

HEALTHY, WRONG = 0, 1

TIMEOUT = 60.0
"""Seconds; an app that slept takes a while to answer."""

REPAIR = "python -m deploy permissions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--environment", default="", help="azd environment; its default one if not")
    parser.add_argument(
        "--key",
        default=os.environ.get("KEYTURN_FUNCTION_KEY", ""),
        help="function key of the front door (or KEYTURN_FUNCTION_KEY)",
    )


def run(given: argparse.Namespace) -> int:
    try:
        found = asyncio.run(_all(target.find(given.environment), given.key))
    except target.Unclear as problem:
        sys.stderr.write(f"{problem}\n")
        return WRONG
    sys.stdout.write("".join(f"{each.text()}\n" for each in found) + f"\n{summary(found)}\n")
    return WRONG if any(each.status == FAILED for each in found) else HEALTHY


async def _all(meant: target.Target, key: str) -> list[Finding]:
    meant.required("KEYTURN_FRONT_URL")
    found = [each async for each in _directory(meant)]
    found += [each async for each in _apps(meant, key)]
    return found


async def _directory(meant: target.Target) -> AsyncIterator[Finding]:
    """The tenant's side, as far as whoever runs this may read it."""
    try:
        async with signed_in(meant) as client:
            for section in await grants.sections(client, meant, without=(), prune=False):
                yield _of_section(section)
            yield _of_section(await Registration(client, meant).plan())
    except Refused as refusal:
        yield Finding(WARNING, "directory", f"not looked at: {refusal}")


def _of_section(section: Section) -> Finding:
    where = f"directory, {section.title.partition(':')[0].lower()}"
    told_ = [change.what for change in section.changes]
    notes = [note for note in section.notes if "not needed" in note]
    if told_:
        message = f"not done yet: {'; '.join([*told_, *notes])}"
        return Finding(FAILED, where, message, f"have an administrator run {REPAIR}")
    if notes:
        return Finding(WARNING, where, "; ".join(notes), f"{REPAIR} --prune")
    return Finding(OK, where)


async def _apps(meant: target.Target, key: str) -> AsyncIterator[Finding]:
    # The variable that OpenSSL has for it; a company's proxy may need its own authority.
    trust = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
    url = meant.url("front")
    try:
        async with httpx.AsyncClient(base_url=url, verify=trust, timeout=TIMEOUT) as http:
            for each in await door.strangers(http, meant, key):
                yield each
            token = await _token(meant)
            if isinstance(token, Finding):
                yield token
                return
            health, refused = await door.health(http, key, token)
    except httpx.HTTPError as error:
        remedy = "see that the app runs, and that this machine may reach it (private networking)"
        yield Finding(FAILED, "front door", f"{url} cannot be reached: {error!r}", remedy)
        return
    for each in refused if health is None else told.findings(health, told.utc_now()):
        yield each


async def _token(meant: target.Target) -> str | Finding:
    from azure.core.exceptions import ClientAuthenticationError

    if not meant.api_client_id:
        return Finding(
            FAILED,
            door.SIGN_IN,
            "KEYTURN_API_CLIENT_ID is not set, so nobody can sign in",
            f"{REPAIR} makes the registration and says how to set it",
        )
    try:
        async with credential(meant) as own:
            token = await own.get_token(f"api://{meant.api_client_id}/.default")
    except ClientAuthenticationError as error:
        said = str(error).partition("\n")[0]
        remedy = f"az login, and have a role of the API given to you: {REPAIR} --reader <you>"
        return Finding(FAILED, door.SIGN_IN, f"no token for the API: {said}", remedy)
    return token.token
