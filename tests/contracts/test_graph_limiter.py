"""The limiter against the emulator's buckets, Graph's documented ones; time is made up."""

import heapq
from dataclasses import dataclass
from itertools import count

import pytest

from emulators.graph.errors import GraphError
from emulators.graph.throttling import Throttle
from shared.adapters.graph_limiter import Limiter, cost

LARGE, MEDIUM, SMALL = 100_000, 300, 40  # users of the tenant
LATENCY = 0.05
PART = 2  # units of one list of members


class Clock:
    now = 1000.0

    def time(self) -> float:
        return self.now


@dataclass
class Use:
    """What became of the requests of readers, all as eager as they may be."""

    units: float = 0.0
    sent: int = 0
    refused: int = 0

    @property
    def refusals(self) -> float:
        return self.refused / self.sent


def read(users: int, *, seconds: float, readers: int, parts: int, others: float = 0.0) -> Use:
    """*readers* send batches of *parts* lists; *others* use so much of the quota besides."""
    clock, use, order = Clock(), Use(), count()
    limiter, throttle = Limiter(clock=clock.time), Throttle(clock, users)  # type: ignore[arg-type] # all that they use of it
    throttle.configure({})
    end = clock.now + seconds
    waiting = [(clock.now, next(order), "reserve") for _ in range(readers)]
    if others:
        waiting.append((clock.now, next(order), "other"))
    while waiting:
        clock.now, _, what = heapq.heappop(waiting)
        if clock.now > end:
            break
        if what == "other":
            _ask(throttle, 1)
            heapq.heappush(waiting, (clock.now + 1 / others, next(order), what))
        elif what == "reserve":
            wait = limiter.wait(parts * PART)
            heapq.heappush(waiting, (clock.now + wait, next(order), "send"))
        elif limiter.closed() > 0:
            heapq.heappush(waiting, (clock.now + limiter.closed(), next(order), "send"))
        else:
            waits = [_ask(throttle, PART) for _ in range(parts)]
            use.sent += parts
            refused = [wait for wait in waits if wait]
            use.refused += len(refused)
            use.units += PART * (parts - len(refused))
            share = throttle.headers("app").get("x-ms-throttle-limit-percentage", "")
            limiter.told(parts * PART, str(parts * PART), share)
            if refused:
                limiter.close(max(refused))
            heapq.heappush(waiting, (clock.now + LATENCY, next(order), "reserve"))
    return use


def _ask(throttle: Throttle, units: int) -> float:
    """Seconds that it asks to wait; 0 when it was answered."""
    try:
        throttle.check("app", "tenant", "GET", "/groups/x/members", units)
    except GraphError as refusal:
        return float(refusal.headers["Retry-After"])
    return 0.0


@pytest.mark.parametrize(("readers", "parts"), [(4, 20), (1, 20), (40, 1)])
def test_a_large_tenant_is_read_near_its_limit_and_hardly_ever_refused(
    readers: int, parts: int
) -> None:
    use = read(LARGE, seconds=120, readers=readers, parts=parts)
    allowed = 800 * 120
    if readers * parts >= 40:  # one reader alone is kept by the latency
        assert use.units > 0.85 * allowed
    assert use.units < 0.95 * allowed
    assert use.refusals < 0.01


@pytest.mark.parametrize(("users", "limit"), [(MEDIUM, 5000), (SMALL, 3500)])
def test_a_smaller_tenant_says_so_before_it_refuses(users: int, limit: int) -> None:
    use = read(users, seconds=120, readers=4, parts=20)
    assert 0.85 * limit / 10 * 120 < use.units
    assert use.refusals < 0.01


def test_what_others_use_is_left_to_them() -> None:
    use = read(LARGE, seconds=120, readers=4, parts=20, others=400)
    assert 0.35 * 800 * 120 < use.units < 0.5 * 800 * 120
    assert use.refusals < 0.01


def test_reports_have_a_quota_of_their_own() -> None:
    clock = Clock()
    limiter = Limiter(clock=clock.time)
    waits = []
    for _ in range(30):
        wait = limiter.wait(1, report=True)
        clock.now += wait
        waits.append(clock.now)
    assert waits[3] == 1000.0  # some at once
    for first, last in zip(waits, waits[5:], strict=False):
        assert last - first > 1
    assert waits[-1] - waits[0] == pytest.approx((30 - 4) / 0.45)


def test_a_refusal_is_kept_by_everybody_and_remembered_for_a_while() -> None:
    clock = Clock()
    limiter = Limiter(clock=clock.time)
    limiter.close(2.128)
    assert limiter.closed() == pytest.approx(2.128)
    limiter.hold(1.0)
    assert limiter.closed() == pytest.approx(2.128)
    clock.now += 3
    assert limiter.closed() == 0
    careful = _seconds(limiter, clock)
    clock.now += 60
    limiter.told(2, "", "")
    assert _seconds(limiter, clock) < careful


def test_odd_headers_change_nothing() -> None:
    clock = Clock()
    limiter, plain = Limiter(clock=clock.time), Limiter(clock=clock.time)
    for text in ("", "nan", "inf", "much"):
        limiter.told(2, text, text)
    assert _seconds(limiter, clock) == pytest.approx(_seconds(plain, clock))


def test_at_pace_zero_nobody_waits() -> None:
    limiter = Limiter(0.0, Clock().time)
    limiter.close(300)
    assert limiter.closed() == 0
    assert {limiter.wait(40) for _ in range(1000)} == {0.0}


def _seconds(limiter: Limiter, clock: Clock) -> float:
    """That ten thousand units take from now on."""
    began = clock.now
    for _ in range(250):
        clock.now += limiter.wait(40)
    return clock.now - began


@pytest.mark.parametrize(
    ("url", "units"),
    [
        ("/users?$select=id&$top=999", 1),
        ("https://graph.microsoft.com/v1.0/users?%24top=999", 2),
        ("/users", 2),
        ("/users?$top=5", 1),
        ("/users/delta?$select=id", 1),
        ("/groups?$select=id&$top=999", 1),
        ("/groups/a-b/members?%24select=id&%24top=999", 2),
        ("/groups/a-b/members", 3),
        ("/groups/a-b/transitiveMembers/graph.user?$select=id", 4),
        ("/roleManagement/directory/roleAssignments?$expand=principal", 2),
        ("/directoryObjects/getByIds", 3),
    ],
)
def test_costs_are_the_documented_ones(url: str, units: int) -> None:
    assert cost(url) == units
