"""`ports.Credentials` with certificates in the emulated tenant, as the automation alone.

Graph replaces the whole collection with what a request has: nobody else's certificate may be lost.
"""

import base64
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12
from msgraph.generated.models.application import Application

from shared.adapters.certificates import make
from shared.adapters.graph_certificates import Entry, GraphCertificates
from shared.bootstrap import SystemClock
from shared.model.credential import NewSecret
from shared.model.shape import Shape
from tests.contracts.stage import Registered, Stage, ends, needs_human, try_later

WRITE = "PATCH /applications/{id}"
NAME = "managed:p/op x"


@pytest.fixture
async def made(stage: Stage) -> Registered:
    return await stage.registered()


async def entries(stage: Stage, made: Registered) -> list[Entry]:
    """What Graph answers, public keys included."""
    found = await GraphCertificates(stage.graph, SystemClock(), 0.0)._read(made.object_id)  # noqa: SLF001 - raw rows are nobody else's business
    assert found is not None
    return found


async def write(stage: Stage, made: Registered, wanted: list[Entry]) -> None:
    builder = stage.graph.client.applications.by_application_id(made.object_id)
    info = builder.to_patch_request_information(Application())
    info.content = msgspec.json.encode({"keyCredentials": wanted})
    await stage.graph.write(info, doing="writing by hand")


def theirs(name: str = "CN=theirs", **changes: Any) -> Entry:
    """A certificate that somebody uploads in the portal."""
    now = datetime.now(UTC).replace(microsecond=0)
    public = make("theirs", now, now + timedelta(days=300), Shape.PEM).public
    key = base64.b64encode(public).decode()
    return {
        "type": "AsymmetricX509Cert",
        "usage": "Verify",
        "key": key,
        "displayName": name,
    } | changes


async def by_hand(stage: Stage, made: Registered, **changes: Any) -> Entry:
    """Somebody adds one; answers it as Graph lists it."""
    before = await entries(stage, made)
    await write(stage, made, [*before, theirs(**changes)])
    return next(entry for entry in await entries(stage, made) if entry not in before)


def certificate_of(secret: NewSecret) -> x509.Certificate:
    if secret.shape is Shape.PFX:
        key, found, _ = pkcs12.load_key_and_certificates(base64.b64decode(secret.reveal()), None)
    else:
        pem = secret.reveal().encode()
        key, found = load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    assert isinstance(key, rsa.RSAPrivateKey) and found is not None
    assert key.public_key() == found.public_key()
    return found


