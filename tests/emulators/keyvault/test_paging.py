"""Lists come in pages, chained by absolute links with a port."""

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.emulators.keyvault.bench import Bench


async def fill(bench: Bench, count: int) -> list[str]:
    client = await bench.client()
    names = [f"secret-{number:03}" for number in range(count)]
    await asyncio.gather(*(client.set_secret(name, "v") for name in names))
    return names


async def test_link_is_absolute_with_port_and_leads_to_the_end(bench: Bench) -> None:
    names = await fill(bench, 3)
    seen, pages = [], 0
    answer = await bench.send("GET", "/secrets", maxresults="1")
    while True:
        pages += 1
        seen += [entry["id"].rsplit("/", 1)[1] for entry in answer.body["value"]]
        link = answer.body["nextLink"]
        if link is None:
            break
        parts = urlsplit(link)
        assert (parts.scheme, parts.port, parts.path) == ("https", bench.vault.port, "/secrets")
        assert parse_qs(parts.query).keys() == {"api-version", "$skiptoken", "maxresults"}
        answer = await bench.request("GET", link, None, bench.issuer.token())
    assert (seen, pages) == (names, 3)


async def test_default_page_is_25(bench: Bench) -> None:
    names = await fill(bench, 26)
    answer = await bench.send("GET", "/secrets")
    assert len(answer.body["value"]) == 25
    client = await bench.client()
    assert [p.name async for p in client.list_properties_of_secrets()] == names


async def test_items_have_neither_value_nor_version(bench: Bench) -> None:
    await fill(bench, 1)
    answer = await bench.send("GET", "/secrets")
    assert answer.body["nextLink"] is None
    (item,) = answer.body["value"]
    assert set(item) == {"id", "attributes"}
    assert item["id"] == f"{bench.vault.url}/secrets/secret-000"


async def test_versions_are_paged_with_versions_in_the_ids(bench: Bench) -> None:
    client = await bench.client()
    made = {(await client.set_secret("name", "v")).id for _ in range(7)}
    listed = client.list_properties_of_secret_versions("name", max_page_size=3)
    pages = [[version.id async for version in one] async for one in listed.by_page()]
    assert [len(one) for one in pages] == [3, 3, 1]
    assert {version for one in pages for version in one} == made


async def test_deleted_secrets_are_paged(bench: Bench) -> None:
    names = await fill(bench, 5)
    client = await bench.client()
    for name in names[1:]:
        await client.delete_secret(name)
    listed = client.list_deleted_secrets(max_page_size=2)
    assert [deleted.name async for deleted in listed] == names[1:]
    assert [p.name async for p in client.list_properties_of_secrets()] == names[:1]


async def test_link_survives_changes_of_the_list(bench: Bench) -> None:
    names = await fill(bench, 6)
    client = await bench.client()
    listed = client.list_properties_of_secrets(max_page_size=2).by_page()
    first = [p.name async for p in await anext(listed)]
    await client.delete_secret(names[0])
    rest = [p.name async for one in listed async for p in one]
    assert first + rest == names


@pytest.mark.parametrize("asked", ["0", "26", "many"])
async def test_page_size_has_limits(bench: Bench, asked: str) -> None:
    answer = await bench.send("GET", "/secrets", maxresults=asked)
    assert (answer.status, answer.error["code"]) == (400, "BadParameter")


async def test_made_up_token_is_refused(bench: Bench) -> None:
    answer = await bench.send("GET", "/secrets", **{"$skiptoken": "x"})
    assert (answer.status, answer.error["code"]) == (400, "BadParameter")
