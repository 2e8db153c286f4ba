"""History and refusals, and the names that rows may have."""

import asyncio

import pytest

from shared.ports import Ledger
from tests.contracts.ledger.values import connection, minutes, operation

AWKWARD = [
    "a/b\\c#d?e%f",
    "tab\tnewline\nnull\x00bell\x07c1\x85",
    "quote'double\"=equals;semi:colon,comma &amp;",
    "Ünïcode ✓ 😀",
    " leading and trailing ",
    "..",
    "%2F=2F",
    "x" * 1000,
    "é" * 400,
    "",
]


async def test_history_is_in_order_of_time(ledger: Ledger) -> None:
    for late in (3, 1, 2):
        await ledger.record("dvls", minutes(late), "secret.added", {"keyId": str(late)})
    await ledger.record("pam", minutes(0), "other", {})
    assert await ledger.history("dvls") == [
        {"at": minutes(n).isoformat().replace("+00:00", "Z"), "what": "secret.added", "keyId": k}
        for n, k in ((1, "1"), (2, "2"), (3, "3"))
    ]
    assert await ledger.history("nobody") == []


async def test_records_of_one_moment_are_all_kept_in_order(ledger: Ledger) -> None:
    for number in range(12):
        await ledger.record("dvls", minutes(1), "counted", {"number": number})
    assert [row["number"] for row in await ledger.history("dvls")] == list(range(12))


async def test_concurrent_records_are_all_kept(ledger: Ledger) -> None:
    await asyncio.gather(
        *(ledger.record("dvls", minutes(1), "counted", {"number": n}) for n in range(20))
    )
    assert sorted(row["number"] for row in await ledger.history("dvls")) == list(range(20))


async def test_history_keeps_data_of_any_shape(ledger: Ledger) -> None:
    data = {"list": [1, {"a": None}], "moment": minutes(1), "text": "é😀" * 20_000}
    await ledger.record("dvls", minutes(1), "odd", data)
    (row,) = await ledger.history("dvls")
    assert row["list"] == [1, {"a": None}]
    assert row["text"] == "é😀" * 20_000
    assert row["moment"] == row["at"]


async def test_repeated_refusals_are_one_row(ledger: Ledger) -> None:
    await ledger.refuse("later", minutes(5), {"reason": "x"})
    await ledger.refuse("m", minutes(1), {"reason": "first"})
    await ledger.refuse("m", minutes(2), {"reason": "second"})
    rows = await ledger.refusals()
    assert [(row["message_id"], row["reason"]) for row in rows] == [("m", "first"), ("later", "x")]


async def test_any_message_id_will_do(ledger: Ledger) -> None:
    for number, message_id in enumerate(AWKWARD):
        await ledger.refuse(message_id, minutes(number), {})
        await ledger.refuse(message_id, minutes(number), {})
    assert [row["message_id"] for row in await ledger.refusals()] == AWKWARD


async def test_keys_that_differ_in_case_or_escapes_are_different(ledger: Ledger) -> None:
    ids = ["a/b", "a=2Fb", "a%2Fb", "A/B", "a b", "a+b", "a", "a\x00"]
    for number, message_id in enumerate(ids):
        await ledger.refuse(message_id, minutes(number), {})
    assert [row["message_id"] for row in await ledger.refusals()] == ids


@pytest.mark.parametrize("text", AWKWARD, ids=range(len(AWKWARD)))
async def test_any_name_and_operation_id_will_do(ledger: Ledger, text: str) -> None:
    name = f"n{text}"
    assert await ledger.create(connection(name))
    assert await ledger.begin(operation(f"o{text}", name))
    assert await ledger.operation(name, f"o{text}") == operation(f"o{text}", name)
    assert await ledger.operations(name) == [operation(f"o{text}", name)]
    await ledger.record(name, minutes(1), "noted", {})
    assert len(await ledger.history(name)) == 1
    await ledger.set_due(f"k{text}", name, minutes(1))
    assert await ledger.due(f"k{text}", minutes(1), 5) == [name]
    assert await ledger.due_times(name) == {f"k{text}": minutes(1)}
    async with ledger.turn(name):
        known = await ledger.connection(name)
    assert known is not None and (known.spec.name, known.operation) == (name, f"o{text}")
