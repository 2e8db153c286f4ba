"""Of an application that was there before, only what Keyturn gave is taken back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from msgspec.structs import replace

from shared import operations
from shared.model.connection import Approval, Aspect, Connection
from shared.model.directory import GRAPH_APP_ID, Kind
from shared.onboarding import Rejected
from shared.planning.access import plan_access
from shared.planning.risk import high_risk
from shared.profile import catalogue
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.tenant import ApplicationRow, GrantRow, RoleRow, ScopesRow, SecretRow
from tests.in_memory.access import world
from tests.in_memory.chain.departures import REASON, offboard

pytestmark = pytest.mark.requirement("X-18")

PROFILE = "devolutions-server"
THEIRS = "User.Read.All"


def theirs(ctx: FakeContext) -> ApplicationRow:
    """Somebody's application with a permission, scopes, a role and a secret of theirs."""
    key = world.permission(ctx, THEIRS).key
    read = world.permission(ctx, "User.Read", Kind.DELEGATED).key
    row = world.theirs(ctx, configured=frozenset({key, read}))
    row.owners.add(ctx.tenant.own_principal)
    held = world.principal(ctx, row)
    graph = ctx.tenant.resources[GRAPH_APP_ID].principal_id
    held.grants.append(GrantRow(resource_id=graph, permission_id=key.id))
    held.delegated.append(ScopesRow(resource_id=graph, scopes=("User.Read",)))
    held.roles.append(RoleRow(role_id="a role of theirs"))
    now = ctx.clock.now()
    secret = SecretRow(name="theirs", value="v", starts=now, ends=now + timedelta(days=90))
    row.secrets.append(secret)
    return row


@pytest.fixture
def adopting(monkeypatch: pytest.MonkeyPatch) -> Callable[[ApplicationRow], None]:
    """From then on the profile adopts an application, as one with an input for it would."""

    def adopt(row: ApplicationRow) -> None:
        plain = catalogue()[PROFILE]
        registration = replace(plain.registration, existing=row.client_id)
        changed = {PROFILE: replace(plain, registration=registration)}
        for module in ("runtime", "removals", "onboarding.ending"):
            monkeypatch.setattr(f"shared.{module}.catalogue", lambda: changed)

    return adopt


Adopting = Callable[[ApplicationRow], None]


def state(ctx: FakeContext, row: ApplicationRow) -> tuple[object, ...]:
    held = world.principal(ctx, row)
    return (
        world.granted(ctx, row),
        [d.scopes for d in held.delegated],
        [r.role_id for r in held.roles],
        [s.name for s in row.secrets],
        row.wanted.configured,
        row.wanted.tags,
    )


async def begin(ctx: FakeContext, name: str) -> Connection:
    """Onboard one more connection."""
    spec = replace(world.spec_of(PROFILE), name=name)
    await ctx.ledger.create(Connection(spec=spec, created=ctx.clock.now()))
    covers = high_risk(plan_access(catalogue()[PROFILE], spec))
    await ctx.ledger.amend(name, approval=Approval(reason="reviewed", covers=covers))
    await operations.start(ctx, name, "onboard", f"on-{name}", asked_by="t", reason="requested")
    await drive(ctx)
    known = await ctx.ledger.connection(name)
    assert known is not None and known.credential is not None, known
    return known


async def test_it_is_as_it_was_before(adopting: Adopting) -> None:
    ctx = fake_context()
    row = theirs(ctx)
    adopting(row)
    before = state(ctx, row)
    known = await begin(ctx, "one")
    assert known.given and state(ctx, row) != before
    ended = await offboard(ctx, "one")
    assert ended.offboarding is not None and ended.offboarding.finished is not None, ended
    assert state(ctx, row) == before
    assert row.client_id in ctx.tenant.principals and ctx.tenant.deleted == {}
    assert ctx.vault.versions == {}


async def test_what_another_connection_needs_stays_until_that_one_goes(
    adopting: Adopting,
) -> None:
    ctx = fake_context()
    row = theirs(ctx)
    adopting(row)
    before = state(ctx, row)
    first = await begin(ctx, "one")
    given = world.granted(ctx, row)
    second = await begin(ctx, "two")
    assert second.given == ()
    await offboard(ctx, "one")
    assert world.granted(ctx, row) == given
    heir = await ctx.ledger.connection("two")
    assert heir is not None and set(heir.given) == set(first.given)
    assert ctx.vault.value("two") is not None
    assert [s.name for s in row.secrets if "on-two" in s.name]
    await offboard(ctx, "two")
    assert state(ctx, row) == before


async def test_an_application_of_ours_that_another_connection_adopted_is_kept(
    adopting: Adopting, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = fake_context()
    made = await begin(ctx, "one")
    adopting(world.application(ctx))
    await begin(ctx, "two")
    monkeypatch.undo()
    with pytest.raises(Rejected) as refused:
        await offboard(ctx, "one")
    assert refused.value.problem.code == "APPLICATION_SHARED"
    assert "two" in refused.value.problem.message
    # The same when the other one came in between.
    await operations.start(ctx, "one", "offboard", "leave", asked_by="ana", reason=REASON)
    await drive(ctx)
    kept = await ctx.ledger.connection("one")
    assert kept is not None and kept.given == made.given
    told = kept.condition(Aspect.REGISTERED)
    assert told is not None and told.reason == "APPLICATION_SHARED"
    assert ctx.vault.value("one") is not None and ctx.tenant.deleted == {}


async def test_delegated_permissions_of_others_stay(
    adopting: Adopting,
) -> None:
    ctx = fake_context()
    ctx.tenant.own_roles |= {"DelegatedPermissionGrant.ReadWrite.All"}
    row = theirs(ctx)
    adopting(row)
    known = await begin(ctx, "one")
    files = world.permission(ctx, "Group.Read.All", Kind.DELEGATED)
    mark = f"{GRAPH_APP_ID}/{Kind.DELEGATED}/{files.key.id}"
    held = world.principal(ctx, row).delegated
    held[0].scopes = ("User.Read", files.name)
    await ctx.ledger.amend("one", given=(*known.given, mark))
    await offboard(ctx, "one")
    assert [d.scopes for d in held] == [("User.Read",)]
