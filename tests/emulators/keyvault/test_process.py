"""The command line, and durability of acknowledged writes under SIGKILL."""

import asyncio
import signal
import ssl
from pathlib import Path

import aiohttp

from emulators.clock import Clock
from tests.emulators.keyvault.bench import until
from tests.emulators.keyvault.issuer import Issuer, issuing
from tests.emulators.keyvault.process import Process, running

API = {"api-version": "2026-04-01"}
WRITERS = 8


def session(issuer: Issuer) -> aiohttp.ClientSession:
    trust = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=issuer.ca_file))
    authorization = {"Authorization": f"Bearer {issuer.token()}"}
    return aiohttp.ClientSession(connector=trust, headers=authorization)


def arguments(issuer: Issuer, store: Path, port: int = 0) -> list[str]:
    said = ["--port", str(port), "--tls", str(issuer.tls), "--authority", issuer.url]
    return [*said, "--tenant", issuer.tenant, "--store", str(store)]


async def write(http: aiohttp.ClientSession, vault: str, name: str, kept: dict[str, str]) -> None:
    """Write versions until the vault dies; *kept* gets only what was acknowledged."""
    number = 0
    while True:
        number += 1
        body = {"value": f"{name}-{number}"}
        try:
            async with http.put(f"{vault}/secrets/{name}", json=body, params=API) as answer:
                bundle = await answer.json()
        except aiohttp.ClientError:
            return
        assert answer.status == 200, bundle
        kept[bundle["id"].removeprefix(vault)] = body["value"]


async def killed_while_writing(issuer: Issuer, vault: Process) -> dict[str, str]:
    kept: dict[str, str] = {}
    async with session(issuer) as http, asyncio.TaskGroup() as group:
        for writer in range(WRITERS):
            group.create_task(write(http, vault.ready["vault"], f"name-{writer}", kept))
        await until(lambda: len(kept) >= 200, seconds=60)
        await vault.kill()
    return kept


async def test_no_acknowledged_write_is_lost_under_sigkill(issuer: Issuer, tmp_path: Path) -> None:
    store = tmp_path / "vault.db"
    async with issuing(issuer):
        kept: dict[str, str] = {}
        for _ in range(3):
            async with running(*arguments(issuer, store)) as vault:
                kept |= await killed_while_writing(issuer, vault)
        async with running(*arguments(issuer, store)) as vault, session(issuer) as http:
            base = vault.ready["vault"]
            for path, value in kept.items():
                async with http.get(base + path, params=API) as answer:
                    assert (await answer.json())["value"] == value
            async with http.get(f"{vault.ready['admin']}/secrets") as answer:
                issued = {entry["value"] for entry in await answer.json()}
            assert set(kept.values()) <= issued


async def test_states_and_grants_outlive_a_kill(issuer: Issuer, tmp_path: Path) -> None:
    store = tmp_path / "vault.db"
    async with issuing(issuer), session(issuer) as http:
        async with running(*arguments(issuer, store)) as vault:
            base = vault.ready["vault"]
            for name in ("kept", "deleted", "purged"):
                async with http.put(
                    f"{base}/secrets/{name}", json={"value": name}, params=API
                ) as answer:
                    assert answer.status == 200
            for path in ("/secrets/deleted", "/secrets/purged", "/deletedsecrets/purged"):
                async with http.delete(base + path, params=API) as answer:
                    assert answer.status in {200, 204}
            grant = {"app_id": "someone", "role": "user"}
            async with http.post(f"{base}/admin/rbac", json=grant) as answer:
                assert answer.status == 201
            port = vault.ready["port"]
            await vault.kill()
        async with running(*arguments(issuer, store, port)) as vault:
            assert vault.ready["port"] == port
            async with http.get(f"{base}/admin/state") as answer:
                phases = {entry["name"]: entry["phase"] for entry in await answer.json()}
            assert phases == {"kept": "active", "deleted": "deleted"}
            async with http.get(f"{base}/admin/rbac") as answer:
                (assignment,) = (await answer.json())["assignments"]
            assert assignment["app_id"] == "someone"


async def test_sigterm_ends_it_cleanly_and_the_clock_is_shared(tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    options = ["--tls", str(tmp_path / "tls"), "--clock", str(clock), "--retention-days", "7"]
    async with running("--port", "0", *options) as vault:
        ready = vault.ready
        assert ready == {
            "ready": True,
            "port": ready["port"],
            "vault": f"https://127.0.0.1:{ready['port']}",
            "ca_file": str(tmp_path / "tls" / "ca.pem"),
            "admin": f"https://127.0.0.1:{ready['port']}/admin",
        }
        trust = ssl.create_default_context(cafile=ready["ca_file"])
        async with aiohttp.ClientSession() as http:
            # Without an authority every bearer token will do.
            async with http.put(
                f"{ready['vault']}/secrets/name",
                json={"value": "v"},
                params=API,
                headers={"Authorization": "Bearer anything"},
                ssl=trust,
            ) as answer:
                assert (await answer.json())["attributes"]["recoverableDays"] == 7
            async with http.post(f"{ready['admin']}/clock", json={"days": 1}, ssl=trust) as answer:
                told = (await answer.json())["time"]
        assert abs(Clock(clock).time() - told) < 60
        vault.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            assert await vault.process.wait() == 0
