"""`ports.Credentials` in the emulated tenant, as the automation alone.

A secret's value is answered once: the request that makes one is sent exactly once, and whatever
leaves its outcome open says so.
"""

import logging
from datetime import timedelta

import pytest

from tests.contracts.stage import Registered, Stage, ends, needs_human, try_later

ADD = "POST /applications/{id}/addPassword"
REMOVE = "POST /applications/{id}/removePassword"
NAME = "managed:p/op x"


@pytest.fixture
async def made(stage: Stage) -> Registered:
    return await stage.registered()


async def live(stage: Stage, made: Registered) -> int:
    """Secrets that the tenant really has."""
    applications = (await stage.state())["applications"]
    return next(len(a["keyIds"]) for a in applications if a["id"] == made.object_id)


class TestSecrets:
    @pytest.mark.requirement("D-09")
    async def test_a_secret_is_made_listed_and_removed(self, stage: Stage, made: Registered):
        until = ends(90)
        secret = await stage.credentials.add(made.object_id, NAME, until)
        assert len(secret.reveal()) >= 16
        assert secret.reveal().startswith(secret.hint)
        (held,) = await stage.credentials.held(made.object_id)
        assert (held.key_id, held.name, held.hint) == (secret.key_id, NAME, secret.hint)
        assert abs(held.ends - until) < timedelta(seconds=1)
        assert held.ends == secret.ends
        for _ in range(2):
            await stage.credentials.remove(made.object_id, secret.key_id)
        assert await stage.credentials.held(made.object_id) == []

    async def test_removing_takes_that_one_only(self, stage: Stage, made: Registered):
        secrets = [await stage.secret(made.object_id, f"managed:p/{n}") for n in range(3)]
        await stage.credentials.remove(made.object_id, secrets[1].key_id)
        held = await stage.credentials.held(made.object_id)
        assert {s.key_id for s in held} == {secrets[0].key_id, secrets[2].key_id}

    async def test_a_second_removal_really_was_refused(self, stage: Stage, made: Registered):
        secret = await stage.secret(made.object_id)
        for _ in range(2):
            await stage.credentials.remove(made.object_id, secret.key_id)
        statuses = [row["status"] for row in await stage.traffic("POST", "removePassword")]
        assert statuses == [204, 400]

    async def test_an_application_that_is_not_visible(self, stage: Stage, made: Registered):
        await stage.fault("F1", call="GET /applications/{id}", times=1)
        assert await stage.credentials.held(made.object_id) is None
        assert await stage.credentials.held(made.object_id) == []

    async def test_it_is_gone_when_no_node_lists_it(self, stage: Stage, made: Registered):
        secret = await stage.secret(made.object_id)
        other = await stage.secret(made.object_id)
        assert not await stage.credentials.gone(made.object_id, secret.key_id)
        await stage.control("lag", seconds=60)
        await stage.credentials.remove(made.object_id, secret.key_id)
        assert not await stage.credentials.gone(made.object_id, secret.key_id)
        await stage.control("clock", advance_seconds=61)
        assert await stage.credentials.gone(made.object_id, secret.key_id)
        assert not await stage.credentials.gone(made.object_id, other.key_id)

    async def test_one_node_that_does_not_answer_proves_nothing(
        self, stage: Stage, made: Registered
    ):
        secret = await stage.secret(made.object_id)
        await stage.credentials.remove(made.object_id, secret.key_id)
        await stage.fault("F1", call="GET /applications/{id}", times=1)
        assert not await stage.credentials.gone(made.object_id, secret.key_id)

    async def test_a_500_on_removal_waits(self, stage: Stage, made: Registered):
        secret = await stage.secret(made.object_id)
        await stage.fault("F13", call=REMOVE, status=500, times=1)
        call = stage.credentials.remove(made.object_id, secret.key_id)
        error = await try_later(call, "GRAPH_UNAVAILABLE")
        assert secret.key_id in error.message


UNCLEAR = {
    "applied, then 504": {"fault": "lost"},
    "applied, then 503": {"fault": "lost", "status": 503},
    "applied, then 503 that asks to come back": {"fault": "lost", "status": 503, "retry_after": 1},
    "applied, then 500": {"fault": "lost", "status": 500},
    "applied, then 502": {"fault": "lost", "status": 502},
    "applied, then cut off": {"fault": "drop"},
    "not applied, 503": {"fault": "F13", "status": 503},
    "not applied, 504": {"fault": "F13", "status": 504},
    "success without a secret": {"fault": {"status": 200, "code": "x", "message": "y"}},
}


class TestExactlyOnce:
    @pytest.mark.parametrize("name", UNCLEAR)
    async def test_an_unclear_outcome(self, stage: Stage, made: Registered, name):
        await stage.fault(call=ADD, **UNCLEAR[name])
        call = stage.credentials.add(made.object_id, NAME, ends())
        error = await try_later(call, "ANSWER_LOST")
        assert await stage.hits() == 1
        assert await live(stage, made) == (1 if name.startswith("applied") else 0)
        assert made.object_id in error.message

    @pytest.mark.parametrize("wait", [1, 2.128, 30, 179, 100000])
    async def test_throttled(self, stage: Stage, made: Registered, wait):
        await stage.fault("F13", call=ADD, status=429, retry_after=wait)
        call = stage.credentials.add(made.object_id, NAME, ends())
        error = await try_later(call, "THROTTLED")
        assert await stage.hits() == 1
        assert error.after == timedelta(seconds=min(wait, 600))

    async def test_a_new_application_that_is_not_known_everywhere(
        self, stage: Stage, made: Registered
    ):
        await stage.fault("F1", call=ADD)
        await try_later(stage.credentials.add(made.object_id, NAME, ends()), "APP_REPLICATION")
        assert await stage.hits() == 1

    async def test_writes_too_close_together(self, stage: Stage, made: Registered):
        await stage.control("spacing", seconds=10)
        await stage.secret(made.object_id)
        await try_later(stage.credentials.add(made.object_id, NAME, ends()), "CONCURRENT_WRITE")
        await stage.control("clock", advance_seconds=10)
        await stage.secret(made.object_id)

    @pytest.mark.parametrize("status", [409, 503, 400])
    async def test_concurrency_in_every_status(self, stage: Stage, made: Registered, status):
        refusal = {
            "status": status,
            "code": "Request_BadRequest" if status == 400 else "Directory_ConcurrencyViolation",
            "message": "Error due to concurrent requests being made to the tenant.",
        }
        await stage.fault(refusal, call=ADD)
        await try_later(stage.credentials.add(made.object_id, NAME, ends()), "CONCURRENT_WRITE")
        assert await stage.hits() == 1