class TestOurs:
    @pytest.mark.requirement("D-09")
    @pytest.mark.parametrize("shape", [Shape.PEM, Shape.PFX])
    async def test_it_is_made_listed_and_removed(self, stage: Stage, made: Registered, shape):
        until = ends(90)
        credentials = stage.credentials
        ours = await credentials.add(made.object_id, NAME, until, shape=shape, subject="dvls")
        found = certificate_of(ours)
        assert found.subject.rfc4514_string() == found.issuer.rfc4514_string() == "CN=dvls"
        assert found.public_key().key_size >= 2048
        assert found.not_valid_after_utc == ours.ends == until.replace(microsecond=0)
        (held,) = await credentials.held(made.object_id)
        assert (held.key_id, held.name, held.ends) == (ours.key_id, NAME, ours.ends)
        assert held.certificate and held.hint == ours.hint == ours.thumbprint[:8]
        assert abs(held.starts - datetime.now(UTC)) < timedelta(minutes=1)
        (entry,) = await entries(stage, made)
        public = found.public_bytes(Encoding.DER)
        assert base64.b64decode(entry["key"]) == public
        assert base64.b64decode(entry["customKeyIdentifier"]).hex().upper() == ours.thumbprint
        for _ in range(2):
            await credentials.remove(made.object_id, ours.key_id)
        assert await credentials.held(made.object_id) == []

    async def test_a_second_one_beside_it(self, stage: Stage, made: Registered):
        first = await stage.certificate(made.object_id, "managed:p/1 x")
        second = await stage.certificate(made.object_id, "managed:p/2 x")
        held = await stage.credentials.held(made.object_id)
        assert {h.key_id for h in held} == {first.key_id, second.key_id}
        await stage.credentials.remove(made.object_id, first.key_id)
        (left,) = await stage.credentials.held(made.object_id)
        assert left.key_id == second.key_id

    async def test_secrets_and_certificates_are_listed_together(self, stage: Stage, made):
        secret = await stage.secret(made.object_id)
        ours = await stage.certificate(made.object_id)
        held = await stage.credentials.held(made.object_id)
        assert {h.key_id: h.certificate for h in held} == {secret.key_id: False, ours.key_id: True}
        await stage.credentials.remove(made.object_id, secret.key_id)
        await stage.credentials.remove(made.object_id, ours.key_id)
        assert await stage.credentials.held(made.object_id) == []

    async def test_what_encrypts_tokens_is_nobodys_sign_in(self, stage: Stage, made: Registered):
        await by_hand(stage, made, usage="Sign")
        assert await stage.credentials.held(made.object_id) == []

    async def test_the_longest_name_is_listed_as_it_was_given(self, stage: Stage, made):
        await stage.certificate(made.object_id, "managed:p/" + "x" * 80)
        (held,) = await stage.credentials.held(made.object_id)
        assert held.name == "managed:p/" + "x" * 80


class TestTheirs:
    """Others' certificates are as they were, whatever we do."""

    async def test_they_stay_to_the_letter(self, stage: Stage, made: Registered):
        for name in ("one", "two"):
            await by_hand(stage, made, displayName=name)
        before = await entries(stage, made)
        ours = await stage.certificate(made.object_id)
        assert [e for e in await entries(stage, made) if e["keyId"] != ours.key_id] == before
        await stage.credentials.remove(made.object_id, ours.key_id)
        assert await entries(stage, made) == before

    async def test_one_that_has_expired_stays_too(self, stage: Stage, made: Registered):
        """Only what is new must end in the future."""
        soon = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        await by_hand(stage, made, endDateTime=soon)
        await stage.control("clock", advance_seconds=2 * 86400)
        before = await entries(stage, made)
        ours = await stage.certificate(made.object_id)
        assert [e for e in await entries(stage, made) if e["keyId"] != ours.key_id] == before

    async def test_theirs_can_be_told_apart(self, stage: Stage, made: Registered):
        entry = await by_hand(stage, made)
        (held,) = await stage.credentials.held(made.object_id)
        thumbprint = base64.b64decode(entry["customKeyIdentifier"]).hex().upper()
        assert (held.name, held.hint) == ("CN=theirs", thumbprint[:8])

    @pytest.mark.parametrize(
        "fault",
        [
            {"fault": "F13", "status": 500},
            {"fault": {"status": 200, "code": "x", "message": "no application"}},
            {"fault": "drop"},
        ],
    )
    async def test_after_a_read_that_failed_nothing_is_written(self, stage, made, fault):
        await by_hand(stage, made)
        before = await entries(stage, made)
        await stage.fault(call="GET /applications/{id}", **fault)
        with pytest.raises(Exception, match=r"reading|answer"):
            await stage.certificate(made.object_id)
        await stage.heal()
        assert await entries(stage, made) == before
        assert await patches(stage) == 1  # the one by hand

    async def test_an_answer_without_the_list_is_none(self, stage: Stage, made: Registered):
        """As a proxy that drops what it does not know would give."""
        real = stage.graph.get

        async def without(info: Any, type_: Any, **more: Any) -> Any:
            return msgspec.json.decode(b'{"id": "x"}', type=type_)

        stage.graph.get = without  # type: ignore[method-assign]
        with pytest.raises(msgspec.ValidationError):
            await stage.certificate(made.object_id)
        stage.graph.get = real  # type: ignore[method-assign]
        assert await patches(stage) == 0

    async def test_replicas_that_do_not_agree_are_waited_for(self, stage: Stage, made: Registered):
        """What was just added is missing from one of them, and would be lost."""
        await by_hand(stage, made)
        real, turn = stage.graph.get, iter([False, True])

        async def lagging(info: Any, type_: Any, **more: Any) -> Any:
            row = await real(info, type_, **more)
            return type_(id=row.id, key_credentials=[]) if next(turn, False) else row

        stage.graph.get = lagging  # type: ignore[method-assign]
        await try_later(stage.certificate(made.object_id), "CERTIFICATES_UNSETTLED")
        assert await patches(stage) == 1

    @pytest.mark.diagnosis("FOREIGN_CERTIFICATE_GONE")
    async def test_one_that_vanishes_meanwhile_is_told(self, stage: Stage, made: Registered):
        entry = await by_hand(stage, made)
        after(stage, lambda: _without(stage, made, entry["keyId"]))
        call = stage.certificate(made.object_id)
        error = await needs_human(call, "FOREIGN_CERTIFICATE_GONE")
        assert entry["keyId"] in error.message
        assert "CN=theirs" in error.message

    async def test_somebody_changes_the_list_before_we_write(self, stage: Stage, made: Registered):
        """Graph refuses an entry that is not as it is now."""
        refusal = {
            "status": 400,
            "code": "Request_BadRequest",
            "message": "Update to existing credential with KeyId 'x' is not allowed.",
        }
        await stage.fault(refusal, call=WRITE)
        await try_later(stage.certificate(made.object_id), "CERTIFICATES_UNSETTLED")


