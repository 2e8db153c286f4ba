"""What people change by hand in Entra ID or in the vault: seen, told, and healed where safe.

Nobody asks for anything here: the timers alone find it and put it right, once.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from functions.sweeps import sweep
from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.messages import RESUME
from shared.model.connection import Aspect, Condition, Status
from tests.fakes import FakeContext
from tests.fakes.drive import drive
from tests.fakes.outbox import Sent
from tests.fakes.vault import Version
from tests.in_memory.chain.drifts import application, principal, secret
from tests.in_memory.chain.test_recovery import onboarded
from tests.in_memory.chain.test_secrets import held, rotate, served
from tests.in_memory.chain.world import NAME, connection

STAGED = f"{NAME}--next"
Change = Callable[[FakeContext], object]


async def pass_days(ctx: FakeContext, days: int) -> None:
    """Let the timers run every six hours."""
    for _ in range(days * 4):
        ctx.clock.advance(hours=6)
        for kind in ("rotate", "verify", "retire", RESUME):
            await sweep(ctx, kind)
            await drive(ctx)


async def shown(ctx: FakeContext, aspect: Aspect = Aspect.VERIFIED) -> Condition:
    found = (await connection(ctx)).condition(aspect)
    assert found is not None
    return found


def version(ctx: FakeContext) -> Version:
    return ctx.vault.versions[NAME][-1]


def told(ctx: FakeContext) -> list[dict[str, str]]:
    """What subscribers were told that a person must know."""
    kind = "keyturn.operation.needs-attention"
    return [event.data for event in ctx.outbox.events if event.type == kind]


def remove_served(ctx: FakeContext) -> None:
    application(ctx).secrets.clear()


def disable(ctx: FakeContext) -> None:
    version(ctx).enabled = False


def delete(ctx: FakeContext) -> None:
    ctx.vault.deleted[NAME] = ctx.vault.versions.pop(NAME)


def purge(ctx: FakeContext) -> None:
    ctx.vault.versions.pop(NAME)


def type_in(ctx: FakeContext) -> None:
    ctx.vault.type_in(NAME, "typed by somebody")


def type_in_what_works(ctx: FakeContext) -> None:
    """Somebody makes a secret in the portal and enters that in the vault."""
    row = secret(ctx, "by hand", age=timedelta(), value="fAkby-hand")
    ctx.vault.type_in(NAME, row.value)


def strip(ctx: FakeContext) -> None:
    version(ctx).tags.clear()


def copy_with_tags(ctx: FakeContext) -> None:
    ctx.vault.type_in(NAME, "typed by somebody").tags = dict(ctx.vault.versions[NAME][0].tags)


HEALED: dict[str, tuple[Change, str]] = {
    "secret removed from the application": (remove_served, "somebody removed it"),
    "current version disabled": (disable, "is disabled"),
    "secret deleted from the vault": (delete, "deleted"),
    "secret purged": (purge, "deleted"),
    "another value entered": (type_in, "put there by hand"),
    "a working value entered": (type_in_what_works, "put there by hand"),
    "tags removed": (strip, "put there by hand"),
    "another value with our tags": (copy_with_tags, "refuses the value"),
}


@pytest.mark.requirement("X-09", "M-09")
@pytest.mark.diagnosis("SECRET_MISSING")
@pytest.mark.parametrize("name", HEALED)
async def test_it_is_told_and_healed_by_one_new_secret(name: str) -> None:
    change, words = HEALED[name]
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    first = await served(ctx)
    change(ctx)
    await pass_days(ctx, 2)
    problems = [p for p in told(ctx) if p["reason"] == "SECRET_MISSING"]
    assert len(problems) == 1
    assert words in problems[0]["message"]
    assert "POST /api/connections" in problems[0]["remedy"]
    assert await served(ctx) != first
    await pass_days(ctx, 20)
    assert ctx.tenant.faults.count("credentials.add") == 2  # one to begin with, one to heal
    by_hand = [row.id for row in application(ctx).secrets if row.name == "by hand"]
    assert held(ctx) == [*by_hand, await served(ctx)]
    if not by_hand:
        assert (await shown(ctx)).status == Status.TRUE
    assert ctx.vault.value(NAME) == application(ctx).secrets[-1].value


def disable_older(ctx: FakeContext) -> None:
    ctx.vault.versions[NAME][0].enabled = False


def end(ctx: FakeContext, days: int) -> None:
    version(ctx).expires = ctx.clock.now() + timedelta(days=days)


UNHARMED: dict[str, Change] = {
    "older version disabled": disable_older,
    "older version without tags": lambda ctx: ctx.vault.versions[NAME][0].tags.clear(),
    "previous secret removed": lambda ctx: application(ctx).secrets.pop(0),
    "later end in the vault": lambda ctx: end(ctx, 900),
    "no end in the vault": lambda ctx: setattr(version(ctx), "expires", None),
}


@pytest.mark.requirement("X-09")
@pytest.mark.parametrize("name", UNHARMED)
async def test_what_does_no_harm_starts_nothing(name: str) -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    await rotate(ctx, "rotate-1")
    before = await served(ctx)
    UNHARMED[name](ctx)
    await pass_days(ctx, 20)
    assert told(ctx) == []
    assert (await shown(ctx)).status == Status.TRUE
    assert held(ctx) == [before]
    await pass_days(ctx, 110)  # due after 120: the directory's dates count
    assert await served(ctx) != before
    assert ctx.tenant.faults.count("credentials.add") == 3


async def test_an_end_in_the_vault_that_is_over_is_told_and_put_right() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    end(ctx, -1)
    await pass_days(ctx, 20)
    assert [problem["reason"] for problem in told(ctx)] == ["SECRET_EXPIRED"]
    assert (await shown(ctx)).status == Status.TRUE
    assert ctx.tenant.faults.count("credentials.add") == 2
    ends = application(ctx).secrets[-1].ends
    assert version(ctx).expires == ends


async def test_the_new_version_disabled_during_the_overlap() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    first = await served(ctx)
    await rotate(ctx, "rotate-1")
    ctx.clock.advance(days=1)
    disable(ctx)
    await pass_days(ctx, 2)
    assert first in held(ctx)  # people may use it still
    assert (await shown(ctx)).status == Status.TRUE
    await pass_days(ctx, 20)
    assert held(ctx) == [await served(ctx)]
    assert ctx.tenant.faults.count("credentials.add") == 3


def delete_staged(ctx: FakeContext) -> None:
    ctx.vault.deleted[STAGED] = ctx.vault.versions.pop(STAGED)


def purge_staged(ctx: FakeContext) -> None:
    ctx.vault.versions.pop(STAGED)


def disable_staged(ctx: FakeContext) -> None:
    ctx.vault.versions[STAGED][-1].enabled = False


def retype_staged(ctx: FakeContext) -> None:
    ctx.vault.type_in(STAGED, "typed by somebody")


@pytest.mark.requirement("X-06")
@pytest.mark.parametrize("attempt", [2, 3, 4])
@pytest.mark.parametrize(
    "change", [delete_staged, purge_staged, disable_staged, retype_staged], ids=lambda c: c.__name__
)
async def test_the_staged_secret_is_taken_away_in_the_middle(change: Change, attempt: int) -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    ctx.tenant.token_lag = 2  # proving it takes several attempts
    first = await served(ctx)

    def there(sent: Sent) -> bool:
        return sent.step == "credentials" and sent.message.attempt == attempt

    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    await drive(ctx, there)
    assert len(held(ctx)) == 2
    change(ctx)
    await drive(ctx)
    operation = await ctx.ledger.operation(NAME, "rotate-1")
    assert operation is not None and operation.state == "succeeded"
    assert await served(ctx) != first
    assert held(ctx) == [first, await served(ctx)]


async def test_the_new_secret_is_removed_from_the_application_before_its_publication() -> None:
    """Lists lag behind writes, so the loss is believed after an hour; then another one is made."""
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    first = await served(ctx)
    await onboarding.run(ctx, NAME, "rotate", "rotate-1", asked_by="test")
    await drive(ctx, lambda sent: len(held(ctx)) == 2)
    application(ctx).secrets.pop()
    await drive(ctx)
    operation = await ctx.ledger.operation(NAME, "rotate-1")
    assert operation is not None and operation.state == "succeeded"
    assert held(ctx) == [first, await served(ctx)] and await served(ctx) != first


def disappear(ctx: FakeContext) -> Change:
    """Somebody deletes the application; answers how to restore it."""
    name, row = next(iter(ctx.tenant.applications.items()))
    kept = ctx.tenant.principals.pop(row.client_id)
    del ctx.tenant.applications[name]
    ctx.tenant.deleted[row.id] = ctx.clock.now()

    def restore(ctx: FakeContext) -> None:
        ctx.tenant.applications[name] = row
        ctx.tenant.principals[row.client_id] = kept
        del ctx.tenant.deleted[row.id]

    return restore


@pytest.mark.requirement("X-09")
@pytest.mark.diagnosis("APP_DELETED")
@pytest.mark.parametrize("due", [False, True])
async def test_a_deleted_application_is_told_and_goes_on_after_its_restoration(due: bool) -> None:  # noqa: FBT001 - a case
    ctx = await onboarded()
    ctx.clock.advance(days=130 if due else 3)
    restore = disappear(ctx)
    await pass_days(ctx, 5)
    found = await shown(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "APP_DELETED")
    assert "was deleted on 2026-" in found.message
    assert "Deleted applications, by 2026-" in found.remedy
    assert ctx.tenant.applications == {} and ctx.tenant.principals == {}  # none is made anew
    assert ctx.tenant.faults.count("credentials.add") == 1
    restore(ctx)
    await pass_days(ctx, 2)
    assert {c.status for c in (await connection(ctx)).conditions} == {Status.TRUE}
    await pass_days(ctx, 10)
    assert ctx.tenant.faults.count("credentials.add") == (2 if due else 1)
    assert held(ctx) == [await served(ctx)]


@pytest.mark.diagnosis("APP_DELETED")
async def test_an_application_that_is_gone_for_good_has_to_be_onboarded_anew() -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    disappear(ctx)
    ctx.tenant.deleted.clear()
    await pass_days(ctx, 3)
    found = await shown(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "APP_DELETED")
    assert "onboard the product under another name" in found.remedy
    assert ctx.tenant.applications == {}


@pytest.mark.diagnosis("SP_DISABLED")
@pytest.mark.parametrize("how", ["disabled", "deleted"])
async def test_a_service_principal_is_never_switched_on_or_made_by_a_timer(how: str) -> None:
    ctx = await onboarded()
    ctx.clock.advance(days=3)
    kept = principal(ctx)
    if how == "disabled":
        kept.enabled = False
    else:
        ctx.tenant.principals.clear()
    await pass_days(ctx, 3)
    found = await shown(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "SP_DISABLED")
    assert found.remedy
    assert not kept.enabled or ctx.tenant.principals == {}
    assert ctx.tenant.faults.count("credentials.add") == 1
    kept.enabled = True
    ctx.tenant.principals[kept.client_id] = kept
    await pass_days(ctx, 2)
    assert (await shown(ctx)).status == Status.TRUE


GRAPH = NeedsHuman(
    "AUTOMATION_PRIVILEGE", "HTTP 403: needs Application.ReadWrite.OwnedBy", "Grant it."
)
VAULT = TryLater(
    "VAULT_FORBIDDEN",
    "HTTP 403: needs Key Vault Secrets Officer",
    after=timedelta(seconds=30),
    limit=timedelta(minutes=10),
)


@pytest.mark.requirement("X-20")
@pytest.mark.diagnosis("AUTOMATION_PRIVILEGE")
@pytest.mark.parametrize(
    ("method", "error", "times"),
    [
        ("credentials.add", GRAPH, 6),
        ("credentials.held", GRAPH, 6),
        ("vault.current", VAULT, 60),  # waited for, each time for ten minutes
    ],
)
async def test_a_right_of_ours_that_was_taken_is_told_and_waited_for(
    method: str, error: Exception, times: int
) -> None:
    """No person repeats any request: what was due is tried again until the right is back."""
    ctx = await onboarded()
    before = await served(ctx)
    ctx.clock.advance(days=121)
    ctx.tenant.fail(method, error, times=times)
    await pass_days(ctx, 1)
    (first, *_) = told(ctx)
    assert "needs" in first["message"] and first["reason"] in (GRAPH.code, VAULT.code)
    await pass_days(ctx, 6)
    assert await served(ctx) != before
    assert {c.status for c in (await connection(ctx)).conditions} == {Status.TRUE}
