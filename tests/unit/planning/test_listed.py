"""Which pages of the list of users are taken as they came, and what their rows are then."""

import random
import uuid
from typing import Any

import msgspec
import pytest

from shared.model.listed import EVERYBODY, Counts, UserRow, accounts, counts_of, listed

pytestmark = pytest.mark.requirement("X-15", "N-21")

ROWS = msgspec.json.Decoder(list[UserRow])


def user(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(uuid.UUID(int=number << 64)),
        "userPrincipalName": f"u{number}@contoso.com",
        "accountEnabled": number % 3 != 0,
        "userType": "Guest" if number % 5 == 0 else "Member",
        **more,
    }


def page(rows: list[dict[str, Any]]) -> bytes:
    return msgspec.json.encode({"@odata.nextLink": "https://g/users?$skiptoken=x}]", "value": rows})


def taken(data: bytes) -> Any:
    return listed(data, ROWS.decode(msgspec.json.encode(msgspec.json.decode(data)["value"])))


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"displayName": 'Ann "Bee" \\ Zoë\n\t'},
        {"displayName": "a,b],[c", "mail": None},
        {"userType": None, "userPrincipalName": "ann_contoso.com#EXT#@fabrikam.com"},
        {"userType": None},
        {"jobTitle": "Cook", "phones": ["1", "2"], "nothing": [], "@odata.type": "#user"},
    ],
)
def test_rows_are_what_decoding_them_says(odd: dict[str, Any]) -> None:
    rows = [user(1), user(5, **odd), user(3)]
    found = taken(page(rows))
    expected = accounts(msgspec.convert(rows, list[UserRow]), EVERYBODY)
    shown = {n: odd[n] for n in ("jobTitle", "phones") if n in odd}
    expected[1] = msgspec.structs.replace(expected[1], attributes=shown)
    assert list(found) == expected
    assert [found[at] for at in range(3)] == found[:] == expected
    counts = Counts(3, sum(a.guest for a in expected), sum(not a.enabled for a in expected))
    assert found.counts == counts_of(found.lines) == counts


@pytest.mark.parametrize(
    "data",
    [
        page([]),
        page([user(1, displayName="{"), user(2)]),
        page([user(1, displayName="}"), user(2)]),
        page([user(1), user(2, displayName='x "},{"id":"')]),
        page([user(1), dict(reversed(user(2).items()))]),
        page([dict(reversed(user(1).items())), user(2)]),
        page([user(1, manager={"name": "x"})]),
        page([user(1, m=[{"x": 1}, {"id": user(2)["id"]}]), dict(reversed(user(2).items()))]),
        page([user(1) | {"id": "short"}]),
        page([user(1) | {"id": "é" * 36}]),
        page([user(1) | {"id": "x" * 35 + '"'}]),
        msgspec.json.format(page([user(1), user(2)])),
        page([user(1), user(2)]).replace(b"},{", b"} ,{"),
        page([user(1), user(2)]).replace(b"},{", b"},\n{"),
        page([user(1)]).replace(b',"userType"', b',\n"userType"'),
    ],
)
def test_any_other_page_is_decoded(data: bytes) -> None:
    assert taken(data) is None


@pytest.mark.parametrize("seed", range(50))
def test_random_pages_are_taken_rightly_or_not_at_all(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable
    odd = ['"', "\\", "},{", '},{"id":"', "é", "]", ",", ":", " ", "\u2028", "#EXT#"]
    rows = [
        user(chance.randrange(9), displayName="".join(chance.choices(odd, k=chance.randrange(4))))
        for _ in range(chance.randrange(1, 5))
    ]
    found = taken(page(rows))
    braced = any("{" in row["displayName"] for row in rows)
    assert (found is None) == braced
    if found is not None:
        assert list(found) == accounts(msgspec.convert(rows, list[UserRow]), EVERYBODY)
