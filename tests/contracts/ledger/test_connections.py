"""Connections: what is stored comes back, and writers of different parts never conflict."""

import asyncio

import msgspec
import pytest

from shared.model.connection import Approval, Aspect, Facts, Offboarding
from shared.ports import Ledger
from tests.contracts.ledger.values import condition, connection, credential, full, operation
from tests.fakes import START


async def test_there_is_nothing_at_first(ledger: Ledger) -> None:
    assert await ledger.connection("dvls") is None
    assert await ledger.connections() == []


async def test_what_is_stored_comes_back_whole(ledger: Ledger) -> None:
    assert await ledger.create(full())
    assert await ledger.connection("dvls") == full()


async def test_a_bare_connection_comes_back_bare(ledger: Ledger) -> None:
    assert await ledger.create(connection())
    assert await ledger.connection("dvls") == connection()


async def test_a_name_is_taken_once(ledger: Ledger) -> None:
    assert await ledger.create(connection(granted=("first",)))
    assert not await ledger.create(connection(granted=("second",)))
    kept = await ledger.connection("dvls")
    assert kept is not None and kept.granted == ("first",)


async def test_of_twenty_creators_one_succeeds(ledger: Ledger) -> None:
    made = await asyncio.gather(*(ledger.create(connection(roles=(str(n),))) for n in range(20)))
    assert made.count(True) == 1
    kept = await ledger.connection("dvls")
    assert kept is not None and kept.roles == (str(made.index(True)),)


async def test_connections_are_listed_by_name(ledger: Ledger) -> None:
    for name in ("pam", "dvls", "dvls-2"):
        await ledger.create(connection(name))
    assert [row.spec.name for row in await ledger.connections()] == ["dvls", "dvls-2", "pam"]


async def test_each_part_is_written_by_itself(ledger: Ledger) -> None:
    await ledger.create(connection())
    await ledger.amend("dvls", facts=Facts(object_id="o", client_id="c"))
    await ledger.amend("dvls", credential=credential())
    await ledger.amend("dvls", granted=("User.Read.All",), roles=("Helpdesk Administrator",))
    await ledger.amend("dvls", approval=Approval(by="boss", reason="r", at=START))
    await ledger.set_condition("dvls", condition(Aspect.VERIFIED))
    await ledger.set_condition("dvls", condition(Aspect.REGISTERED))
    assert await ledger.connection("dvls") == connection(
        facts=Facts(object_id="o", client_id="c"),
        credential=credential(),
        granted=("User.Read.All",),
        roles=("Helpdesk Administrator",),
        approval=Approval(by="boss", reason="r", at=START),
        conditions=(condition(Aspect.REGISTERED), condition(Aspect.VERIFIED)),
    )


async def test_a_part_is_replaced(ledger: Ledger) -> None:
    await ledger.create(full())
    await ledger.set_condition("dvls", condition(Aspect.CONSENTED, "again"))
    await ledger.amend("dvls", granted=(), roles=())
    known = await ledger.connection("dvls")
    assert known is not None
    assert known.condition(Aspect.CONSENTED) == condition(Aspect.CONSENTED, "again")
    assert len(known.conditions) == len(Aspect)
    assert known.granted == known.roles == ()


async def test_of_two_conclusions_the_later_one_knows_the_first(ledger: Ledger) -> None:
    await ledger.create(connection())
    first, other = condition(Aspect.CONSENTED), condition(Aspect.CONSENTED, "other")
    assert await ledger.conclude("dvls", first, known=None)
    assert await ledger.conclude("dvls", first, known=None)  # its answer was lost
    assert not await ledger.conclude("dvls", other, known=None)
    assert await ledger.connection("dvls") == connection(conditions=(first,))
    assert await ledger.conclude("dvls", other, known=first)
    assert await ledger.connection("dvls") == connection(conditions=(other,))


async def test_of_many_conclusions_at_once_one_is_drawn(ledger: Ledger) -> None:
    await ledger.create(connection())
    told = [condition(Aspect.VERIFIED, f"message {n}") for n in range(5)]
    drawn = await asyncio.gather(
        *(ledger.conclude("dvls", each, known=None) for each in told),
        *(ledger.set_condition("dvls", condition(aspect)) for aspect in (*Aspect,)[:2]),
    )
    assert drawn[:5].count(True) == 1
    kept = await ledger.connection("dvls")
    assert kept is not None and kept.condition(Aspect.VERIFIED) == told[drawn.index(True)]


