"""A process may die at any call while a certificate is made, published, replaced or taken back."""

import pytest

from tests.fakes import FakeContext, fake_context
from tests.in_memory.campaign import STRIDE, Begin, Check, Run, killed_at_every_call
from tests.in_memory.chain.certificates import certificates, secrets, served, signs_in_with
from tests.in_memory.chain.departures import ask, assert_gone
from tests.in_memory.chain.test_crash_points import deliver_through
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_rotation_crashes import rotated
from tests.in_memory.chain.world import NAME, assert_onboarded, onboard

pytestmark = [pytest.mark.slow, pytest.mark.requirement("X-03", "X-06")]


@pytest.fixture(autouse=True)
def certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    signs_in_with(monkeypatch, "certificate")


async def fresh() -> FakeContext:
    ctx = fake_context()
    await onboard(ctx)
    return ctx


async def leaving() -> FakeContext:
    ctx = await onboarded()
    await ask(ctx, NAME)
    return ctx


async def assert_one(ctx: FakeContext) -> None:
    await assert_onboarded(ctx)
    assert [row.id for row in certificates(ctx)] == [served(ctx)]
    assert secrets(ctx) == []


async def assert_left(ctx: FakeContext) -> None:
    await assert_gone(ctx, NAME)


CASES: dict[str, tuple[Begin, Run, Check]] = {
    "onboarding": (fresh, deliver_through, assert_one),
    "rotation": (onboarded, rotated, assert_one),
    "offboarding": (leaving, deliver_through, assert_left),
}


@pytest.mark.parametrize("after_effect", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("case", CASES)
async def test_killed_at_every_call(case: str, *, after_effect: bool) -> None:
    tried = await killed_at_every_call(*CASES[case], after_effect=after_effect)
    assert tried.deaths > 30 / STRIDE
