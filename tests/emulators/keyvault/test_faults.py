"""Faults strike the calls they are meant for, as often as they should."""

from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

from tests.emulators.keyvault.bench import Bench


async def test_throttled_write_is_repeated_by_the_client(bench: Bench) -> None:
    await bench.admin(
        "POST", "/faults", {"operation": "set", "fault": "throttled", "times": 2, "retry_after": 0}
    )
    client = await bench.client(retry_total=3, retry_backoff_factor=0)
    await client.set_secret("name", "v")
    statuses = [line["status"] for line in await bench.admin("GET", "/traffic")]
    assert statuses == [401, 429, 429, 200]
    (fault,) = await bench.admin("GET", "/faults")
    assert (fault["hits"], fault["seen"]) == (2, 3)


async def test_throttling_says_when_to_come_back(bench: Bench) -> None:
    await bench.admin("POST", "/faults", {"fault": "throttled", "retry_after": 7})
    answer = await bench.send("GET", "/secrets/name")
    assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
    await bench.admin("DELETE", "/faults")
    assert await bench.admin("GET", "/faults") == []
    assert (await bench.send("GET", "/secrets/name")).status == 404


@pytest.mark.parametrize(
    ("fault", "status", "inner"),
    [
        ("unavailable", 503, None),
        ("forbidden", 403, "ForbiddenByRbac"),
        ("secret-disabled", 403, "SecretDisabled"),
    ],
)
async def test_refusals(bench: Bench, fault: str, status: int, inner: str | None) -> None:
    await bench.admin("POST", "/faults", {"fault": fault, "times": 1})
    answer = await bench.send("GET", "/secrets/name")
    assert (answer.status, answer.inner) == (status, inner)
    assert (await bench.send("GET", "/secrets/name")).status == 404


async def test_access_becomes_effective_after_seconds(bench: Bench) -> None:
    await bench.admin("POST", "/faults", {"fault": "forbidden", "seconds": 120})
    client = await bench.client()
    with pytest.raises(HttpResponseError, match="not authorized"):
        await client.set_secret("name", "v")
    bench.issuer.clock.advance(timedelta(seconds=120))
    await client.set_secret("name", "v")


async def test_lost_answer_leaves_the_version_behind(bench: Bench) -> None:
    """Twice: aiohttp repeats a PUT on a kept connection once, unseen by the SDK's retries."""
    await bench.admin("POST", "/faults", {"operation": "set", "fault": "lost-answer", "times": 2})
    client = await bench.client()
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        await client.set_secret("name", "v")
    assert (await client.get_secret("name")).value == "v"
    assert len([v async for v in client.list_properties_of_secret_versions("name")]) == 2
    lost = (await bench.admin("GET", "/traffic"))[1:3]
    assert [(one["operation"], one["status"], one["fault"]) for one in lost] == [
        ("set", 0, "lost-answer")
    ] * 2


async def test_repeated_write_after_a_lost_answer_makes_an_extra_version(bench: Bench) -> None:
    await bench.admin("POST", "/faults", {"operation": "set", "fault": "lost-answer", "times": 1})
    client = await bench.client(retry_total=3, retry_backoff_factor=0)
    await client.set_secret("name", "v")
    versions = [v async for v in client.list_properties_of_secret_versions("name")]
    assert len(versions) == 2


async def test_dropped_connection_does_nothing(bench: Bench) -> None:
    await bench.admin("POST", "/faults", {"operation": "set", "fault": "drop", "times": 2})
    client = await bench.client()
    with pytest.raises((ServiceRequestError, ServiceResponseError)):
        await client.set_secret("name", "v")
    assert await bench.admin("GET", "/state") == []


async def statuses(bench: Bench, count: int, path: str = "/secrets/name") -> list[int]:
    return [(await bench.send("GET", path)).status for _ in range(count)]


async def test_pattern_repeats(bench: Bench) -> None:
    await bench.admin("POST", "/faults", {"fault": "unavailable", "pattern": ".x."})
    assert await statuses(bench, 6) == [404, 503, 404, 404, 503, 404]


async def test_probability_is_repeatable_with_its_seed(bench: Bench) -> None:
    runs = []
    for seed in (1, 1, 2):
        fault = {"fault": "unavailable", "probability": 0.5, "seed": seed}
        await bench.admin("POST", "/faults", fault)
        runs.append(await statuses(bench, 40))
        await bench.admin("DELETE", "/faults")
    assert runs[0] == runs[1] != runs[2]
    assert {404, 503} == set(runs[0])


async def test_fault_is_limited_to_operation_and_name(bench: Bench) -> None:
    fault = {"fault": "unavailable", "operation": "get", "name": "Some-*"}
    await bench.admin("POST", "/faults", fault)
    assert await statuses(bench, 1, "/secrets/some-name") == [503]
    assert await statuses(bench, 1, "/secrets/other") == [404]
    assert await statuses(bench, 1, "/secrets") == [200]


@pytest.mark.parametrize("body", [{"fault": "mystery"}, {"fault": "drop", "time": 1}, {}])
async def test_misspelt_fault_is_refused(bench: Bench, body: dict[str, object]) -> None:
    async with bench.session.post(f"{bench.vault.admin}/faults", json=body) as answer:
        assert answer.status == 400