async def test_concurrent_writers_of_different_parts_all_succeed(ledger: Ledger) -> None:
    await ledger.create(connection())
    carrying = connection(approval=Approval(by="boss", reason="needed", at=START))
    await asyncio.gather(
        *(ledger.set_condition("dvls", condition(aspect)) for aspect in Aspect),
        ledger.amend("dvls", facts=full().facts),
        ledger.amend("dvls", credential=credential()),
        ledger.amend("dvls", granted=full().granted, roles=full().roles),
        ledger.amend("dvls", given=full().given),
        ledger.amend("dvls", advice=full().advice, hybrid=full().hybrid),
        ledger.amend(carrying.spec.name, approval=carrying.approval),
        ledger.begin(operation()),
    )
    assert await ledger.connection("dvls") == full()


@pytest.mark.diagnosis("CONFIG_CONFLICT")
async def test_of_many_who_change_the_spec_one_succeeds(ledger: Ledger) -> None:
    await ledger.create(connection())
    known = connection().spec
    others = [msgspec.structs.replace(known, owner=f"owner {n}") for n in range(5)]
    done = await asyncio.gather(*(ledger.exchange("dvls", known, spec=other) for other in others))
    assert sorted(done) == [False] * 4 + [True]
    kept = await ledger.connection("dvls")
    assert kept is not None and kept.spec == others[done.index(True)]
    assert await ledger.exchange("nobody", known, spec=known) is False


async def test_what_else_is_written_does_not_hinder_a_change_of_the_spec(ledger: Ledger) -> None:
    await ledger.create(connection())
    known = connection().spec
    fresh = msgspec.structs.replace(known, owner="somebody else")
    done, *_ = await asyncio.gather(
        ledger.exchange("dvls", known, spec=fresh, requested_by="id", changed=START),
        *(ledger.set_condition("dvls", condition(aspect)) for aspect in Aspect),
    )
    kept = await ledger.connection("dvls")
    assert done and kept is not None
    assert (kept.spec, kept.requested_by, kept.changed) == (fresh, "id", START)
    assert len(kept.conditions) == len(Aspect)


async def test_writing_to_a_connection_that_is_not_there_is_a_bug(ledger: Ledger) -> None:
    with pytest.raises(LookupError, match="nobody"):
        await ledger.amend("nobody", facts=Facts())
    with pytest.raises(LookupError, match="nobody"):
        await ledger.set_condition("nobody", condition(Aspect.VERIFIED))
    with pytest.raises(LookupError, match="nobody"):
        await ledger.conclude("nobody", condition(Aspect.VERIFIED), known=None)
    with pytest.raises(LookupError, match="nobody"):
        await ledger.begin(operation(name="nobody"))


@pytest.mark.parametrize("size", [15_999, 16_001, 40_000, 100_000])
async def test_long_texts_come_back_and_may_become_shorter(ledger: Ledger, size: int) -> None:
    await ledger.create(connection())
    for message in ("é😀" * (size // 2), "short"):
        await ledger.set_condition("dvls", condition(Aspect.VERIFIED, message))
        known = await ledger.connection("dvls")
        assert known is not None
        assert known.conditions == (condition(Aspect.VERIFIED, message),)


async def test_a_long_spec_comes_back(ledger: Ledger) -> None:
    spec = msgspec.structs.replace(connection().spec, inputs={"filter": ["g" * 40] * 1500})
    long = msgspec.structs.replace(connection(), spec=spec)
    assert await ledger.create(long)
    assert await ledger.connection("dvls") == long


@pytest.mark.requirement("X-18")
async def test_only_the_name_of_an_offboarded_connection_is_taken_up(ledger: Ledger) -> None:
    fresh = connection(requested_by="someone")
    assert not await ledger.renew(fresh)
    await ledger.create(full())
    assert not await ledger.renew(fresh)
    leaving = Offboarding(by="ana", reason="gone", asked=START)
    await ledger.amend("dvls", offboarding=leaving)
    assert not await ledger.renew(fresh)
    assert await ledger.connection("dvls") == msgspec.structs.replace(full(), offboarding=leaving)
    ended = msgspec.structs.replace(leaving, begun=START, finished=START)
    await ledger.amend("dvls", offboarding=ended)
    assert await ledger.renew(fresh)
    assert await ledger.connection("dvls") == fresh
    assert not await ledger.renew(fresh)


@pytest.mark.requirement("X-18")
async def test_of_twenty_who_take_a_name_up_one_succeeds(ledger: Ledger) -> None:
    await ledger.create(full())
    ended = Offboarding(by="ana", reason="gone", asked=START, finished=START)
    await ledger.amend("dvls", offboarding=ended)
    made = await asyncio.gather(*(ledger.renew(connection(requested_by=str(n))) for n in range(20)))
    assert made.count(True) == 1
    kept = await ledger.connection("dvls")
    assert kept is not None and kept.requested_by == str(made.index(True))