async def _without(stage: Stage, made: Registered, key_id: str) -> None:
    left = [entry for entry in await entries(stage, made) if entry["keyId"] != key_id]
    await write(stage, made, left)


def after(stage: Stage, act: Callable[[], Awaitable[None]]) -> None:
    """Do something right after the next write of ours."""
    real = stage.graph.post

    async def post(*args: Any, **more: Any) -> Any:
        stage.graph.post = real  # type: ignore[method-assign]
        answer = await real(*args, **more)
        await act()
        return answer

    stage.graph.post = post  # type: ignore[method-assign]


async def patches(stage: Stage) -> int:
    rows = await stage.traffic("PATCH", "/applications/")
    return sum("keyCredentials" in row["request_body"] for row in rows)


class TestUnclear:
    @pytest.mark.parametrize("fault", [{"fault": "lost"}, {"fault": "drop"}])
    async def test_what_was_written_is_seen_in_the_list(self, stage: Stage, made, fault):
        """The value is ours: an answer that was lost costs nothing."""
        await stage.fault(call=WRITE, times=1, **fault)
        ours = await stage.certificate(made.object_id)
        (held,) = await stage.credentials.held(made.object_id)
        assert held.key_id == ours.key_id
        assert await patches(stage) + await stage.hits() >= 1

    @pytest.mark.parametrize("status", [500, 503, 504])
    async def test_what_was_not_written_is_told(self, stage: Stage, made, status):
        await stage.fault("F13", call=WRITE, status=status)
        await try_later(stage.certificate(made.object_id), "ANSWER_LOST")
        assert await stage.hits() == 1
        assert await stage.credentials.held(made.object_id) == []

    async def test_throttled(self, stage: Stage, made: Registered):
        await stage.fault("F13", call=WRITE, status=429, retry_after=30)
        await try_later(stage.certificate(made.object_id), "THROTTLED")
        assert await stage.hits() == 1

    async def test_the_list_lags_behind(self, stage: Stage, made: Registered):
        await stage.control("lag", seconds=30, token_seconds=0)
        ours = await stage.certificate(made.object_id)
        assert await stage.credentials.held(made.object_id) == []
        await stage.control("clock", advance_seconds=31)
        (held,) = await stage.credentials.held(made.object_id)
        assert held.key_id == ours.key_id


