"""Starts a client's process and takes its report."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from bench.scale.rounds import Report

LIMIT = 3 * 3600.0
"""Seconds; a client that takes longer has failed."""


class ClientFailed(Exception):
    """A client's process ended without a report; its log says why."""


def environment(target: Mapping[str, Any]) -> dict[str, str]:
    """What the functions' process finds in its environment when it starts."""
    automation = target["automation"]
    return os.environ | {
        "SSL_CERT_FILE": target["ca_file"],
        "NODE_EXTRA_CA_CERTS": target["ca_file"],
        "AZURE_TENANT_ID": target["tenant_id"],
        "AZURE_CLIENT_ID": automation["client_id"],
        "AZURE_CLIENT_SECRET": automation["client_secret"],
    }


async def client(target: dict[str, Any], log: Path) -> Report:
    """One of our own, by its name in *target*."""
    return await report([sys.executable, "-m", "bench.scale.worker"], target, log)


async def report(command: Sequence[str], target: dict[str, Any], log: Path) -> Report:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as kept:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=kept,
            env=environment(target),
        )
        try:
            async with asyncio.timeout(LIMIT):
                out, _ = await process.communicate(json.dumps(target).encode())
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
    lines = out.strip().splitlines()
    if process.returncode or not lines:
        raise ClientFailed(f"exit {process.returncode}; see {log}")
    return msgspec.json.decode(lines[-1], type=Report)
