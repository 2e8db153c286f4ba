"""`ports.Applications` in the emulated tenant, as the automation alone."""

import pytest
from msgspec.structs import replace

from shared.errors import StepError
from shared.planning.application import differences
from tests.contracts.stage import PRINCIPAL, WANTED, Stage, needs_human, try_later

FIND = "GET /applications(uniqueName='keyturn-dvls')"
UPSERT = "PATCH /applications(uniqueName='keyturn-dvls')"


class TestRegistration:
    async def test_nothing_is_there_at_first(self, stage: Stage):
        assert await stage.applications.find(WANTED.unique_name) is None

    @pytest.mark.requirement("D-02")
    async def test_it_is_made_as_wanted(self, stage: Stage):
        made = await stage.application()
        assert differences(WANTED, made) == ()
        assert made.object_id != made.client_id
        assert made.created is not None
        assert not made.locked

    @pytest.mark.requirement("X-03")
    async def test_a_repeat_makes_no_second_one(self, stage: Stage):
        first = await stage.application()
        assert await stage.application() == first
        ours = [a for a in (await stage.state())["applications"] if a.get("uniqueName")]
        assert len(ours) == 1

    async def test_what_differs_is_put_right(self, stage: Stage):
        await stage.application()
        other = replace(
            WANTED, display_name="New name", web_redirects=(), configured=frozenset(), tags=("x",)
        )
        await stage.applications.ensure(other)
        found = await stage.applications.find(WANTED.unique_name)
        assert found is not None
        assert differences(other, found) == ()

    async def test_settled_reads_several_times(self, stage: Stage):
        made = await stage.application()
        before = len(await stage.traffic("GET", made.object_id))
        assert await stage.applications.settled(made.object_id) == made
        assert len(await stage.traffic("GET", made.object_id)) == before + 5

    async def test_sign_in_is_stopped_and_allowed_and_nothing_else_is_changed(self, stage: Stage):
        made = await stage.registered()
        before = await stage.applications.principal(made.client_id)
        assert before is not None
        for allowed in (False, False, True):
            await stage.applications.allow_sign_in(made.client_id, allowed=allowed)
            found = await stage.applications.principal(made.client_id)
            assert found == replace(before, enabled=allowed)

    async def test_of_nobody_sign_in_cannot_be_stopped(self, stage: Stage):
        made = await stage.application()
        call = stage.applications.allow_sign_in(made.client_id, allowed=False)
        with pytest.raises(StepError):
            await call
        assert await stage.applications.principal(made.client_id) is None

    async def test_one_replica_without_it_is_not_settled(self, stage: Stage):
        made = await stage.application()
        await stage.control("faults", call="GET /applications/{id}", pattern="ok,404,ok,ok,ok")
        assert await stage.applications.settled(made.object_id) is None
        assert await stage.applications.settled(made.object_id) == made

    async def test_the_creator_owns_it(self, stage: Stage):
        made = await stage.application()
        own = await stage.directory.own_principal()
        assert await stage.applications.owners(made.object_id) == {own}

    async def test_adding_an_owner_may_be_repeated(self, stage: Stage):
        made = await stage.application()
        other = (await stage.registered()).principal_id
        own = await stage.directory.own_principal()
        await stage.applications.add_owner(made.object_id, other)
        await stage.applications.add_owner(made.object_id, other)
        await stage.applications.add_owner(made.object_id, own)
        assert await stage.applications.owners(made.object_id) == {own, other}

    async def test_locking_may_be_repeated(self, stage: Stage):
        made = await stage.application()
        await stage.applications.lock(made.object_id)
        await stage.applications.lock(made.object_id)
        found = await stage.applications.find(WANTED.unique_name)
        assert found == replace(made, locked=True)


class TestPrincipal:
    @pytest.mark.requirement("D-04", "X-03")
    async def test_it_is_made_once(self, stage: Stage):
        made = await stage.application()
        assert await stage.applications.principal(made.client_id) is None
        for _ in range(2):
            await stage.applications.ensure_principal(made.client_id, PRINCIPAL)
        found = await stage.applications.principal(made.client_id)
        assert found is not None
        assert found.enabled
        assert found.client_id == made.client_id
        assert await stage.applications.settled_principal(made.client_id) == found
        state = await stage.state()
        ours = [p for p in state["servicePrincipals"] if p["appId"] == made.client_id]
        assert len(ours) == 1
        assert ours[0]["tags"] == ["WindowsAzureActiveDirectoryIntegratedApp"]

    async def test_one_replica_without_it_is_not_settled(self, stage: Stage):
        made = await stage.registered()
        call = "GET /servicePrincipals(appId='{id}')"
        await stage.control("faults", call=call, pattern="ok,ok,404")
        assert await stage.applications.settled_principal(made.client_id) is None

    async def test_a_repeat_while_reads_are_behind(self, stage: Stage):
        """Made, but not shown yet: the second attempt must not fail for good."""
        made = await stage.application()
        await stage.control("lag", seconds=60)
        await stage.applications.ensure_principal(made.client_id, PRINCIPAL)
        assert await stage.applications.principal(made.client_id) is None
        await stage.control("clock", advance_seconds=61)
        await stage.applications.ensure_principal(made.client_id, PRINCIPAL)
        assert await stage.applications.principal(made.client_id) is not None