class TestPolicies:
    @pytest.mark.parametrize(("policy", "days"), [("P90D", 90.0), ("PT36H", 1.5), ("P1DT12H", 1.5)])
    async def test_a_longest_lifetime(self, stage: Stage, made: Registered, policy, days):
        await stage.control("policy", max_lifetime=policy)
        call = stage.credentials.add(made.object_id, NAME, ends(days + 1))
        error = await needs_human(call, "SECRET_LIFETIME_OVER_POLICY")
        assert "max value allowed" in error.message
        assert await stage.credentials.longest_lifetime() == days
        await stage.credentials.add(made.object_id, NAME, ends(days) - timedelta(minutes=5))

    async def test_no_policy_no_longest_lifetime(self, stage: Stage):
        assert await stage.credentials.longest_lifetime() is None

    async def test_a_policy_about_something_else(self, stage: Stage):
        await stage.control("policy", passwords_forbidden=True)
        assert await stage.credentials.longest_lifetime() is None

    @pytest.mark.diagnosis("SECRET_TYPE_BLOCKED")
    async def test_whether_secrets_are_allowed_at_all(self, stage: Stage):
        assert (await stage.credentials.rules()).allowed
        await stage.control("policy", passwords_forbidden=True, max_lifetime="P90D")
        rules = await stage.credentials.rules()
        assert (rules.allowed, rules.longest) == (False, 90.0)

    @pytest.mark.parametrize("lifetime", ["P6M", "P1Y"])
    async def test_a_lifetime_without_a_fixed_length(self, stage: Stage, lifetime):
        await stage.control("policy", max_lifetime=lifetime)
        error = await needs_human(stage.credentials.longest_lifetime(), "POLICY_UNREADABLE")
        assert lifetime in error.message

    async def test_the_policy_may_be_out_of_sight(self, stage: Stage):
        await stage.forbid("Policy.Read.All")
        error = await needs_human(stage.credentials.longest_lifetime(), "AUTOMATION_PRIVILEGE")
        assert "app management policy" in error.message

    async def test_secrets_are_blocked(self, stage: Stage, made: Registered):
        await stage.control("policy", passwords_forbidden=True)
        call = stage.credentials.add(made.object_id, NAME, ends())
        error = await needs_human(call, "SECRET_TYPE_BLOCKED")
        assert "exemption" in error.remedy

    async def test_the_application_is_full(self, stage: Stage, made: Registered):
        await stage.control("policy", max_secrets=1)
        await stage.secret(made.object_id)
        await needs_human(stage.credentials.add(made.object_id, NAME, ends()), "TOO_MANY_SECRETS")

    async def test_full_is_said_with_403_too(self, stage: Stage, made: Registered):
        text = "The size of the object has exceeded its limit."
        refusal = {"status": 403, "code": "Directory_ResourceSizeExceeded", "message": text}
        await stage.fault(refusal, call=ADD)
        await needs_human(stage.credentials.add(made.object_id, NAME, ends()), "TOO_MANY_SECRETS")

    async def test_a_date_in_the_past_is_told(self, stage: Stage, made: Registered):
        call = stage.credentials.add(made.object_id, NAME, ends(-1))
        error = await needs_human(call, "GRAPH_REFUSED")
        assert "end date" in error.message


@pytest.mark.diagnosis("AUTOMATION_NOT_OWNER")
async def test_an_application_that_the_automation_does_not_own(stage: Stage, made: Registered):
    refusal = {
        "status": 403,
        "code": "Authorization_RequestDenied",
        "message": "Insufficient privileges to complete the operation.",
    }
    await stage.fault(refusal, call=ADD)
    call = stage.credentials.add(made.object_id, NAME, ends())
    error = await needs_human(call, "AUTOMATION_NOT_OWNER")
    assert f"adding a secret to {made.object_id}" in error.message


async def test_no_error_and_no_log_has_a_secret(
    stage: Stage, made: Registered, caplog: pytest.LogCaptureFixture
):
    """Every way to fail, at the loudest level, and every value that the tenant ever issued."""
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    for fault in UNCLEAR.values():
        await stage.fault(call=ADD, times=1, **fault)
        call = stage.credentials.add(made.object_id, NAME, ends())
        told += chain(await try_later(call, "ANSWER_LOST"))
        await stage.heal()
    secret = await stage.secret(made.object_id)
    told += [repr(secret), str(await stage.credentials.held(made.object_id))]
    issued = (await stage.admin.get(f"{stage.running.admin}/secrets")).json()["secrets"]
    assert secret.reveal() in issued
    assert len(issued) > 5
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    for value in issued:
        assert all(value not in text for text in told)
        assert value not in logged


def chain(error: BaseException | None) -> list[str]:
    """An error and its causes, as text."""
    found: list[str] = []
    while error is not None:
        found += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    return found
