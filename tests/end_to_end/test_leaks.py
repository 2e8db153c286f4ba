"""No secret value is anywhere but in the vault and in the tenant."""

from pathlib import Path

import pytest

from emulators.stack import Cloud
from functions import declare_steps
from shared.step import STEPS
from tests.end_to_end.local import Local
from tests.end_to_end.storage import blobs, files, messages, tables

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.requirement("X-04")
async def test_no_issued_secret_is_found_anywhere(local: Local, cloud: Cloud) -> None:
    await local.onboard("dvls-leak")
    await local.assert_onboarded("dvls-leak")
    await local.call("POST", "/api/connections/dvls-leak/rotation", json={})
    await local.assert_onboarded("dvls-leak", secrets=2)
    for path in ("", "/dvls-leak", "/dvls-leak/handover", "/dvls-leak/discoveries"):
        await local.get(f"/api/connections{path}")
    issued = set((await local.control("secrets"))["secrets"])
    stored = {row["value"] for row in await local.control("secrets", vault=True)}
    published = await local.secret("dvls-leak")
    assert published in issued & stored and len(stored) >= 2
    declare_steps()
    places = [
        *((f"answer {n}", body) for n, body in enumerate(local.answers)),
        *[found async for found in tables(local)],
        *[found async for found in blobs(local)],
        *[found async for found in messages(local, list(STEPS))],
        *files(Path(cloud.folder)),
    ]
    kinds = {place.split()[0] for place, _ in places}
    assert {"answer", "table", "blob", "event"} <= kinds, kinds
    assert any("host.log" in place for place, _ in places)
    leaks = [
        place for place, data in places for secret in issued | stored if secret.encode() in data
    ]
    assert leaks == []
    assert b"dvls-leak" in b"".join(data for place, data in places if "host.log" in place)
