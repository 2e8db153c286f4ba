"""Settings, host.json and keys."""

import json
import os
from pathlib import Path

import pytest

from emulators.host import host_json, keys, settings
from emulators.host.errors import HostStartError
from emulators.host.settings import Connection, Settings


@pytest.mark.parametrize(
    ("text", "expected"), [("a", "a"), ("%A%", "1"), ("x-%A%-%B__C%", "x-1-2"), ("%B:C%", "2")]
)
def test_resolve(text: str, expected: str) -> None:
    assert Settings({"A": "1", "B__C": "2"}).resolve(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("%X%", "'%X%' does not resolve to a value."),
        ("%EMPTY%", "'%EMPTY%' does not resolve to a value."),
        ("50%", "does not have a closing '%'"),
        ("%A%%", "does not have a closing '%'"),
    ],
)
def test_unresolved(text: str, said: str) -> None:
    with pytest.raises(HostStartError) as caught:
        Settings({"A": "1", "EMPTY": ""}).resolve(text)
    assert said in str(caught.value)


def test_connections() -> None:
    known = Settings(
        {
            "Plain": "Endpoint=sb://one",
            "AzureWebJobsPrefixed": "Endpoint=sb://two",
            "Identity__fullyQualifiedNamespace": "ns.servicebus.windows.net",
            "Identity__clientId": "an-id",
        }
    )
    assert known.connection("Plain").connection_string == "Endpoint=sb://one"
    assert known.connection("Prefixed").connection_string == "Endpoint=sb://two"
    identity = Connection(namespace="ns.servicebus.windows.net", client_id="an-id")
    assert known.connection("Identity") == identity
    with pytest.raises(HostStartError, match="connection 'Other' does not exist"):
        known.connection("Other")
    with pytest.raises(HostStartError, match="not hold a connection string"):
        known.connection("Endpoint=sb://one;SharedAccessKey=secret")


@pytest.mark.parametrize("name", ["AzureWebJobs.sweep.Disabled", "AzureWebJobs_sweep_Disabled"])
def test_disabled(name: str) -> None:
    assert Settings({name: "True"}).disabled("sweep")
    assert not Settings({name: "false"}).disabled("sweep")
    assert not Settings({name: "true"}).disabled("other")


def test_file_and_environment(tmp_path: Path) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(json.dumps({"IsEncrypted": False, "Values": {"A": "file", "B": "file"}}))
    assert settings.load(file, {"B": "environment"}) == {"A": "file", "B": "environment"}
    assert settings.load(None, {"A": "1", "CONTAINER_NAME": "of the machine"}) == {"A": "1"}


@pytest.mark.parametrize(
    "document",
    [
        "{",
        '{"IsEncrypted": true, "Values": {}}',
        '{"Values": {"A": 1}}',
        '{"Values": {"CONTAINER_NAME": "x"}}',
    ],
)
def test_bad_file(tmp_path: Path, document: str) -> None:
    file = tmp_path / "local.settings.json"
    file.write_text(document)
    with pytest.raises(HostStartError):
        settings.load(file, {})


@pytest.mark.parametrize(
    ("text", "seconds"), [("00:05:00", 300), ("1.00:00:01.5", 86401.5), ("-1", None)]
)
def test_timespan(text: str, seconds: float | None) -> None:
    assert host_json.timespan(text) == seconds


def test_host_json() -> None:
    plain = host_json.parse({"version": "2.0"})
    assert (plain.route_prefix, plain.function_timeout) == ("api", 1800)
    bus = plain.service_bus
    assert bus.max_concurrent_calls == 16 * (os.cpu_count() or 1)
    assert (bus.max_concurrent_sessions, bus.prefetch_count, bus.auto_complete) == (8, 0, True)
    assert (bus.max_auto_lock_renewal, bus.session_idle_timeout) == (300, None)
    section = {
        "prefetchCount": 3,
        "autoCompleteMessages": False,
        "maxAutoLockRenewalDuration": "00:01:00",
        "maxConcurrentCalls": 4,
        "maxConcurrentSessions": 5,
        "sessionIdleTimeout": "00:00:06",
    }
    document = {"version": "2.0", "functionTimeout": "-1", "extensions": {"serviceBus": section}}
    changed = host_json.parse(document)
    assert changed.function_timeout is None
    assert changed.service_bus == host_json.ServiceBusOptions(3, False, 60, 4, 5, 6)  # noqa: FBT003
    with pytest.raises(HostStartError, match="version"):
        host_json.parse({})
    with pytest.raises(HostStartError, match="time span"):
        host_json.parse({"version": "2.0", "functionTimeout": "5 minutes"})


def test_keys() -> None:
    made = keys.load({})
    assert made.function != made.master
    fixed = keys.Keys("f", "m")
    assert [fixed.allow("FUNCTION", key) for key in ("f", "m", "x", "", None)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [fixed.allow("ADMIN", key) for key in ("f", "m", None)] == [False, True, False]
    assert fixed.allow("ANONYMOUS", None)
