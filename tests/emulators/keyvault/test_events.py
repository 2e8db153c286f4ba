"""Events fall due on the emulated clock, once per version, for versions under a subscription."""

import json
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from emulators.keyvault.event import Event
from emulators.keyvault.events import EXPIRED, NEAR_EXPIRY, NEW_VERSION
from tests.emulators.keyvault.bench import Bench, until
from tests.emulators.keyvault.conftest import Start

DAY = timedelta(days=1)


@dataclass
class Inbox:
    """Keeps what is delivered; the first *failures* deliveries fail."""

    failures: int = 0
    tries: int = 0
    events: list[Event] = field(default_factory=list)
    closed: bool = False

    async def send(self, event: Event) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise ConnectionError("the destination is down")
        self.events.append(event)

    async def close(self) -> None:
        self.closed = True

    def kinds(self, kind: str = "") -> list[str]:
        return [event.type for event in self.events if event.type == kind or not kind]

    def body(self, kind: str) -> Any:
        (event,) = [event for event in self.events if event.type == kind]
        return json.loads(event.body)


async def subscribed(bench: Bench, **options: Any) -> Inbox:
    inbox = Inbox()
    await bench.vault.events.subscribe(inbox, **options)
    return inbox


async def marked(bench: Bench, inbox: Inbox) -> None:
    """Wait until everything due up to now is out: a new version's event comes after all of it."""
    client = await bench.client()
    made = await client.set_secret("mark", "v")
    version = made.properties.version
    await until(lambda: any(version in event.body.decode() for event in inbox.events))


async def test_near_expiry_then_expired_once_each(bench: Bench) -> None:
    inbox = await subscribed(bench)
    client = await bench.client()
    expiry = bench.issuer.clock.now() + 90 * DAY
    made = await client.set_secret("name", "v", expires_on=expiry)
    bench.issuer.clock.advance(60 * DAY - timedelta(minutes=5))
    await marked(bench, inbox)
    assert inbox.kinds(NEAR_EXPIRY) == []
    await bench.admin("POST", "/clock", {"minutes": 5})
    await until(lambda: inbox.kinds(NEAR_EXPIRY))
    (event,) = inbox.body(NEAR_EXPIRY)
    assert event["eventType"] == NEAR_EXPIRY
    assert event["subject"] == "name"
    assert event["topic"].endswith("/providers/Microsoft.KeyVault/vaults/local-vault")
    assert event["data"] == {
        "Id": made.id,
        "VaultName": "local-vault",
        "ObjectType": "Secret",
        "ObjectName": "name",
        "Version": made.properties.version,
        "NBF": None,
        "EXP": int(expiry.timestamp()),
    }
    bench.issuer.clock.advance(30 * DAY)
    await until(lambda: inbox.kinds(EXPIRED))
    await client.update_secret_properties("name", content_type="c")
    await marked(bench, inbox)
    assert len(inbox.kinds(NEAR_EXPIRY)) == len(inbox.kinds(EXPIRED)) == 1
    assert len(inbox.kinds(NEW_VERSION)) == 3


async def test_only_the_current_version_reports_its_expiry(bench: Bench) -> None:
    inbox = await subscribed(bench)
    client = await bench.client()
    now = bench.issuer.clock.now()
    await client.set_secret("name", "old", expires_on=now + 60 * DAY)
    new = await client.set_secret("name", "new", expires_on=now + 61 * DAY)
    bench.issuer.clock.advance(40 * DAY)
    await marked(bench, inbox)
    (event,) = inbox.body(NEAR_EXPIRY)
    assert event["data"]["Version"] == new.properties.version


async def test_versions_from_before_the_subscription_stay_silent(bench: Bench) -> None:
    client = await bench.client()
    expiry = bench.issuer.clock.now() + 10 * DAY
    await client.set_secret("before", "v", expires_on=expiry)
    inbox = await subscribed(bench)
    await client.set_secret("after", "v", expires_on=expiry)
    bench.issuer.clock.advance(20 * DAY)
    await marked(bench, inbox)
    assert {json.loads(event.body)[0]["subject"] for event in inbox.events} == {"after", "mark"}