class TestReplication:
    async def test_a_read_that_finds_nothing_is_none(self, stage: Stage):
        made = await stage.application()
        await stage.fault("F1", call="GET *", times=2)
        assert await stage.applications.find(WANTED.unique_name) is None
        assert await stage.applications.settled(made.object_id) is None
        assert await stage.applications.find(WANTED.unique_name) == made

    async def test_a_write_that_finds_nothing_waits(self, stage: Stage):
        made = await stage.application()
        await stage.fault("F1", call="PATCH /applications/{id}", times=1)
        error = await try_later(stage.applications.lock(made.object_id), "APP_REPLICATION")
        assert made.object_id in error.message
        await stage.applications.lock(made.object_id)

    async def test_really_behind(self, stage: Stage):
        """The emulator's own replicas, not an injected answer."""
        await stage.control("lag", seconds=30)
        await stage.applications.ensure(WANTED)
        assert await stage.applications.find(WANTED.unique_name) is None
        await stage.control("clock", advance_seconds=31)
        assert await stage.applications.find(WANTED.unique_name) is not None

    @pytest.mark.parametrize(
        ("fault", "code"), [("F2", "APP_REPLICATION"), ("F3", "APP_REPLICATION_403")]
    )
    async def test_a_principal_before_its_application(self, stage: Stage, fault, code):
        made = await stage.application()
        await stage.fault(fault, times=1)
        call = stage.applications.ensure_principal(made.client_id, PRINCIPAL)
        error = await try_later(call, code)
        assert made.client_id in error.message
        await stage.applications.ensure_principal(made.client_id, PRINCIPAL)

    async def test_account_application_not_there_yet(self, stage: Stage):
        made = await stage.application()
        await stage.fault("F6", times=1)
        await try_later(stage.applications.lock(made.object_id), "APP_REPLICATION")

    @pytest.mark.parametrize("status", [409, 503, 400])
    async def test_concurrent_writes_in_every_status(self, stage: Stage, status):
        made = await stage.application()
        text = "Error due to concurrent requests being made to the tenant. Please wait briefly."
        refusal = {"status": status, "code": "Directory_ConcurrencyViolation", "message": text}
        await stage.fault(refusal, call="PATCH /applications/{id}")
        error = await try_later(stage.applications.lock(made.object_id), "CONCURRENT_WRITE")
        assert error.after.total_seconds() < 10


class TestPrivilege:
    @pytest.mark.requirement("X-20")
    @pytest.mark.diagnosis("AUTOMATION_PRIVILEGE")
    async def test_a_missing_permission_names_the_call(self, stage: Stage):
        await stage.forbid("Application.ReadWrite.OwnedBy")
        error = await needs_human(stage.applications.ensure(WANTED), "AUTOMATION_PRIVILEGE")
        assert "registering keyturn-dvls" in error.message
        assert "Insufficient privileges" in error.message
        assert "the call needs Application.ReadWrite.OwnedBy" in error.message
        assert "Application.ReadWrite.OwnedBy" in error.remedy

    @pytest.mark.requirement("X-20")
    @pytest.mark.diagnosis("AUTOMATION_NOT_OWNER")
    async def test_somebody_elses_application_is_out_of_reach(self, stage: Stage):
        seeded = (await stage.state())["applications"]
        theirs = next(a["id"] for a in seeded if a["displayName"] == "Tenant Administration")
        error = await needs_human(stage.applications.lock(theirs), "AUTOMATION_NOT_OWNER")
        assert "Insufficient privileges" in error.message
        assert "add the automation's service principal as an owner" in error.remedy

    async def test_a_request_that_makes_no_sense_is_told(self, stage: Stage):
        wrong = replace(WANTED, audience="Everybody")
        error = await needs_human(stage.applications.ensure(wrong), "GRAPH_REFUSED")
        assert "signInAudience" in error.message
