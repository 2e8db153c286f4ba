"""Runs the Key Vault emulator: ``python -m emulators.keyvault --port N``."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from pathlib import Path
from typing import get_args

from emulators.clock import Clock
from emulators.keyvault.delivery import QueueSender
from emulators.keyvault.event import Schema
from emulators.keyvault.rbac import Role
from emulators.keyvault.server import serving
from emulators.keyvault.settings import TENANT, Settings


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m emulators.keyvault", description=__doc__)
    option = parser.add_argument
    option("--port", type=int, default=0, help="0: a free one")
    option("--tls", type=Path, default=Path("build/tls"), help="folder of the authority")
    option("--clock", type=Path, help="file of the shared emulated clock")
    option("--authority", help="base URL of the token issuer; without: any bearer token will do")
    option("--tenant", default=TENANT)
    option("--store", type=Path, help="SQLite file that outlives the process")
    option("--name", default="local-vault", help="the vault's name in events")
    option("--deletion-lag", type=float, default=0.0, help="seconds")
    option("--recovery-lag", type=float, default=0.0, help="seconds")
    option("--retention-days", type=int, default=90, choices=range(7, 91), metavar="7..90")
    option("--purge-protection", action="store_true")
    option("--default-role", type=Role, default=Role.OFFICER, help="officer, user or none")
    option("--officer", action="append", default=[], help="client id with the role of an officer")
    option("--grant-delay", type=float, default=0.0, help="seconds until a grant takes effect")
    option("--events-connection", help="Service Bus connection string")
    option("--events-queue", default="vault-events")
    option("--events-schema", choices=get_args(Schema), default="EventGridSchema")
    option("--events-odd-keys", action="store_true", help="keys as in the documentation's sample")
    return parser.parse_args()


def _settings(arguments: argparse.Namespace) -> Settings:
    return Settings(
        tls=arguments.tls,
        port=arguments.port,
        clock=Clock(arguments.clock),
        authority=arguments.authority,
        tenant=arguments.tenant,
        store=arguments.store,
        name=arguments.name,
        retention_days=arguments.retention_days,
        purge_protection=arguments.purge_protection,
        deletion_lag=arguments.deletion_lag,
        recovery_lag=arguments.recovery_lag,
        default_role=arguments.default_role,
        grant_delay=arguments.grant_delay,
    )


async def _main(arguments: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    async with serving(_settings(arguments)) as vault:
        for client_id in arguments.officer:
            vault.rbac.assign(client_id, Role.OFFICER, delay=0)
        if arguments.events_connection:
            await vault.events.subscribe(
                QueueSender(arguments.events_connection, arguments.events_queue),
                arguments.events_schema,
                odd_keys=arguments.events_odd_keys,
            )
        ready = {
            "ready": True,
            "port": vault.port,
            "vault": vault.url,
            "ca_file": vault.ca_file,
            "admin": vault.admin,
        }
        print(json.dumps(ready), flush=True)  # noqa: T201  # the ready line is the interface
        await stop.wait()


if __name__ == "__main__":
    logging.basicConfig(stream=sys.stderr, level=logging.INFO)
    logging.getLogger("azure").setLevel(logging.WARNING)
    asyncio.run(_main(_arguments()))
