"""A change of permissions: the new ones first, and never less than one of the two."""

import asyncio

import pytest
from msgspec.structs import replace

from shared import onboarding
from shared.errors import NeedsHuman, TryLater
from shared.model.connection import Approval, Aspect, Status
from shared.planning.consent import key_text
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.tenant import GrantRow
from tests.in_memory.access.world import (
    NAME,
    alter,
    application,
    begin,
    configured,
    found,
    go_on,
    granted,
    permission,
    principal,
    scopes,
    told,
)

PROFILE = "netwrix-identity-manager"
READ, WRITE = "Directory.Read.All", "Directory.ReadWrite.All"
FULFIL = {"export": True, "fulfilment": True}
EXPORT = {"export": True, "fulfilment": False}


class Watch:
    """Sees after every call which of the two permissions are granted."""

    def __init__(self, ctx: FakeContext) -> None:
        self.seen: list[frozenset[str]] = []
        take = ctx.tenant.faults.take

        def watched(method: str) -> object:
            if ctx.tenant.principals:
                self.seen.append(frozenset(granted(ctx)))
            return take(method)

        ctx.tenant.faults.take = watched  # type: ignore[method-assign,assignment] # a spy


@pytest.mark.requirement("N-11", "N-12")
async def test_there_is_no_moment_without_read_access() -> None:
    ctx = fake_context()
    await begin(ctx, PROFILE, features=EXPORT)
    assert granted(ctx) == {READ}
    watch = Watch(ctx)
    await alter(ctx, "on", features=FULFIL)
    assert granted(ctx) == {WRITE}
    assert configured(ctx) == {("application", WRITE)}
    assert list(dict.fromkeys(watch.seen)) == [{READ}, {READ, WRITE}, {WRITE}]
    await alter(ctx, "off", features=EXPORT)
    assert granted(ctx) == {READ}
    assert configured(ctx) == {("application", READ)}
    assert all(watch.seen)
    given = (await found(ctx)).given
    assert given == (key_text(permission(ctx, READ).key),)


@pytest.mark.requirement("N-12", "X-03")
async def test_a_repeat_after_the_change_writes_nothing() -> None:
    ctx = fake_context()
    await begin(ctx, PROFILE, features=EXPORT)
    await alter(ctx, "on", features=FULFIL)
    before = len(ctx.tenant.faults.calls)
    await go_on(ctx, "again")
    again = ctx.tenant.faults.calls[before:]
    assert not {"consents.grant", "consents.revoke", "applications.configure"} & set(again)
    assert "applications.ensure" not in again


@pytest.mark.requirement("N-12")
async def test_what_others_granted_is_not_taken_back() -> None:
    """Somebody grants the read permission by hand before Keyturn needs it."""
    ctx = fake_context()
    await begin(ctx, PROFILE, features=FULFIL)
    graph = ctx.tenant.resources[permission(ctx, READ).key.resource]
    by_hand = GrantRow(resource_id=graph.principal_id, permission_id=permission(ctx, READ).key.id)
    principal(ctx).grants.append(by_hand)
    await alter(ctx, "off", features=EXPORT)
    assert granted(ctx) == {READ}
    await alter(ctx, "on", features=FULFIL)
    assert granted(ctx) == {READ, WRITE}
    assert by_hand in principal(ctx).grants


@pytest.mark.requirement("N-12")
async def test_scopes_are_taken_back_and_those_of_others_stay() -> None:
    ctx = fake_context()
    profile = "bitwarden-directory-connector"
    await begin(ctx, profile, features={"administrative_units": True})
    (held,) = principal(ctx).delegated
    held.scopes = (*held.scopes, "Mail.Send")
    await alter(ctx, "off", features={"administrative_units": False})
    assert scopes(ctx) == [("Group.Read.All", "Mail.Send", "User.Read.All", "User.ReadBasic.All")]
    assert "AdministrativeUnit.Read.All" not in granted(ctx)
    assert not any("AdministrativeUnit" in name for _, name in configured(ctx))


@pytest.mark.requirement("N-12")
async def test_an_api_that_is_not_wanted_any_more_is_cleared() -> None:
    ctx = fake_context()
    profile = "netwrix-1secure"
    await begin(ctx, profile, features={"entra_audit": True, "sharepoint_state": True})
    assert "Sites.FullControl.All" in granted(ctx)
    await alter(ctx, "off", features={"entra_audit": True, "sharepoint_state": False})
    assert "Sites.FullControl.All" not in granted(ctx)
    assert ("application", "Sites.FullControl.All") not in configured(ctx)


