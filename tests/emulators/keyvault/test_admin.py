"""What the control URL shows, and that no value leaks into what is for logs."""

import asyncio
import json
from datetime import timedelta

import pytest

from tests.emulators.keyvault.bench import Bench

VALUE = "open-sesame-4711"


async def test_every_value_ever_stored_is_kept_for_leak_checks(bench: Bench) -> None:
    client = await bench.client()
    made = await client.set_secret("name", VALUE)
    await client.delete_secret("name")
    await client.purge_deleted_secret("name")
    assert await bench.admin("GET", "/secrets") == [
        {"name": "name", "version": made.properties.version, "value": VALUE}
    ]


async def test_state_and_traffic_hold_no_value(bench: Bench) -> None:
    client = await bench.client()
    made = await client.set_secret("name", VALUE, tags={"t": "1"}, content_type="c")
    await client.get_secret("name")
    await client.backup_secret("name")
    state, traffic = await bench.admin("GET", "/state"), await bench.admin("GET", "/traffic")
    assert VALUE not in json.dumps([state, traffic])
    (secret,) = state
    assert (secret["name"], secret["phase"]) == ("name", "active")
    assert secret["current"] == made.properties.version
    (version,) = secret["versions"]
    assert (version["tags"], version["content_type"], version["enabled"]) == ({"t": "1"}, "c", True)
    assert [(line["method"], line["operation"], line["status"]) for line in traffic] == [
        ("PUT", "set", 401),
        ("PUT", "set", 200),
        ("GET", "get", 200),
        ("POST", "backup", 200),
    ]
    assert {line["caller"] for line in traffic[1:]} == {bench.issuer.client_id}
    assert all(line["url"].startswith(bench.vault.url) for line in traffic)


async def test_clock_advances(bench: Bench) -> None:
    before = bench.issuer.clock.now()
    answer = await bench.admin("POST", "/clock", {"days": 2, "seconds": 3})
    assert bench.issuer.clock.now() - before >= timedelta(days=2, seconds=3)
    assert answer["time"] <= bench.issuer.clock.time()


async def test_latency_is_set(bench: Bench) -> None:
    """That the answer waits is seen by a request that is given up before it comes."""
    await bench.admin("POST", "/latency", {"seconds": 3600, "jitter": 1})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await bench.send("GET", "/secrets")
    await bench.admin("POST", "/latency", {"seconds": 0})
    assert (await bench.send("GET", "/secrets")).status == 200
