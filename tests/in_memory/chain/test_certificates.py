"""A product that signs in with a certificate: the same ladder, another thing at its end."""

from datetime import timedelta

import pytest

from shared.model.connection import Aspect, Status
from shared.model.shape import Shape
from shared.planning.credentials import PREFIX, operation_of
from shared.planning.emergency import DISABLE
from tests.fakes import FakeContext, fake_context
from tests.fakes.drive import drive
from tests.fakes.tenant import SecretRow
from tests.in_memory.chain.certificates import certificates, secrets, served, signs_in_with
from tests.in_memory.chain.departures import assert_gone, offboard
from tests.in_memory.chain.drifts import application, verify
from tests.in_memory.chain.products import condition, run
from tests.in_memory.chain.test_emergency import emergency
from tests.in_memory.chain.test_secrets import retire
from tests.in_memory.chain.world import NAME, assert_onboarded, connection, onboard


@pytest.fixture(params=["pem", "pfx"])
def form(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    signs_in_with(monkeypatch, "certificate", format=request.param)
    return str(request.param)


@pytest.fixture
def certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    signs_in_with(monkeypatch, "certificate")


async def onboarded() -> FakeContext:
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    await assert_onboarded(ctx)
    return ctx


@pytest.mark.requirement("X-08")
async def test_a_certificate_is_made_proven_and_published(form: str) -> None:
    ctx = await onboarded()
    (made,) = certificates(ctx)
    assert secrets(ctx) == []
    assert made.name.startswith(PREFIX) and len(made.name) <= 90
    assert await ctx.ledger.operation(NAME, operation_of(made.name)) is not None
    version = ctx.vault.versions[NAME][-1]
    assert (version.value, version.shape) == (made.value, Shape(form))
    assert version.tags["thumbprint"] == made.thumbprint
    assert version.expires == made.ends
    found = await connection(ctx)
    assert found.credential is not None
    assert (found.credential.shape, found.credential.thumbprint) == (Shape(form), made.thumbprint)
    assert condition(found, Aspect.CREDENTIAL_READY).message.startswith(
        f"Certificate {made.hint}... is published"
    )


@pytest.mark.usefixtures("certificate")
async def test_a_rotation_makes_another_and_retires_the_first() -> None:
    ctx = await onboarded()
    (first,) = certificates(ctx)
    await run(ctx, NAME, "rotate")
    assert len(certificates(ctx)) == 2
    assert served(ctx) != first.id
    await retire(ctx, 9)
    assert [row.id for row in certificates(ctx)] == [served(ctx)]
    await assert_onboarded(ctx)


@pytest.mark.parametrize(
    "kinds", [("client_secret", "certificate"), ("certificate", "client_secret")]
)
async def test_a_profile_may_change_its_mind_and_nobody_is_locked_out(
    monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, str]
) -> None:
    signs_in_with(monkeypatch, kinds[0])
    ctx = await onboarded()
    (former,) = application(ctx).secrets
    signs_in_with(monkeypatch, kinds[1])
    await run(ctx, NAME, "onboard")  # as a change of features would
    assert {row.certificate for row in application(ctx).secrets} == {True, False}
    assert served(ctx) != former.id
    whys = [row["why"] for row in await ctx.ledger.history(NAME) if "intended" in row["what"]]
    assert whys == ["none-served", "kind-changed"]
    await retire(ctx, 9)
    (left,) = application(ctx).secrets
    assert (left.id, left.certificate) == (served(ctx), kinds[1] == "certificate")


