"""The package that `make package` builds, on the local host, by Microsoft's own worker library."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from emulators.stack import ROOT, Cloud
from tests.end_to_end import packaged
from tests.end_to_end.local import FOUR, Local, order, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

OWN = ("functions", "shared", "function_app")
SHIPPED = ("azure.identity", "azure.servicebus", "azure.data", "azure.keyvault", "azure.storage",
           "msgraph", "kiota_abstractions", "msgspec", "cryptography", "aiohttp", "httpx", "yaml",
           "azure.functions")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("azure_functions_runtime")
    return tmp_path_factory.mktemp("package")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud(folder: Path) -> AsyncIterator[Cloud]:
    async with Cloud(packaged.options(folder)) as running:
        yield running


async def test_a_product_is_onboarded_by_http(local: Local) -> None:
    await local.onboard("dvls-package")
    found = await local.assert_onboarded("dvls-package")
    assert found["granted"] == FOUR
    assert found["roles"] == ["Helpdesk Administrator"]
    client_id = found["application"]["client_id"]
    assert await local.token_roles("dvls-package", client_id) == FOUR
    (run,) = (await local.get("/api/connections/dvls-package/discoveries"))["discoveries"]
    assert run["state"] == "succeeded" and run["accounts"] > 0


async def test_a_product_is_onboarded_by_a_message(local: Local) -> None:
    await local.post("provisioning", ("one", json.dumps(order("dvls-order")).encode()))
    await local.approve("dvls-order")
    assert (await local.assert_onboarded("dvls-order"))["granted"] == FOUR


async def test_its_secret_is_rotated_and_its_consent_verified_by_a_timer(local: Local) -> None:
    before = await local.secret("dvls-package")
    body = {"emergency": True, "reason": "leaked"}
    answer = await local.call("POST", "/api/connections/dvls-package/rotation", json=body)
    assert answer.status_code == 202, answer.text
    await local.assert_onboarded("dvls-package")
    assert await local.secret("dvls-package") != before
    started = await local.call(
        "POST",
        "/admin/functions/verify_due",
        json={"input": ""},
        headers={"x-functions-key": local.state["master_key"]},
    )
    assert started.status_code == 202, started.text

    async def swept() -> bool:
        return "sweep.finished" in (local.cloud.folder / "host.log").read_text()

    await until("the timer's sweep to be logged", swept)


async def test_it_is_offboarded_again(local: Local) -> None:
    body = {"reason": "replaced"}
    answer = await local.call("DELETE", "/api/connections/dvls-order", json=body)
    assert answer.status_code == 202, answer.text

    found = await local.ended("dvls-order")
    assert found["offboarding"]["finished"], found["conditions"]
    assert await local.applications("dvls-order") == []


async def test_nothing_came_from_the_checkout(local: Local, folder: Path) -> None:
    """Runs last: the host writes what it imported when it ends."""
    host = local.cloud.children["host"]
    await host.stop()
    await host.gone()
    assert_of_the_package(folder)


def assert_of_the_package(folder: Path) -> None:
    found = json.loads((folder / "modules.json").read_text())
    assert not [entry for entry in found["path"] if Path(entry or ".").resolve() == ROOT]
    app = (folder / "app").resolve()
    for name, file in found["modules"].items():
        place = Path(file).resolve()
        if name.split(".")[0] in OWN:
            assert place.is_relative_to(app) and ".python_packages" not in place.parts, name
        elif any(name == each or name.startswith(f"{each}.") for each in SHIPPED):
            assert place.is_relative_to(app / ".python_packages"), (name, place)
    assert {name.split(".")[0] for name in found["modules"]} >= {*OWN, "msgraph", "msgspec"}