async def test_moved_expiry_moves_the_event(bench: Bench) -> None:
    inbox = await subscribed(bench)
    client = await bench.client()
    now = bench.issuer.clock.now()
    await client.set_secret("name", "v", expires_on=now + 60 * DAY)
    await client.update_secret_properties("name", expires_on=now + 100 * DAY)
    bench.issuer.clock.advance(65 * DAY)
    await marked(bench, inbox)
    assert inbox.kinds(NEAR_EXPIRY) == []
    bench.issuer.clock.advance(10 * DAY)
    await marked(bench, inbox)
    assert len(inbox.kinds(NEAR_EXPIRY)) == 1


async def test_deleted_secret_is_silent_until_recovered(bench: Bench) -> None:
    inbox = await subscribed(bench)
    client = await bench.client()
    await client.set_secret("name", "v", expires_on=bench.issuer.clock.now() + 40 * DAY)
    await marked(bench, inbox)
    await client.delete_secret("name")
    bench.issuer.clock.advance(20 * DAY)
    await marked(bench, inbox)
    assert inbox.kinds(NEAR_EXPIRY) == []
    await client.recover_deleted_secret("name")
    await until(lambda: inbox.kinds(NEAR_EXPIRY))


async def test_cloud_events_schema(bench: Bench) -> None:
    inbox = await subscribed(bench, schema="CloudEventSchemaV1_0")
    client = await bench.client()
    await client.set_secret("name", "v", expires_on=bench.issuer.clock.now() + DAY)
    await until(lambda: inbox.kinds(NEAR_EXPIRY))
    event = inbox.body(NEAR_EXPIRY)
    assert (event["specversion"], event["type"]) == ("1.0", NEAR_EXPIRY)
    assert event["source"].endswith("/vaults/local-vault")
    assert event["data"]["ObjectName"] == "name"


async def test_odd_keys_on_request(bench: Bench) -> None:
    inbox = await subscribed(bench, odd_keys=True)
    client = await bench.client()
    expiry = bench.issuer.clock.now() + DAY
    await client.set_secret("name", "v", expires_on=expiry)
    await until(lambda: inbox.kinds(NEAR_EXPIRY))
    (event,) = inbox.body(NEAR_EXPIRY)
    assert event["data"]["ObjectName "] == "name"
    assert event["data"]["EXP"] == str(int(expiry.timestamp()))


async def test_failed_delivery_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulators.keyvault.events.PAUSE", 0.01)
    inbox = await subscribed(bench)
    inbox.failures = 3
    client = await bench.client()
    await client.set_secret("name", "v")
    await until(lambda: inbox.kinds(NEW_VERSION))
    await marked(bench, inbox)
    assert (len(inbox.events), inbox.tries) == (2, 5)


def opened(start: Start, store: Path) -> AbstractAsyncContextManager[Bench]:
    return start(store=store)


async def test_what_was_sent_and_what_is_due_outlive_a_restart(
    start: Start, tmp_path: Path
) -> None:
    store = tmp_path / "vault.db"
    async with opened(start, store) as bench:
        inbox = await subscribed(bench)
        client = await bench.client()
        now = bench.issuer.clock.now()
        await client.set_secret("near", "v", expires_on=now + DAY)
        await client.set_secret("far", "v", expires_on=now + 60 * DAY)
        await marked(bench, inbox)
    assert inbox.closed
    async with opened(start, store) as bench:
        inbox = await subscribed(bench)
        bench.issuer.clock.advance(40 * DAY)
        await marked(bench, inbox)
        subjects = [
            (json.loads(event.body)[0]["subject"], event.type)
            for event in inbox.events
            if b"mark" not in event.body
        ]
        assert subjects == [("near", EXPIRED), ("far", NEAR_EXPIRY)]