@pytest.mark.requirement("N-12")
async def test_while_the_new_one_is_refused_the_old_one_stays() -> None:
    ctx = fake_context()
    await begin(ctx, PROFILE, features=EXPORT)
    ctx.tenant.fail("consents.grant", NeedsHuman("CONSENT_DENIED", "no", "ask"))
    await alter(ctx, "on", features=FULFIL)
    assert (await told(ctx, Aspect.CONSENTED)).reason == "CONSENT_DENIED"
    assert granted(ctx) == {READ}
    assert ("application", READ) in configured(ctx)
    await go_on(ctx, "again")
    assert granted(ctx) == {WRITE}
    assert configured(ctx) == {("application", WRITE)}


CRASHES = [
    (method, after)
    for method in (
        "ledger.amend(given)",
        "consents.grant",
        "consents.granted",
        "consents.revoke",
        "applications.configure",
    )
    for after in (False, True)
]


@pytest.mark.requirement("N-12", "X-06")
@pytest.mark.parametrize(("method", "after"), CRASHES)
async def test_a_crash_on_the_way_forgets_nothing(method: str, *, after: bool) -> None:
    ctx = fake_context()
    await begin(ctx, PROFILE, features=EXPORT)
    watch = Watch(ctx)
    ctx.tenant.fail(method, asyncio.CancelledError(), after_effect=after)
    with pytest.raises(asyncio.CancelledError):
        await alter(ctx, "on", features=FULFIL)
    ctx.outbox.queued.clear()
    await go_on(ctx, "on")
    assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE
    assert granted(ctx) == {WRITE}
    assert configured(ctx) == {("application", WRITE)}
    assert all(watch.seen)
    assert len((await found(ctx)).given) == 1


@pytest.mark.requirement("N-12")
async def test_a_new_grant_that_is_not_listed_keeps_the_old_one() -> None:
    ctx = fake_context()
    await begin(ctx, PROFILE, features=EXPORT)
    ctx.tenant.lag = 10_000
    await alter(ctx, "on", features=FULFIL)
    condition = await told(ctx, Aspect.CONSENTED)
    assert (condition.status, condition.reason) == (Status.FALSE, "CONSENT_MISSING")
    assert "1 of 1" in condition.message
    assert granted(ctx) == {READ, WRITE}
    assert application(ctx).wanted.configured


@pytest.mark.requirement("N-12")
async def test_an_outage_between_grant_and_revocation() -> None:
    ctx = fake_context()
    await begin(ctx, PROFILE, features=EXPORT)
    ctx.tenant.fail("consents.revoke", TryLater("GRAPH_UNAVAILABLE", "HTTP 503"), times=3)
    await alter(ctx, "on", features=FULFIL)
    assert (await told(ctx, Aspect.CONSENTED)).status == Status.TRUE
    assert granted(ctx) == {WRITE}


@pytest.mark.requirement("N-11", "N-12", "X-07")
async def test_a_change_of_features_waits_for_its_approval_with_read_access() -> None:
    """The whole way: a request changes the features, somebody approves, everything is true."""
    ctx = fake_context()
    await begin(ctx, PROFILE, features=EXPORT, whole=True)
    watch = Watch(ctx)
    known = (await found(ctx)).spec
    await onboarding.change(ctx, known, replace(known, features=FULFIL), asked_by="ana")
    await drive(ctx)
    assert (await told(ctx, Aspect.CONSENTED)).reason == "APPROVAL_PENDING"
    assert granted(ctx) == {READ}
    assert configured(ctx) == {("application", READ), ("application", WRITE)}
    approval = Approval(by="chris", reason="change 4711")
    await onboarding.approve(ctx, NAME, approval, asked_by="chris")
    await drive(ctx)
    after = await found(ctx)
    assert {c.type for c in after.conditions if c.status != Status.TRUE} == set()
    assert after.granted == (WRITE,)
    assert granted(ctx) == {WRITE}
    assert configured(ctx) == {("application", WRITE)}
    assert all(watch.seen)


@pytest.mark.requirement("N-12")
async def test_a_change_that_is_undone_before_its_approval_leaves_nothing() -> None:
    ctx = fake_context()
    await begin(ctx, PROFILE, features=EXPORT, whole=True)
    known = (await found(ctx)).spec
    await onboarding.change(ctx, known, replace(known, features=FULFIL), asked_by="ana")
    await drive(ctx)
    changed = (await found(ctx)).spec
    await onboarding.change(ctx, changed, known, asked_by="ana")
    await drive(ctx)
    after = await found(ctx)
    assert {c.type for c in after.conditions if c.status != Status.TRUE} == set()
    assert granted(ctx) == {READ}
    assert configured(ctx) == {("application", READ)}