class TestRules:
    """What Graph demands of an entry, which the emulator demands as well."""

    @pytest.mark.parametrize(
        ("changes", "part"),
        [
            ({"type": "Symmetric"}, '"type"'),
            ({"usage": "Encrypt"}, '"usage"'),
            ({"key": "AAAA"}, "invalid certificate"),
            ({"endDateTime": "2001-01-01T00:00:00Z"}, "end date"),
            ({"endDateTime": "2199-01-01T00:00:00Z"}, "end date"),
            ({"startDateTime": "2001-01-01T00:00:00Z"}, "start date"),
        ],
    )
    async def test_a_new_one(self, stage: Stage, made: Registered, changes, part):
        error = await needs_human(write(stage, made, [theirs(**changes)]), "GRAPH_REFUSED")
        assert part in error.message
        assert await entries(stage, made) == []

    @pytest.mark.parametrize(
        "change",
        [
            {"endDateTime": "2026-12-01T00:00:00Z"},
            {"customKeyIdentifier": None},
            {"key": theirs()["key"]},
        ],
    )
    async def test_one_that_is_there_cannot_be_changed(self, stage: Stage, made, change):
        entry = await by_hand(stage, made)
        call = write(stage, made, [entry | change])
        error = await needs_human(call, "GRAPH_REFUSED")
        assert "Update to existing credential with KeyId" in error.message
        assert await entries(stage, made) == [entry]

    async def test_one_that_is_there_may_be_repeated_without_its_key(self, stage: Stage, made):
        entry = await by_hand(stage, made)
        await write(stage, made, [entry | {"key": None}])
        assert await entries(stage, made) == [entry]

    async def test_one_that_is_not_repeated_is_gone(self, stage: Stage, made: Registered):
        await by_hand(stage, made)
        await write(stage, made, [])
        assert await entries(stage, made) == []

    async def test_an_end_in_the_past_is_told_before_a_key_is_made(self, stage: Stage, made):
        call = stage.credentials.add(made.object_id, NAME, ends(-1), shape=Shape.PEM)
        await needs_human(call, "DURATION_INVALID")

    async def test_a_longest_lifetime(self, stage: Stage, made: Registered):
        await stage.control("policy", max_key_lifetime="P60D", max_lifetime="P1D")
        error = await needs_human(stage.certificate(made.object_id), "SECRET_LIFETIME_OVER_POLICY")
        assert "max value allowed" in error.message
        assert await stage.credentials.longest_lifetime(Shape.PEM) == 60.0
        await stage.credentials.add(made.object_id, NAME, ends(59), shape=Shape.PEM, subject="x")

    async def test_a_tenant_without_client_secrets(self, stage: Stage, made: Registered):
        await stage.control("policy", passwords_forbidden=True)
        rules = await stage.credentials.rules(Shape.PFX)
        assert (rules.allowed, rules.longest) == (True, None)
        await stage.certificate(made.object_id)

    async def test_the_application_is_full(self, stage: Stage, made: Registered):
        await stage.control("policy", max_secrets=1)
        await stage.certificate(made.object_id)
        await needs_human(stage.certificate(made.object_id), "TOO_MANY_SECRETS")


async def test_no_error_and_no_log_has_a_private_key(
    stage: Stage, made: Registered, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    ours = await stage.certificate(made.object_id)
    assert await stage.tokens.obtain(made.client_id, ours) is not None
    sent = str(await stage.traffic("PATCH", "")) + str(await stage.traffic("POST", ""))
    # The first lines hold the modulus, which is public.
    lines = ours.reveal().partition("-----END PRIVATE KEY")[0].splitlines()[9:-1]
    assert len(lines) > 12
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for told in (sent, logged, repr(ours)):
        assert not any(line in told for line in lines)
