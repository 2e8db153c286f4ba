"""Answers come packed to whom takes them so, and say the same."""

import gzip
import json

import pytest

from emulators.graph.compression import accepts_gzip

PAGE = "/users?$top=100&$select=id,displayName"


@pytest.mark.parametrize(
    ("said", "accepted"),
    [
        ("gzip", True),
        ("deflate, GZIP", True),
        ("br;q=1.0, gzip;q=0.2", True),
        ("gzip; q=0", False),
        ("gzip;q=0.000", False),
        ("deflate, br", False),
        ("identity", False),
        ("", False),
    ],
)
def test_who_takes_them(said, accepted):
    assert accepts_gzip({"Accept-Encoding": said} if said else {}) is accepted


async def test_a_page_packed_and_as_it_is(graph, admin):
    async def raw(encoding: str) -> tuple[dict[str, str], bytes]:
        async with admin.stream("GET", PAGE, headers={"Accept-Encoding": encoding}) as answer:
            assert answer.status_code == 200
            body = b"".join([part async for part in answer.aiter_raw()])
            return dict(answer.headers), body

    headers, packed = await raw("gzip, deflate")
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    plain_headers, plain = await raw("identity")
    assert "content-encoding" not in plain_headers
    assert len(packed) * 2 < len(plain)
    assert json.loads(gzip.decompress(packed)) == json.loads(plain)


async def test_refusals_are_packed_as_well(admin):
    answer = await admin.get("/users/nobody")
    assert answer.status_code == 404
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["error"]["code"] == "Request_ResourceNotFound"


async def test_an_answer_without_a_body_says_nothing_of_packing(admin):
    made = (await admin.post("/applications", json={"displayName": "Tool"})).json()
    answer = await admin.delete(f"/applications/{made['id']}")
    assert answer.status_code == 204
    assert "content-encoding" not in answer.headers
