"""A process may die at any call of a verification that finds something, repairs, and removes."""

from collections import Counter

import pytest

from shared import onboarding
from shared.model.finding import Finding
from shared.planning.findings import state_of
from shared.requests.decisions import Wish
from tests.fakes import FakeContext
from tests.in_memory.campaign import STRIDE, Killed, calls_of, killed_at_every_call
from tests.in_memory.chain.drifts import grant, principal, revoke
from tests.in_memory.chain.findings import (
    asked_besides,
    decide,
    events,
    findings,
    history,
    scopes,
    tenant_of,
)
from tests.in_memory.chain.test_crash_points import deliver_through
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_repair import repairing
from tests.in_memory.chain.world import NAME, assert_onboarded

__all__ = ["repairing"]

pytestmark = [
    pytest.mark.requirement("X-06", "X-09"),
    pytest.mark.slow,
    pytest.mark.usefixtures("repairing"),
]


async def verified(ctx: FakeContext, operation: str) -> int:
    ctx.clock.advance(days=1)
    await onboarding.run(ctx, NAME, "verify", operation, asked_by="test")
    return await deliver_through(ctx)


async def drifted() -> FakeContext:
    """Something of each kind: missing twice, extra four times, and a consent of one user."""
    ctx = await onboarded()
    revoke(ctx, "User.Read.All")
    principal(ctx).roles.clear()
    grant(ctx, "Mail.Send")
    grant(ctx, "Mail.Read")
    scopes(ctx, "Mail.Send")
    scopes(ctx, "Mail.Read", user="u-1")
    asked_besides(ctx)
    return ctx


async def by_name(ctx: FakeContext) -> dict[str, Finding]:
    return {finding.name: finding for finding in await findings(ctx)}


async def decided_about(ctx: FakeContext, known: dict[str, Finding]) -> int:
    """An approver accepts what stays, and wants the rest away, while a verification begins."""
    killed = 0
    for name, finding in sorted(known.items()):
        if finding.closed is not None:
            continue
        keeps = name in ("Mail.Read", "Mail.Read (delegated, for the user u-1)")
        wish = Wish(choice="accept" if keeps else "remove", reason="CHG-9")
        mark = finding.fingerprint
        for _ in range(2):  # a person whose call has died repeats it
            try:
                await onboarding.decide(ctx, NAME, mark, wish, asked_by="eve", principal="e")
                break
            except Killed:
                killed += 1
                ctx.clock.advance(minutes=2)  # the lease of the dead process ends
    return killed + await deliver_through(ctx)


async def campaign(ctx: FakeContext) -> int:
    killed = await verified(ctx, "verify-1")
    killed += await decided_about(ctx, await by_name(ctx))
    return killed + await verified(ctx, "verify-2")


async def some_calls() -> list[tuple[str, int]]:
    """Each look of the two minutes in which nothing is believed yet has the same calls."""
    counts = Counter(method for method, _ in await calls_of(drifted, campaign, assert_right))
    return [(method, nth) for method, count in counts.items() for nth in _nths(count)]


def _nths(count: int) -> list[int]:
    return sorted({1, 2, *range(1, count, max(1, count // 6)), count - 1, count} - {0})


async def assert_right(ctx: FakeContext) -> None:
    """As onboarded, but for what was accepted; each finding told and closed as it should be."""
    await assert_onboarded(ctx)
    clean = await onboarded()
    grants, delegated, roles, configured, _ = tenant_of(ctx)
    assert len(grants) == len(tenant_of(clean)[0]) + 1  # type: ignore[arg-type] # a set
    assert [(row.scopes, row.user) for row in principal(ctx).delegated] == [(("Mail.Read",), "u-1")]
    assert delegated and roles == tenant_of(clean)[2] and configured == tenant_of(clean)[3]
    now = ctx.clock.now()
    ended = {f.name: (state_of(f, now), f.closed_why) for f in await findings(ctx)}
    assert ended == {
        "Helpdesk Administrator": ("closed", "repaired"),
        "User.Read.All": ("closed", "repaired"),
        "Mail.Send": ("closed", "removed"),
        "Mail.Send (delegated)": ("closed", "removed"),
        "Mail.Send, asked for by the registration": ("closed", "removed"),
        "Mail.Read": ("approved", ""),
        "Mail.Read (delegated, for the user u-1)": ("approved", ""),
    }
    marks = {f.fingerprint for f in await findings(ctx)}
    assert {mark.partition(":")[0] for mark in events(ctx, "reported")} == marks
    assert len(set(events(ctx, "closed"))) == 5
    assert len({row["fingerprint"] for row in await history(ctx, "finding.closed")}) == 5
    assert {row["fingerprint"] for row in await history(ctx, "finding.opened")} == marks


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
async def test_killed_at_every_call_of_a_verification_with_findings(*, after_effect: bool) -> None:
    tried = await killed_at_every_call(
        drifted, campaign, assert_right, after_effect=after_effect, calls=await some_calls()
    )
    assert tried.deaths > 100 / STRIDE


async def test_every_message_of_it_delivered_twice_changes_nothing() -> None:
    ctx = await drifted()
    await campaign(ctx)
    before = tenant_of(ctx)
    for finding in (await by_name(ctx)).values():
        if finding.closed is None:
            await decide(ctx, "accept", finding)
    await verified(ctx, "again")
    assert tenant_of(ctx) == before
    await assert_right(ctx)