@pytest.mark.parametrize("kind", ["client_secret", "certificate"])
@pytest.mark.parametrize("theirs", ["client_secret", "certificate"])
@pytest.mark.requirement("X-13")
async def test_what_others_added_is_listed_and_stays(
    monkeypatch: pytest.MonkeyPatch, kind: str, theirs: str
) -> None:
    signs_in_with(monkeypatch, kind)
    ctx = await onboarded()
    now = ctx.clock.now()
    by_hand = SecretRow(
        name="by hand",
        value="x",
        starts=now - timedelta(days=9),
        ends=now + timedelta(days=300),
        certificate=theirs == "certificate",
    )
    application(ctx).secrets.append(by_hand)
    found = await verify(ctx)
    assert (found.status, found.reason) == (Status.FALSE, "SECRET_VALUE_UNKNOWN")
    assert by_hand.id in found.message
    assert ("a certificate whose thumbprint starts with" in found.message) == by_hand.certificate
    (stray,) = (await connection(ctx)).strays
    assert (stray.key_id, stray.certificate) == (by_hand.id, by_hand.certificate)
    await run(ctx, NAME, "rotate")
    await retire(ctx, 9)
    assert {row.id for row in application(ctx).secrets} == {by_hand.id, served(ctx)}


@pytest.mark.usefixtures("certificate")
async def test_the_policy_for_certificates_is_obeyed_and_told() -> None:
    ctx = fake_context()
    ctx.tenant.secrets_allowed = False  # which is why people choose a certificate
    ctx.tenant.longest_lifetime = 1.0
    ctx.tenant.longest_certificate = 60.0
    await onboard(ctx)
    await drive(ctx)
    (made,) = certificates(ctx)
    assert timedelta(days=59) < made.ends - made.starts < timedelta(days=60)
    ready = condition(await connection(ctx), Aspect.CREDENTIAL_READY)
    assert ready.status == Status.TRUE
    assert "at most 60" in ready.message


@pytest.mark.usefixtures("certificate")
async def test_one_that_is_removed_by_hand_is_made_anew() -> None:
    ctx = await onboarded()
    application(ctx).secrets.clear()
    found = await verify(ctx)
    assert found.reason == "SECRET_MISSING"
    assert "certificate" in found.message
    await run(ctx, NAME, "rotate")
    assert [row.id for row in certificates(ctx)] == [served(ctx)]


@pytest.mark.usefixtures("certificate")
async def test_the_end_of_a_connection() -> None:
    ctx = await onboarded()
    await offboard(ctx, NAME)
    await assert_gone(ctx, NAME)
    removed = [row for row in await ctx.ledger.history(NAME) if row["what"] == "secret.removed"]
    assert [row["why"] for row in removed] == ["offboarded"]


@pytest.mark.usefixtures("certificate")
@pytest.mark.parametrize("options", [(), (DISABLE,)], ids=["at once", "sign-in stopped first"])
async def test_one_whose_key_is_known_to_others_is_gone_within_minutes(
    options: tuple[str, ...],
) -> None:
    ctx = await onboarded()
    (leaked,) = certificates(ctx)
    now = ctx.clock.now()
    theirs = SecretRow(name="theirs", value="x", starts=now, ends=leaked.ends, certificate=True)
    application(ctx).secrets.append(theirs)
    ctx.clock.advance(days=1)
    await emergency(ctx, *options)
    assert served(ctx) != leaked.id
    assert {row.id for row in certificates(ctx)} == {theirs.id, served(ctx)}


async def test_the_next_one_may_be_there_ahead_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    signs_in_with(monkeypatch, "certificate", prestage=True)
    ctx = await onboarded_with_two()
    ahead = ctx.vault.versions[f"{NAME}--next"][-1]
    assert (ahead.shape, ahead.enabled) == (Shape.PEM, True)
    await run(ctx, NAME, "rotate")
    assert served(ctx) == ahead.tags["keyId"]


async def test_a_secret_that_was_staged_ahead_is_no_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The profile has changed since: what was staged is of the wrong kind."""
    signs_in_with(monkeypatch, "client_secret", prestage=True)
    ctx = await onboarded_with_two()
    signs_in_with(monkeypatch, "certificate", prestage=True)
    await run(ctx, NAME, "rotate")
    assert served(ctx) in {row.id for row in certificates(ctx)}
    await retire(ctx, 9)
    assert secrets(ctx) == []


async def onboarded_with_two() -> FakeContext:
    """The served one, and the next."""
    ctx = fake_context()
    await onboard(ctx)
    await drive(ctx)
    assert len(application(ctx).secrets) == 2
    return ctx
